"""The speech branch against transformers' pipeline: `python tests/benchmarks/speech.py`.

A wav2vec2-base with random weights scores clips spoken by espeak-ng that last as long as clips of
IEMOCAP. Rivals: R1, the pipeline one clip at a time; R2, the pipeline with `batch_size=8`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import torch
from architectures import LABELS, save_wav2vec2_base
from clips import compare, spoken_clips
from rich.console import Console
from rich.table import Table
from transformers import pipeline

from emobatch.models import devices
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.outputs import Outputs
from emobatch.models.speech_classifier import SpeechClassifier
from emobatch.scoring import batches

ORDER = [LABELS.index(name) for name in ("ang", "hap", "neu", "sad")]
System = Callable[[], np.ndarray]


def rival(folder: Path, clips: list[np.ndarray], batch_size: int) -> System:
    """transformers' own pipeline, with all cores to each batch."""
    classify = pipeline("audio-classification", str(folder), top_k=None, device="cpu")

    def run() -> np.ndarray:
        inputs = [{"raw": clip, "sampling_rate": 16_000} for clip in clips]
        found = classify(inputs, batch_size=batch_size)
        by_name = [{each["label"]: each["score"] for each in clip} for clip in found]
        return np.array([[shares[name] for name in LABELS] for shares in by_name])[:, ORDER]

    return run


def ours(folder: Path, clips: list[np.ndarray]) -> System:
    device = devices.choose("cpu")
    outputs = Outputs([ORDER.index(place) for place in range(len(LABELS))], len(ORDER))
    model = SpeechClassifier(Checkpoint("base", folder, None, "--speech-model"), device, outputs)

    def run() -> np.ndarray:
        torch.set_num_threads(1)
        return np.array(
            batches.run(
                model.scores, clips, lambda clip: len(clip) / 16_000, device.batch_seconds,
                ThreadPoolExecutor(device.workers),
            )
        )  # fmt: skip

    return run


@click.command()
@click.option("--clips", default=60, show_default=True)
@click.option("--runs", default=3, show_default=True, help="Of which the medians are shown.")
def main(clips: int, runs: int) -> None:
    """Print clips per second and how far scores are from those of each clip alone."""
    sounds = spoken_clips(clips)
    with tempfile.TemporaryDirectory() as name:
        folder = save_wav2vec2_base(Path(name) / "base")
        systems = {
            "R1: transformers, one at a time": rival(folder, sounds, 1),
            "R2: transformers, batch_size=8": rival(folder, sounds, 8),
            "emobatch": ours(folder, sounds),
        }
        seconds, scores = compare(systems, runs)
    alone = scores["R1: transformers, one at a time"]
    table = Table("system", "clips per second", "against R2", "furthest from alone")
    table.title = f"{clips} clips, {sum(map(len, sounds)) / 16_000:.0f} s of speech"
    for name, median in seconds.items():
        distance = np.abs(scores[name] - alone).max()
        against = seconds["R2: transformers, batch_size=8"] / median
        table.add_row(name, f"{clips / median:.2f}", f"{against:.2f} x", f"{distance:.1e}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
