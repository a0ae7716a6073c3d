"""A speech model that is trained: wav2vec 2.0, HuBERT or WavLM under a head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from transformers import (
    AutoFeatureExtractor,
    AutoModel,
    AutoModelForAudioClassification,
    Wav2Vec2FeatureExtractor,
)

from emobatch.errors import CheckpointError, OptionError
from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.models import hub
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.classifiers import read_config
from emobatch.models.heads import attentive
from emobatch.models.heads.extractor import NORMALISE, Extractor
from emobatch.models.shortest import fewest_samples
from emobatch.models.speech_classifier import BATCHED_FAMILIES
from emobatch.training.goals.goal import Goal
from emobatch.training.learner import Inputs, Learner, freeze, load
from emobatch.training.options import LINEAR, Options


class OwnNorm:
    """Normalises what the first convolution gives over each clip's own frames, as `score` does.

    A group norm would otherwise average over padding; the convolutions themselves don't mix a
    clip's frames with those that follow its end. It stands in for the norm's ``forward``, so that
    the weights keep their names. Only the norm goes clip by clip: on the CPU, a convolution of a
    length that it hasn't met takes several times as long.
    """

    def __init__(self, convolutions: nn.Module) -> None:
        """Stand in for the norm of the first of them.

        Args:
            convolutions: of an encoder.
        """
        first: Any = convolutions.conv_layers[0]  # type: ignore[index]
        self._convolution, self._norm = first.conv, first.layer_norm.forward
        self.lengths: list[int] = []
        first.layer_norm.forward = self

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Normalise a padded batch.

        Args:
            values: (clips, channels, frames), of clips that were padded at the end.

        Returns:
            The same shape, zeros where a clip has no frames.
        """
        [kernel], [stride] = self._convolution.kernel_size, self._convolution.stride
        clips = []
        for clip, length in zip(torch.split(values, 1), self.lengths, strict=True):
            frames = (length - kernel) // stride + 1
            own = self._norm(clip[..., :frames])
            clips.append(nn.functional.pad(own, (0, values.shape[-1] - frames)))
        return torch.cat(clips)


def fewest_of(checkpoint: Checkpoint, options: Options) -> int:
    """Say how many samples of a clip a base needs, before any is decoded.

    Args:
        checkpoint: the base.
        options: of the user.

    Returns:
        Samples at 16 kHz.

    Raises:
        CheckpointError: if it is none of a kind that can be trained.
        OptionError: if crops have fewer.
    """
    of_head = AutoModelForAudioClassification if options.head == LINEAR else AutoModel
    with checkpoint.explained(), hub.closed():
        config = read_config(checkpoint, of_head)
    if config.model_type not in BATCHED_FAMILIES or getattr(config, "conv_pos_batch_norm", False):
        raise CheckpointError(
            f"{checkpoint.name}: a {config.model_type} checkpoint; give {checkpoint.option} "
            f"one of {', '.join(BATCHED_FAMILIES)}"
        )
    fewest = fewest_samples(config)
    if round(options.crop * SAMPLE_RATE) < fewest:
        raise OptionError(
            f"--crop-seconds {options.crop:g}: {checkpoint.name} needs {fewest} samples at 16 kHz; "
            f"give {math.ceil(fewest / SAMPLE_RATE * 1000) / 1000:g} or more"
        )
    return fewest


