"""The primary branch: emotion probabilities from the sound of a clip.

Clips are batched, padded, and each still gets the probabilities that it has alone: the attention
mask hides padding from the transformer, and the convolutional feature encoder, whose group norm
would otherwise average over padding, sees each clip's own samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from emobatch import checkpoints
from emobatch.audio import SAMPLE_RATE, Samples
from emobatch.checkpoints import Checkpoint
from emobatch.devices import Device
from emobatch.errors import CheckpointError
from emobatch.labels import EMOTIONS, checkpoint_classes

OPTION = "--speech-model"
# Those that tests show to be free of batch effects; any other is run clip by clip.
BATCHED_FAMILIES = ("wav2vec2", "hubert", "wavlm")


class OwnFramesEncoder(nn.Module):
    """Runs a convolutional feature encoder over each clip's own samples.

    The encoder's group norm takes its mean and variance over time. Over a padded batch that is
    the padding's time, too, and a clip's scores move with the longest of its batch mates (by up
    to 0.09 for wav2vec2-base). Over the clip's own samples they are those of the clip alone.

    Attributes:
        lengths: samples of each clip in the batch to come.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.lengths: list[int] = []

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Encode a padded batch.

        Args:
            values: (clips, samples), padded at the end.

        Returns:
            (clips, channels, frames), padded with zeros at the end.
        """
        frames = [
            self.encoder(values[place : place + 1, :length])[0].T
            for place, length in enumerate(self.lengths)
        ]
        return nn.utils.rnn.pad_sequence(frames, batch_first=True).transpose(1, 2)


class SpeechClassifier:
    """A fine-tuned audio-classification checkpoint.

    Attributes:
        checkpoint: where it was loaded from.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: Device, label_map: Mapping[str, str | None]
    ) -> None:
        """Load the checkpoint.

        Args:
            checkpoint: any that ``AutoModelForAudioClassification`` loads.
            device: where to run it.
            label_map: names of its labels beyond the alias table's.

        Raises:
            CheckpointError: if it can't be loaded or wants audio that isn't 16 kHz.
            LabelError: if its labels can't be mapped onto the emotions.
        """
        self.checkpoint = checkpoint
        self._device = device
        with checkpoints.explained(checkpoint.name, OPTION):
            auto: Any = AutoFeatureExtractor
            self._extractor: Any = auto.from_pretrained(
                checkpoint.folder, trust_remote_code=False, local_files_only=True
            )
        if self._extractor.sampling_rate != SAMPLE_RATE:
            raise CheckpointError(
                f"{checkpoint.name}: made for {self._extractor.sampling_rate} Hz, "
                f"clips are {SAMPLE_RATE} Hz; give {OPTION} another checkpoint"
            )
        self._model = checkpoints.load_classifier(
            AutoModelForAudioClassification, checkpoint, OPTION, device.dtype
        ).to(device.name)
        labels = self._model.config.id2label
        self._classes = checkpoint_classes(
            [labels[output] for output in sorted(labels)], EMOTIONS, label_map, "--label-map"
        )
        self._encoder = self._shield_encoder()

    @torch.inference_mode()
    def scores(self, clips: Sequence[Samples]) -> NDArray[np.float64]:
        """Score clips, batched where the checkpoint's family allows it.

        Args:
            clips: each (samples,) float32, 16 kHz, mono, at least 400 samples.

        Returns:
            (clips, 4) probabilities of angry, happy, neutral and sad; within 1e-5 (float32, CPU)
            of those that ``transformers`` gives for each clip alone.

        Examples:
            >>> SpeechClassifier(checkpoint, device, {}).scores([samples])  # doctest: +SKIP
            array([[0.04, 0.71, 0.20, 0.05]])
        """
        if self._encoder is None:
            logits = torch.cat([self._logits([clip]) for clip in clips])
        else:
            self._encoder.lengths = [len(clip) for clip in clips]
            logits = self._logits(clips)
        return checkpoints.class_probabilities(logits, self._classes, len(EMOTIONS))

    def _logits(self, clips: Sequence[Samples]) -> torch.Tensor:
        batched = {"padding": True, "return_attention_mask": True} if self._encoder else {}
        inputs = self._extractor(
            list(clips), sampling_rate=SAMPLE_RATE, return_tensors="pt", **batched
        ).to(self._device.name)
        for name, value in inputs.items():
            if value.is_floating_point():
                inputs[name] = value.to(self._device.dtype)
        logits: torch.Tensor = self._model(**inputs).logits
        return logits

    def _shield_encoder(self) -> OwnFramesEncoder | None:
        config, base = self._model.config, self._model.base_model
        # A batch norm before the positional convolution shifts padding away from zero.
        if config.model_type not in BATCHED_FAMILIES or getattr(
            config, "conv_pos_batch_norm", False
        ):
            return None
        base.feature_extractor = OwnFramesEncoder(base.feature_extractor)
        encoder: OwnFramesEncoder = base.feature_extractor
        return encoder
