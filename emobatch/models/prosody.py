"""How something is said: pitch and level of short frames, and what they come to over a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emobatch.errors import OptionError
from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples

Floats = NDArray[np.float64]
# A frame each 10 ms; its level is that of 25 ms.
HOP, WIDTH = SAMPLE_RATE // 100, SAMPLE_RATE // 40
# Pitch of speech, in Hz: lower than a bass and higher than a child.
LOWEST, HIGHEST = 60.0, 600.0
# Level of digital silence, in dBFS.
SILENCE = -100.0
# A frame so many dB below the clip's loud frames is a pause.
PAUSE = 30.0
# Voiced frames of which a pitch is told.
FEWEST = 3


@dataclass(frozen=True)
class Frames:
    """Frames of a window of a clip, one each 10 ms.

    Attributes:
        pitch: (frames,) in Hz, 0 where unvoiced.
        level: (frames,) in dBFS, that of a full-scale sine is -3.01.
        energy: sum of the squared samples, full scale being 1.
        samples: how many there are.
    """

    pitch: Floats
    level: Floats
    energy: float
    samples: int


def load() -> None:
    """See that the library is there that finds pitches.

    Raises:
        OptionError: names the extra that it comes with.
    """
    try:
        import pyworld  # noqa: F401
    except ModuleNotFoundError as error:
        raise OptionError("--prosody needs pyworld; pip install 'emobatch[prosody]'") from error


def measure(samples: Samples) -> Frames:
    """Measure pitch and level.

    Pitch is found by DIO and refined by StoneMask (Morise, Yokomori and Ozawa 2016, WORLD).

    Args:
        samples: (samples,) float32, 16 kHz, mono, full scale 1.

    Returns:
        Frames each 10 ms.

    Examples:
        >>> time = np.arange(16000) / 16000
        >>> frames = measure(np.float32(0.5 * np.sin(2 * np.pi * 200 * time)))
        >>> float(np.median(frames.pitch).round(1)), float(np.median(frames.level).round(2))
        (200.0, -9.03)
    """
    import pyworld

    signal = np.ascontiguousarray(samples, np.float64)
    given = np.pad(signal, (0, max(0, WIDTH - len(signal))))
    pitch, times = pyworld.dio(
        given, SAMPLE_RATE, f0_floor=LOWEST, f0_ceil=HIGHEST, frame_period=1000 * HOP / SAMPLE_RATE
    )
    pitch = pyworld.stonemask(given, pitch, times, SAMPLE_RATE)
    return Frames(np.asarray(pitch), _levels(given), float(signal @ signal), len(signal))


def _levels(signal: Floats) -> Floats:
    # Of 25 ms each 10 ms: (frames,) in dBFS.
    sums = np.concatenate([[0.0], np.cumsum(signal * signal)])
    starts = np.arange(0, len(signal) - WIDTH + 1, HOP)
    power = (sums[starts + WIDTH] - sums[starts]) / WIDTH
    return _decibels(power)


def _decibels(power: Floats) -> Floats:
    least = 10 ** (SILENCE / 10)
    return np.asarray(10 * np.log10(np.maximum(power, least)))


def figures(windows: Sequence[Frames]) -> dict[str, float | None]:
    """Say what frames come to over a clip.

    Args:
        windows: of the clip, in order, at least one.

    Returns:
        ``pitch_median`` (Hz), ``pitch_range`` (semitones between the 5th and the 95th percentile),
        both None where fewer than three frames are voiced; ``loudness`` (dBFS of the whole clip),
        ``loudness_range`` (dB between the 10th and the 95th percentile of frames that are no
        pauses), ``voiced`` and ``pause_share`` (shares of frames).

    Examples:
        >>> time = np.arange(16000) / 16000
        >>> frames = measure(np.float32(0.5 * np.sin(2 * np.pi * 200 * time)))
        >>> found = figures([frames])
        >>> round(found["pitch_median"]), round(found["loudness"], 2), found["pause_share"]
        (200, -9.03, 0.0)
    """
    pitch = np.concatenate([window.pitch for window in windows])
    level = np.concatenate([window.level for window in windows])
    power = sum(window.energy for window in windows) / sum(window.samples for window in windows)
    voiced = pitch[pitch > 0]
    loud = np.percentile(level, 95)
    pause = (level < loud - PAUSE) | (level <= SILENCE)
    found: dict[str, float | None] = {
        "pitch_median": None,
        "pitch_range": None,
        "loudness": float(_decibels(np.array(power))),
        "loudness_range": None,
        "voiced": len(voiced) / len(pitch),
        "pause_share": float(pause.mean()),
    }
    if len(voiced) >= FEWEST:
        low, middle, high = np.percentile(voiced, [5, 50, 95])
        found |= {"pitch_median": float(middle), "pitch_range": float(12 * np.log2(high / low))}
    if not pause.all():
        found["loudness_range"] = float(loud - np.percentile(level[~pause], 10))
    return found
