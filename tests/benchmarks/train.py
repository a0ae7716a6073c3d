"""Seconds to an epoch, beside transformers' usual recipe: `python tests/benchmarks/train.py`.

Both fine-tune one base on the demo's corpus, the same clips, with as many clips to a step on
average. The recipe is that of transformers' examples: clips decoded to arrays before, batches of a
fixed number of clips in random order, padded by the feature extractor, and Trainer. Ours decodes
them in each epoch, unless there is a cache, and the convolutions see no padding. Times are of
epochs without validation, and without the decoding before the first. With `--shape`, the base has
random weights and the size of a published one.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import polars as pl
import torch
from rich.console import Console
from rich.table import Table
from transformers import (
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

sys.path.insert(0, str(Path(__file__).parents[1]))

from emobatch.demo.corpus import make_demo_rows, write_clips
from emobatch.manifests.audio import read_windows
from emobatch.models.checkpoints import DEMO_FOLDER
from emobatch.tasks.four import FOUR
from emobatch.training.given import Rows
from emobatch.training.options import Options
from emobatch.training.train import train

LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": False,
}
SHAPES = {
    "wav2vec2-base": (Wav2Vec2Model, Wav2Vec2Config, {}),
    "wavlm-large": (WavLMModel, WavLMConfig, LARGE),
}


class Clock(TrainerCallback):
    """Notes when each epoch began and ended."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began = 0.0

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append(time.monotonic() - self._began)


def make_corpus(folder: Path, clips: int) -> pl.DataFrame:
    """Clips of the demo; every tenth validates."""
    rows = make_demo_rows(0, clips)
    files = write_clips(rows, folder)
    table = pl.DataFrame(
        {
            "path": [file.name for file in files],
            "label": [row.heard for row in rows],
            "split": ["val" if n % 10 == 9 else "train" for n in range(clips)],
        }
    )
    table.write_csv(folder / "manifest.csv")
    return table


def base_of(shape: str | None, folder: Path) -> Path:
    """The demo's toy, or random weights of a published size."""
    if shape is None:
        return DEMO_FOLDER / "speech"
    model, config, settings = SHAPES[shape]
    model(config(**settings)).save_pretrained(folder)
    masked = settings.get("feat_extract_norm") == "layer"
    Wav2Vec2FeatureExtractor(return_attention_mask=masked).save_pretrained(folder)
    return folder


def usual(folder: Path, table: pl.DataFrame, base: Path, epochs: int, clips: int) -> list[float]:
    """Transformers' recipe: seconds of each epoch."""
    extractor = AutoFeatureExtractor.from_pretrained(base)
    model = AutoModelForAudioClassification.from_pretrained(
        base, num_labels=4, ignore_mismatched_sizes=True
    )
    model.freeze_feature_encoder()
    train_rows = table.filter(pl.col("split") == "train")
    data = [
        (np.concatenate(list(read_windows(folder / path))), FOUR.classes.index(label))
        for path, label in train_rows.select("path", "label").rows()
    ]

    def collate(batch: list[tuple[np.ndarray, int]]) -> dict[str, torch.Tensor]:
        samples, labels = zip(*batch, strict=True)
        made = extractor(list(samples), sampling_rate=16_000, padding=True, return_tensors="pt")
        return {**made, "labels": torch.tensor(labels)}

    clock = Clock()
    arguments = TrainingArguments(
        output_dir=str(folder / "usual"),
        num_train_epochs=epochs,
        learning_rate=1e-5,
        per_device_train_batch_size=clips,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        bf16=torch.cuda.is_available(),
    )
    Trainer(
        model=model, args=arguments, train_dataset=data, data_collator=collate, callbacks=[clock]
    ).train()
    return clock.seconds


def ours(folder: Path, base: Path, epochs: int, seconds: float, cache: Path | None) -> list[float]:
    """`emobatch train`: seconds of each epoch, with its validation."""
    from emobatch.training.course import Course

    clock = Clock()
    begin, end = Course.on_epoch_begin, Course.on_epoch_end

    def begun(self: Course, *given: Any, **others: Any) -> None:
        clock.on_epoch_begin()
        begin(self, *given, **others)

    def ended(self: Course, *given: Any, **others: Any) -> None:
        clock.on_epoch_end()
        end(self, *given, **others)

    Course.on_epoch_begin, Course.on_epoch_end = begun, ended  # type: ignore[method-assign]
    try:
        options = Options("speech", str(base), epochs=epochs, batch=seconds, freeze="convolutions")
        rows = Rows(str(folder / "manifest.csv"), cache=cache)
        train(rows, folder / "ours", options, restart=True)
    finally:
        Course.on_epoch_begin, Course.on_epoch_end = begin, end  # type: ignore[method-assign]
    return clock.seconds


@click.command()
@click.option("--clips", default=400, show_default=True)
@click.option("--epochs", default=3, show_default=True)
@click.option("--batch", default=16, show_default=True, help="Clips to a step.")
@click.option("--shape", type=click.Choice([*SHAPES]), help="Of the base; without, the demo's.")
def main(clips: int, epochs: int, batch: int, shape: str | None) -> None:
    """Print seconds to an epoch and seconds of speech trained on per second."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = make_corpus(folder, clips)
        base = base_of(shape, folder / "base")
        paths = table.filter(pl.col("split") == "train")["path"]
        lengths = [sum(map(len, read_windows(folder / path))) / 16_000 for path in paths]
        heard = sum(lengths)
        seconds = batch * heard / len(lengths)
        runs = {
            "transformers' Trainer, padded batches": usual(folder, table, base, epochs, batch),
            "emobatch train": ours(folder, base, epochs, seconds, None),
            "emobatch train --cache": ours(folder, base, epochs, seconds, folder / "cache"),
        }
    out = Table("", "s to an epoch", "fastest", "speech, s per s")
    for what, found in runs.items():
        mean, best = float(np.mean(found)), min(found)
        out.add_row(what, f"{mean:.1f}", f"{best:.1f}", f"{heard / best:.1f}")
    console = Console()
    console.print(out)
    console.print(f"{len(lengths)} clips of {np.mean(lengths):.2f} s, {heard:.0f} s in all")
    if torch.cuda.is_available():
        console.print(f"{torch.cuda.max_memory_allocated() / (1 << 30):.1f} GiB of GPU memory")


if __name__ == "__main__":
    main()
