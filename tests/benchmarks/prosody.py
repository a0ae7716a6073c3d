"""What `score --prosody` costs, and how far its pitch is off, beside librosa's pyin.

The paper used pyin. Where librosa isn't installed, its line is left out.

    python tests/benchmarks/prosody.py [--seconds N]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2])]

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.models.prosody import HIGHEST, HOP, LOWEST, measure

Floats = NDArray[np.float64]


def voice(seconds: int) -> tuple[NDArray[np.float32], Floats]:
    """Harmonics of a pitch that glides between 90 and 250 Hz, and noise 30 dB below."""
    time_ = np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE
    pitch = 170 + 80 * np.sin(2 * np.pi * time_ / 3)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    sound = sum(np.sin(number * phase) / number for number in range(1, 11))
    noise = np.random.default_rng(0).normal(0, 0.01, len(time_))
    return (0.2 * sound + noise).astype(np.float32), pitch[::HOP]


def ours(sound: NDArray[np.float32]) -> Floats:
    return measure(sound).pitch


def pyin(sound: NDArray[np.float32]) -> Floats:
    import librosa

    pitch, _, _ = librosa.pyin(
        sound, fmin=LOWEST, fmax=HIGHEST, sr=SAMPLE_RATE, hop_length=HOP, frame_length=1024
    )
    return np.nan_to_num(pitch)


@click.command()
@click.option("--seconds", default=60, show_default=True, help="Of audio.")
def main(seconds: int) -> None:
    """Print milliseconds of CPU per second of audio, and errors of the pitch."""
    sound, truth = voice(seconds)
    table = Table("", "ms of CPU per second", "voiced, %", "median error, %", "95th percentile, %")
    rivals: dict[str, Callable[[NDArray[np.float32]], Floats]] = {"score --prosody": ours}
    if find_spec("librosa"):
        rivals["librosa.pyin"] = pyin
    for name, find in rivals.items():
        find(sound[:SAMPLE_RATE])  # what is compiled is compiled once
        began = time.process_time()
        pitch = find(sound)
        spent = 1000 * (time.process_time() - began) / seconds
        pairs = zip(pitch, truth, strict=False)
        found = np.array([(heard, there) for heard, there in pairs if heard > 0])
        errors = 100 * np.abs(found[:, 0] / found[:, 1] - 1)
        share = 100 * float((pitch > 0).mean())
        middle, high = np.percentile(errors, [50, 95])
        table.add_row(name, f"{spent:.1f}", f"{share:.1f}", f"{middle:.2f}", f"{high:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
