"""What the benchmarks share: clips as long as IEMOCAP's, and fair timing."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl
import soxr
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from checkpoints import TEXT
from espeak import RATE, VOICES, speak

MANIFEST = Path(__file__).parents[2] / "manifests" / "iemocap4.csv"
Result = TypeVar("Result")


def spoken_clips(count: int) -> list[np.ndarray]:
    """Clips with durations drawn evenly from IEMOCAP's, 16 kHz."""
    seconds = pl.read_csv(MANIFEST)["duration"].sort()
    drawn = [seconds[int((n + 0.5) * len(seconds) / count)] for n in range(count)]
    order = np.random.default_rng(0).permutation(count)
    said = [
        soxr.resample(speak(text, voice) / np.float32(32768), RATE, 16_000)
        for text, voice in zip(TEXT * 2, VOICES * 2, strict=False)
    ]
    return [np.resize(said[n % len(said)], round(drawn[n] * 16_000)) for n in order]


def compare(
    systems: Mapping[str, Callable[[], Result]], runs: int
) -> tuple[dict[str, float], dict[str, Result]]:
    """Run systems in turn, so that a machine that slows down slows all: median seconds, results."""
    cores = torch.get_num_threads()
    times: dict[str, list[float]] = {name: [] for name in systems}
    results: dict[str, Result] = {}
    for _ in range(runs):
        for name, run in systems.items():
            torch.set_num_threads(cores)
            began = time.perf_counter()
            results[name] = run()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(each) for name, each in times.items()}, results
