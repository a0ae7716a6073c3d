"""The least that a speech model hears of: what its convolutions need for one frame."""

from __future__ import annotations

from typing import Any

from emobatch.errors import AudioError


def fewest_samples(config: Any) -> int:
    """Say how many samples a speech model makes its first frame of.

    Args:
        config: of a model of transformers; ``conv_kernel`` and ``conv_stride`` are in samples, and
            in frames of the layer before.

    Returns:
        Samples at 16 kHz; 1 for a model that has no such convolutions, and pads what it is given.

    Examples:
        >>> from transformers import Wav2Vec2Config
        >>> fewest_samples(Wav2Vec2Config())
        400
    """
    kernels, strides = getattr(config, "conv_kernel", ()), getattr(config, "conv_stride", ())
    if not isinstance(kernels, list | tuple) or not isinstance(strides, list | tuple):
        return 1
    # SEW joins so many frames to one.
    fewest = int(getattr(config, "squeeze_factor", 1))
    for kernel, stride in reversed([*zip(kernels, strides, strict=False)]):
        fewest = (fewest - 1) * stride + kernel
    return fewest


def too_short(samples: int, fewest: int, model: str) -> AudioError:
    """Say that a clip is too short for a model.

    Args:
        samples: that it has.
        fewest: that the model needs.
        model: what it is called.

    Returns:
        To be raised, or noted.

    Examples:
        >>> print(too_short(480, 950, "speech model"))
        too short: 480 samples at 16 kHz, the speech model needs 950
    """
    return AudioError(f"too short: {samples} samples at 16 kHz, the {model} needs {fewest}")
