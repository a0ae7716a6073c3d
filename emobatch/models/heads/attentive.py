"""Attentive statistics pooling on any encoder: what ``train --head attentive`` writes.

A folder of it has ``config.json``, ``model.safetensors`` and ``preprocessor_config.json``;
docs/models.md says what is in them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from emobatch.models import files
from emobatch.models.heads.head import CONFIG, Folder, Head

if TYPE_CHECKING:
    from emobatch.models.heads.networks import AttentiveClassifier, Headed

ARCHITECTURE = "EmobatchAttentiveClassifier"
MODEL_TYPE = "emobatch-attentive"
WEIGHTS = files.TRANSFORMERS[0]
# Prefixes of weights: encoder, pooling, layers behind it.
PARTS = ("ssl_model.", "pool_model.", "ser_model.")


@dataclass(frozen=True)
class Normalise:
    """How samples become input: less their mean, by their deviation.

    Attributes:
        mean: of the samples that it was trained on, full scale ±1.
        deviation: their standard deviation.
    """

    mean: float
    deviation: float


@dataclass(frozen=True)
class Shape:
    """What the layers behind the pooling are like.

    Attributes:
        width: of each; None for that of the pooling, twice that of the encoder.
        layers: how many there are before the one of outputs.
        dropout: share that is left out in training.
        residual: whether a layer's input is added to what it gives, where both are as wide.
    """

    width: int | None = None
    layers: int = 1
    dropout: float = 0.5
    residual: bool = True


class Attentive(Head):
    """Attentive statistics pooling, as ``train`` writes it."""

    about: ClassVar[str] = "attentive statistics pooling, as `train` writes it"

    @classmethod
    def claims(cls, folder: Folder) -> bool:
        """Whether its architecture is emobatch's own."""
        return ARCHITECTURE in folder.architectures

    @classmethod
    def check(cls, folder: Folder) -> None:
        """Refuse a ``config.json`` without the encoder's configuration."""
        base = folder.config.get("base")
        if not isinstance(base, Mapping) or "model_type" not in base:
            raise ValueError(f"lacks its part base: no configuration of its encoder in {CONFIG}")

    @classmethod
    def labels(cls, folder: Folder) -> list[str]:
        """Read ``id2label``."""
        if not folder.named_outputs:
            raise ValueError(f"lacks its part id2label: {CONFIG} doesn't name its outputs")
        return folder.named_outputs

    @classmethod
    def states(cls, folder: Folder) -> int:
        """Read it of the encoder's own configuration."""
        return int(folder.config["base"]["hidden_size"])

    @classmethod
    def load(cls, folder: Folder, outputs: int) -> tuple[Headed, Any]:
        """Load network and feature extractor."""
        from transformers import AutoFeatureExtractor

        cls.check(folder)
        network = load(folder.path, outputs)
        normalise = folder.config.get("normalise")
        if normalise is not None:
            from emobatch.models.heads.extractor import Extractor

            return network, Extractor(**_normalise(normalise))
        extractor = AutoFeatureExtractor.from_pretrained(
            folder.path, trust_remote_code=False, local_files_only=True
        )
        return network, extractor


def build(encoder: Any, outputs: int, shape: Shape) -> AttentiveClassifier:
    """Put a head with random weights on an encoder.

    Args:
        encoder: a wav2vec 2.0, HuBERT or WavLM model of transformers.
        outputs: how many there are.
        shape: of the layers behind the pooling.

    Returns:
        The network, which is given ``input_values`` and ``attention_mask`` and gives ``logits``.
    """
    from emobatch.models.heads.networks import AttentiveClassifier

    return AttentiveClassifier(encoder, outputs, **asdict(shape))


def save(
    network: AttentiveClassifier,
    folder: Path,
    labels: Sequence[str],
    shape: Shape,
    *,
    extractor: Any,
    normalise: Normalise | None = None,
) -> None:
    """Write a network as a checkpoint that `score` loads.

    Args:
        network: from :func:`build`.
        folder: to write to; made if need be.
        labels: (outputs,) names of its classes, of its attributes, or of classes and attributes.
        shape: that it was built with.
        extractor: the feature extractor that it was trained with; not asked with ``normalise``.
        normalise: what was subtracted from samples and what they were divided by, where that is
            of the training audio and not the extractor's.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": [ARCHITECTURE],
        "model_type": MODEL_TYPE,
        "base": network.config.to_dict(),
        "head": asdict(shape),
        "normalise": None if normalise is None else asdict(normalise),
        "id2label": {str(place): label for place, label in enumerate(labels)},
    }
    text = json.dumps(config, indent=2, ensure_ascii=False)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")
    state = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    extractor.save_pretrained(folder)


def load(folder: Path, outputs: int | None = None) -> AttentiveClassifier:
    """Read a network back, to score or to go on training.

    Args:
        folder: that :func:`save` wrote.
        outputs: how many there are, None for as many as it names.

    Returns:
        The network, on the CPU, in evaluation mode.

    Raises:
        ValueError: if it lacks a part, which is named.
    """
    from emobatch.models.heads import weights

    said = Folder(folder)
    state = weights.read(files.weights(folder))
    encoder = weights.encoder(said.config["base"], state, PARTS[0])
    shape = Shape(**said.config.get("head", {}))
    network = build(encoder, outputs or len(Attentive.labels(said)), shape)
    weights.fill(network, state, PARTS)
    return network.eval()


def _normalise(said: Any) -> dict[str, float]:
    if not isinstance(said, Mapping) or not {"mean", "deviation"} <= {*said}:
        raise ValueError(f"lacks its part normalise: {CONFIG} says no mean and deviation there")
    return {"mean": float(said["mean"]), "deviation": float(said["deviation"])}