class SpeechLearner(Learner):
    """An encoder of speech and a head."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        goal: Goal,
        options: Options,
        scale: tuple[float, float],
    ) -> None:
        """Load a base and put a head on it.

        Args:
            checkpoint: the base.
            goal: what is learned.
            options: head, what stays as it is, and how audio becomes input.
            scale: mean and deviation of the audio that is trained on.

        Raises:
            CheckpointError: if it can't be loaded.
        """
        self.goal, self._options = goal, options
        self._shape = attentive.Shape()
        self.network = self._with_head(checkpoint)
        config = self.network.config
        self._scale = None if options.normalise == "base" else attentive.Normalise(*scale)
        self._extractor = self._input_of(checkpoint)
        self._wants_mask = bool(config.apply_spec_augment)
        convolutions = self.encoder.feature_extractor
        self._own_norm = OwnNorm(convolutions) if config.feat_extract_norm == "group" else None
        if options.freeze == "convolutions":
            convolutions._freeze_parameters()
        elif options.freeze == "encoder":
            freeze(self.encoder.parameters())
            convolutions._freeze_parameters()

    @property
    def encoder(self) -> Any:
        """The encoder of transformers."""
        return self.network.base_model

    def _with_head(self, checkpoint: Checkpoint) -> Any:
        if self._options.head == LINEAR:
            self.network = load(AutoModelForAudioClassification, checkpoint, self.goal)
            self.begin_head()
            return self.network
        encoder = load(AutoModel, checkpoint, None)
        return attentive.build(encoder, len(self.goal.outputs), self._shape)

    def _input_of(self, checkpoint: Checkpoint) -> Any:
        if self._scale is not None:
            return Extractor(self._scale.mean, self._scale.deviation)
        with checkpoint.explained(), hub.closed():
            found = AutoFeatureExtractor.from_pretrained(  # type: ignore[no-untyped-call]
                checkpoint.folder, trust_remote_code=False, local_files_only=True
            )
        if found.sampling_rate != SAMPLE_RATE:
            raise CheckpointError(
                f"{checkpoint.name}: made for {found.sampling_rate} Hz, clips are {SAMPLE_RATE} "
                f"Hz; give {checkpoint.option} another checkpoint"
            )
        return found

    def inputs(self, examples: Sequence[NDArray[Any]]) -> Inputs:
        """Normalise and pad clips, as `score` does.

        Args:
            examples: (samples,) of each.

        Returns:
            ``input_values``, ``attention_mask`` and ``lengths``.
        """
        made = self._extractor(
            list(examples),
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
            padding=True,
            return_attention_mask=True,
        )
        return {**made, "lengths": torch.tensor([len(each) for each in examples])}

    def logits(self, network: nn.Module, inputs: Inputs) -> torch.Tensor:
        """Run the network, each clip as if it were alone.

        Args:
            network: itself, or what it is wrapped in.
            inputs: of :meth:`inputs`.

        Returns:
            (clips, outputs).
        """
        lengths = inputs["lengths"]
        if self._own_norm is not None:
            self._own_norm.lengths = lengths.tolist()
        config = self.network.config
        # Masks that are longer than the clips can't be laid over them.
        frames = self.encoder._get_feat_extract_output_lengths(lengths.max())
        config.apply_spec_augment = self._wants_mask and bool(frames >= config.mask_time_length)
        return super().logits(network, inputs)

    def penalty(self) -> torch.Tensor | float:
        """The squares of the attention matrix, of a head that has one."""
        if self._options.head == LINEAR or not self._options.attention_l2:
            return 0.0
        matrix: torch.Tensor = self.network.pool_model.sap_linear.weight
        return self._options.attention_l2 * matrix.square().sum()

    def save(self, folder: Path) -> None:
        """Write a checkpoint: with a linear head a plain one of transformers.

        Args:
            folder: to write to.
        """
        self.network.config.apply_spec_augment = self._wants_mask
        if self._options.head != LINEAR:
            attentive.save(
                self.network,
                folder,
                self.goal.outputs,
                self._shape,
                extractor=self._saved_extractor(),
                normalise=self._scale,
            )
            return
        self.network.save_pretrained(folder)
        self._saved_extractor().save_pretrained(folder)

    def _saved_extractor(self) -> Any:
        if self._scale is None:
            return self._extractor
        said = {"mean": self._scale.mean, "deviation": self._scale.deviation}
        return Wav2Vec2FeatureExtractor(  # type: ignore[no-untyped-call]
            do_normalize=False, return_attention_mask=True, **{NORMALISE: said}
        )
