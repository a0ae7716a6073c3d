"""A speech model: probabilities of classes, attributes and embeddings from the sound of a clip.

Clips are batched, padded, and each still gets the probabilities that it has alone: the attention
mask hides padding from the transformer, and the convolutional feature encoder, whose group norm
would otherwise average over padding, sees each clip's own samples.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from emobatch.errors import CheckpointError
from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.classifiers import Classifier, of_transformers
from emobatch.models.devices import Device
from emobatch.models.embedding import Embedding
from emobatch.models.heads.extractor import stored_in
from emobatch.models.heads.head import Folder
from emobatch.models.outputs import Outputs
from emobatch.models.shortest import fewest_samples

# Those that tests show to be free of batch effects; any other is run clip by clip.
BATCHED_FAMILIES = ("wav2vec2", "hubert", "wavlm")


class OwnFramesEncoder(nn.Module):
    """Runs a convolutional feature encoder over each clip's own samples.

    The encoder's group norm takes its mean and variance over time. Over a padded batch that is
    the padding's time, too, and a clip's scores move with the longest of its batch mates (by up
    to 0.09 for wav2vec2-base). Over the clip's own samples they are those of the clip alone.

    Attributes:
        batch: its ``lengths`` are the samples of each clip in the batch to come, in this thread.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.batch = threading.local()

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Encode a padded batch.

        Args:
            values: (clips, samples), padded at the end.

        Returns:
            (clips, channels, frames), padded with zeros at the end.
        """
        frames = [
            self.encoder(values[place : place + 1, :length])[0].T
            for place, length in enumerate(self.batch.lengths)
        ]
        return nn.utils.rnn.pad_sequence(frames, batch_first=True).transpose(1, 2)


class SpeechClassifier:
    """A fine-tuned speech checkpoint.

    Attributes:
        fewest: samples that a clip must have.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: Device,
        outputs: Outputs,
        embedding: Embedding | None = None,
    ) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: any that ``AutoModelForAudioClassification`` loads, or that has one of
                :data:`emobatch.models.heads.registry.HEADS`.
            device: where to run it.
            outputs: what its outputs stand for.
            embedding: what of its encoder's hidden states is wanted, None for nothing.

        Raises:
            CheckpointError: if it can't be loaded or wants audio that isn't 16 kHz.
        """
        self._classifier = Classifier(checkpoint, device, _load, outputs, embedding)
        with checkpoint.explained():
            self._classifier.processor = stored_in(self._classifier.processor)
        rate = self._classifier.processor.sampling_rate
        if rate != SAMPLE_RATE:
            raise CheckpointError(
                f"{checkpoint.name}: made for {rate} Hz, clips are {SAMPLE_RATE} Hz; "
                f"give {checkpoint.option} another checkpoint"
            )
        self.fewest = fewest_samples(self._classifier.model.config)
        self._encoder = _shield_encoder(self._classifier.model)

    @torch.inference_mode()
    def scores(self, clips: Sequence[Samples]) -> NDArray[np.float64]:
        """Score clips, batched where the checkpoint's family allows it.

        Args:
            clips: each (samples,) float32, 16 kHz, mono, at least ``fewest`` samples.

        Returns:
            (clips, classes + attributes + width of the embedding): probabilities, attributes and
            pooled states; within 1e-5 (float32, CPU) of those of each clip alone.

        Examples:
            >>> SpeechClassifier(checkpoint, device, outputs).scores([samples])  # doctest: +SKIP
            array([[0.04, 0.71, 0.20, 0.05]])
        """
        if self._encoder is None:
            return np.vstack([self._read([clip]) for clip in clips])
        self._encoder.batch.lengths = [len(clip) for clip in clips]
        return self._read(clips, padding=True, return_attention_mask=True)

    def _read(self, clips: Sequence[Samples], **options: bool) -> NDArray[np.float64]:
        inputs = self._classifier.processor(
            list(clips), sampling_rate=SAMPLE_RATE, return_tensors="pt", **options
        )
        return self._classifier.read(inputs)


def _load(checkpoint: Checkpoint, device: Device) -> tuple[Any, Any]:
    head = checkpoint.head()
    if head is not None:
        return head.load(Folder(checkpoint.folder), len(checkpoint.labels()))
    load = of_transformers(AutoModelForAudioClassification, AutoFeatureExtractor)
    return load(checkpoint, device)


def _shield_encoder(model: Any) -> OwnFramesEncoder | None:
    config = model.config
    # A batch norm before the positional convolution shifts padding away from zero.
    if config.model_type not in BATCHED_FAMILIES or getattr(config, "conv_pos_batch_norm", False):
        return None
    encoder = OwnFramesEncoder(model.base_model.feature_extractor)
    model.base_model.feature_extractor = encoder
    return encoder
