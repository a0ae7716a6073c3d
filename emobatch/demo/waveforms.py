"""Clips as waveforms at the rate the checkpoints hear: 16 kHz, mono, float32."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from emobatch.demo.corpus import Row, speak

SAMPLE_RATE: Final = 16_000
"""Samples a second."""

_FULL_SCALE: Final = 32_768.0


def waveforms(rows: Iterable[Row]) -> list[npt.NDArray[np.float32]]:
    """Speak clips and resamples them.

    Returns:
        For each row the samples in [-1, 1], shape (samples,).
    """
    return [
        soxr.resample(samples.astype(np.float32) / _FULL_SCALE, rate, SAMPLE_RATE, quality="HQ")
        for samples, rate in speak(rows)
    ]


def roughened(sound: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Change a clip as recording conditions do: another gain and a faint noise.

    Args:
        sound: Samples in [-1, 1], shape (samples,).
        rng: The source of randomness.

    Returns:
        Samples in [-1, 1], same shape.
    """
    gain = 10.0 ** rng.uniform(-0.4, 0.1)
    hiss = 10.0 ** rng.uniform(-4.5, -2.5) * rng.standard_normal(len(sound))
    rough: npt.NDArray[np.float32] = np.clip(sound * gain + hiss, -1.0, 1.0).astype(np.float32)
    return rough
