"""A text model that is trained: any encoder that transformers classifies sequences with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from emobatch.models import hub
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.text_classifier import positions
from emobatch.training.goals.goal import Goal
from emobatch.training.learner import Inputs, Learner, freeze, load
from emobatch.training.options import Options


class TextLearner(Learner):
    """An encoder of text and transformers' own head."""

    def __init__(self, checkpoint: Checkpoint, goal: Goal, options: Options) -> None:
        """Load a base and put a head on it.

        Args:
            checkpoint: the base.
            goal: what is learned.
            options: what stays as it is, and how many tokens a text may have.

        Raises:
            CheckpointError: if it can't be loaded.
        """
        self.goal = goal
        self.network = load(AutoModelForSequenceClassification, checkpoint, goal)
        self.begin_head()
        with checkpoint.explained(), hub.closed():
            self._tokenizer = AutoTokenizer.from_pretrained(
                checkpoint.folder, trust_remote_code=False, local_files_only=True
            )
        most = min(self._tokenizer.model_max_length, positions(self.network.config))
        # Written with the checkpoint: `score` then cuts texts where training did.
        self._tokenizer.model_max_length = min(round(options.crop), most)
        if options.freeze == "encoder":
            freeze(self.encoder.parameters())

    @property
    def encoder(self) -> Any:
        """The encoder of transformers."""
        return self.network.base_model

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Cut texts into tokens.

        Args:
            texts: none of them empty.

        Returns:
            (texts,) ids of each.
        """
        found: list[list[int]] = self._tokenizer(list(texts), truncation=True)["input_ids"]
        return found

    def inputs(self, examples: Sequence[NDArray[Any]]) -> Inputs:
        """Pad texts.

        Args:
            examples: (tokens,) ids of each.

        Returns:
            ``input_ids``, ``attention_mask`` and ``lengths``.
        """
        ids = {"input_ids": [each.tolist() for each in examples]}
        made = self._tokenizer.pad(ids, return_tensors="pt", return_attention_mask=True)
        return {**made, "lengths": torch.tensor([len(each) for each in examples])}

    def save(self, folder: Path) -> None:
        """Write a plain checkpoint of transformers.

        Args:
            folder: to write to.
        """
        self.network.save_pretrained(folder)
        self._tokenizer.save_pretrained(folder)
