"""Eight hand-crafted features: pitch, harmonics, energy, pause and central moments.

Those of Sahu, *Multimodal Speech Emotion Recognition and Ambiguity Resolution* (2019), which
Alqurashi, Li and Sidorov (2024) use as well. Written anew from what the paper says; harmonics and
frames are librosa's. Sahu's recordings were read at 44.1 kHz, here all are at 16 kHz: values
differ from the paper's by that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from emobatch.features.feature_set import FeatureSet
from emobatch.features.mfcc import LIBROSA
from emobatch.manifests.blocks import Samples

Floats = NDArray[np.float64]
# Shares of means, and the scales that the paper gives small numbers.
CLIPPED, PAUSED, SCALED = 0.45, 0.4, 1000.0
WINDOW, HOP = 2048, 512


class Handcrafted(FeatureSet):
    """The eight features."""

    name = "handcrafted"
    title = "8 features of Sahu (2019)"
    library = "librosa"
    remedy = LIBROSA

    def load(self) -> None:
        """Import librosa."""
        import librosa

        self._harmonic: Callable[..., Samples] = librosa.effects.harmonic

    @property
    def features(self) -> Sequence[str]:
        """Names, in the order of :meth:`values`."""
        return (
            *("mean", "deviation", "energy_mean", "energy_deviation"),
            *("pause", "harmonics", "pitch_max", "pitch_deviation"),
        )

    def values(self, samples: Samples) -> Sequence[float]:
        """Compute the features of a clip."""
        signal = samples.astype(np.float64)
        energies = energy(signal)
        pitch = autocorrelation(centre_clipped(signal))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of clips shorter than a window
            harmonics = SCALED * float(self._harmonic(samples).mean(dtype=np.float64))
        return (
            *(float(np.abs(signal).mean()), float(signal.std())),
            *(float(energies.mean()), float(energies.std())),
            *(pause(energies), harmonics),
            *(SCALED * float(pitch.max()) / len(pitch), float(pitch.std())),
        )


def energy(signal: Floats) -> Floats:
    """Root mean square of windows of 2048 samples, 512 apart and centred, zeros beyond the ends.

    Args:
        signal: (samples,).

    Returns:
        (1 + samples // 512,).

    Examples:
        >>> energy(np.ones(4096)).round(2).tolist()
        [0.71, 0.87, 1.0, 1.0, 1.0, 1.0, 1.0, 0.87, 0.71]
    """
    padded = np.pad(signal, WINDOW // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    return np.asarray(np.sqrt((windows**2).mean(axis=1)))


def pause(energies: Floats) -> float:
    """Share of windows whose energy is at most 0.4 of the mean.

    Args:
        energies: (windows,).

    Returns:
        0 to 1.

    Examples:
        >>> pause(np.array([0.1, 1.0, 1.0, 1.9]))
        0.25
    """
    return float((energies <= PAUSED * energies.mean()).mean())


def centre_clipped(signal: Floats) -> Floats:
    """Take 0.45 of the mean size away from all samples, and leave 0 where nothing is left.

    Args:
        signal: (samples,).

    Returns:
        (samples,).

    Examples:
        >>> centre_clipped(np.array([1.0, -1.0, 0.1, -1.9])).round(2).tolist()
        [0.55, -0.55, 0.0, -1.45]
    """
    level = CLIPPED * np.abs(signal).mean()
    return np.asarray(np.sign(signal) * np.maximum(np.abs(signal) - level, 0.0))


def autocorrelation(signal: Floats) -> Floats:
    """How much a signal is like itself later on.

    Args:
        signal: (samples,).

    Returns:
        (samples,) sums of products, by how many samples later; the first is its energy.

    Examples:
        >>> autocorrelation(np.array([1.0, 2.0, 3.0])).round(6).tolist()
        [14.0, 8.0, 3.0]
    """
    from scipy.fft import next_fast_len

    size = next_fast_len(2 * len(signal) - 1, real=True)
    spectrum = np.fft.rfft(signal, size)
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, size)[: len(signal)])
