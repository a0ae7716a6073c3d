"""Validation by epoch of a model from random weights: `python tests/benchmarks/from_random.py`.

`emobatch train` on clips of the demo's corpus: train has its training speakers and sentences, val
those of the demo, which are others. Labels are what listeners heard. It begins with a wav2vec 2.0
of the toy's shape with random weights, or with `--base demo` with the toy itself, under a new head.
The best epoch is then scored and evaluated by the commands of these names, and what they say is
held against what the training said of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.table import Table

from emobatch.demo.corpus import make_demo_rows, make_training_rows, write_clips
from emobatch.demo.train_speech import new_classifier, new_extractor

# Beside an equal UA: probabilities on the CPU are the same but for their last digits.
LIKE = 1e-5


def make_corpus(folder: Path, train: int, val: int) -> Path:
    """Clips and their manifest."""
    rows = [*make_training_rows(1, train), *make_demo_rows(1, val)]
    paths = [file.name for file in write_clips(rows, folder)]
    manifest = folder / "manifest.csv"
    pl.DataFrame(
        {
            "path": paths,
            "label": [row.heard for row in rows],
            "speaker": [row.speaker for row in rows],
            "split": ["train"] * train + ["val"] * val,
        }
    ).write_csv(manifest)
    return manifest


def save_random(folder: Path, seed: int) -> Path:
    """A base of the toy's shape that has learned nothing."""
    torch.manual_seed(seed)
    new_classifier().save_pretrained(folder)
    new_extractor().save_pretrained(folder)
    return folder


def emobatch(*arguments: object) -> str:
    """Run a command; what it writes to standard output."""
    command = [sys.executable, "-m", "emobatch", *map(str, arguments)]
    # Models this small are slower on several threads, the more so on a busy machine.
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone).stdout


def measured(manifest: Path, checkpoint: Path) -> dict[str, float]:
    """What `score` and `evaluate` say of the rows that validate."""
    scores = checkpoint.with_suffix(".parquet")
    emobatch("score", manifest, "--speech-model", checkpoint, "--text", "none", "-o", scores,
             "--device", "cpu")  # fmt: skip
    said = emobatch("evaluate", scores, "--json", "--bootstrap", 0, "--where", "split = 'val'")
    rows = pl.read_parquet(scores).filter(pl.col("split") == "val")
    right = [row[f"speech_{row['label']}"] for row in rows.iter_rows(named=True)]
    return {"val_loss": float(-np.log(right).mean()), **json.loads(said)["before"]}


@click.command()
@click.option("--base", type=click.Choice(["random", "demo"]), default="random", show_default=True)
@click.option("--train", default=600, show_default=True, help="Clips to train on.")
@click.option("--val", default=160, show_default=True, help="Clips that validate.")
@click.option("--epochs", default=6, show_default=True)
@click.option("--learning-rate", default=1.5e-3, show_default=True)
@click.option("--batch-seconds", default=24.0, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(
    base: str,
    train: int,
    val: int,
    epochs: int,
    learning_rate: float,
    batch_seconds: float,
    seed: int,
) -> None:
    """Print figures by epoch, and how far `score` and `evaluate` are from them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make_corpus(folder, train, val)
        begin = "demo" if base == "demo" else save_random(folder / "base", seed)
        out = folder / "trained"
        began = time.monotonic()
        emobatch("train", "speech", manifest, "--base", begin, "-o", out, "--device", "cpu",
                 "--epochs", epochs, "--learning-rate", learning_rate, "--freeze", "none",
                 "--batch-seconds", batch_seconds, "--seed", seed,
                 "--cache", folder / "cache")  # fmt: skip
        seconds = time.monotonic() - began
        record = json.loads((out / "emobatch_training.json").read_text(encoding="utf-8"))
        found = measured(manifest, out)
    best = record["best_epoch"]
    table = Table("epoch", "loss", "val_loss", "UA", "WA", "F1", "s")
    for each in record["epochs"]:
        figures = [f"{each[name]:.2f}" for name in ("UA", "WA", "F1")]
        mark = "best" if each["epoch"] == best else ""
        table.add_row(f"{each['epoch']} {mark}", f"{each['loss']:.4f}", f"{each['val_loss']:.4f}",
                      *figures, f"{each['seconds']:.1f}")  # fmt: skip
    console = Console()
    console.print(table)
    kept = record["epochs"][best - 1]
    apart = {name: abs(value - kept[name]) for name, value in found.items()}
    console.print(f"{seconds:.0f} s; `score` and `evaluate` of the best epoch, from its figures:")
    console.print(", ".join(f"{name} {value:.1e}" for name, value in apart.items()))
    uas = [each["UA"] for each in record["epochs"]]
    if max(apart.values()) > LIKE or kept["UA"] < max(uas) or max(uas) <= uas[0]:
        raise SystemExit("apart, not the best, or nothing was learned")


if __name__ == "__main__":
    main()
