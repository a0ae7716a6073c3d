"""A text model: probabilities of sentiments or emotions, attributes, embeddings of what is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from emobatch.models.checkpoints import Checkpoint
from emobatch.models.classifiers import Classifier, of_transformers
from emobatch.models.devices import Device
from emobatch.models.embedding import Embedding
from emobatch.models.outputs import Outputs


class TextClassifier:
    """A fine-tuned text-classification checkpoint."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: Device,
        outputs: Outputs,
        embedding: Embedding | None = None,
    ) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: any that ``AutoModelForSequenceClassification`` loads.
            device: where to run it.
            outputs: what its outputs stand for.
            embedding: what of its encoder's hidden states is wanted, None for nothing.

        Raises:
            CheckpointError: if it can't be loaded.
        """
        loader = of_transformers(AutoModelForSequenceClassification, AutoTokenizer)
        self._classifier = Classifier(checkpoint, device, loader, outputs, embedding)
        self._tokenizer = self._classifier.processor
        self._most_tokens = min(
            self._tokenizer.model_max_length, positions(self._classifier.model.config)
        )

    @torch.inference_mode()
    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Score texts in one batch.

        Args:
            texts: none of them empty; what is longer than the model's limit is cut off.

        Returns:
            (texts, classes + attributes + width of the embedding): probabilities, attributes and
            pooled states.

        Examples:
            >>> classifier.scores(["what a lovely day"])  # doctest: +SKIP
            array([[0.01, 0.09, 0.90]])
        """
        inputs = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._most_tokens,
            return_tensors="pt",
        )
        return self._classifier.read(inputs)


def positions(config: Any) -> int:
    """Say how many tokens a text model has positions for.

    Args:
        config: of transformers.

    Returns:
        The most that a text may have.
    """
    # RoBERTa's kin count positions from behind the padding token's number on; a tokenizer
    # without a limit of its own then hides where the position table ends.
    most: int = getattr(config, "max_position_embeddings", 512)
    padding = getattr(config, "pad_token_id", None) or 0
    return most - padding - 1 if "roberta" in config.model_type else most
