"""What precision changes: `python tests/benchmarks/precision.py`.

The demo's clips are scored by the demo's models with each `--precision` that the device can compute
with; shown is how far probabilities are from those in single precision, and how many emotions,
sentiments and transcripts are others.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from emobatch.demo import walkthrough
from emobatch.errors import DeviceError
from emobatch.models.choice import Choice
from emobatch.scoring.score import score
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS

TEXT_COLUMNS = tuple(f"text_{sentiment}" for sentiment in SENTIMENTS)
PRECISIONS = ("fp32", "fp16", "bf16", "int8")


def furthest(one: pl.DataFrame, other: pl.DataFrame, columns: tuple[str, ...]) -> str:
    """Largest and mean difference of probabilities, on rows that both have them for."""
    apart = pl.concat([(one[name] - other[name]).abs() for name in columns]).drop_nulls()
    return f"{apart.max():.1e}, {apart.mean():.1e}"


def changed(one: pl.DataFrame, other: pl.DataFrame, column: str) -> str:
    return str(one[column].ne_missing(other[column]).sum())


@click.command()
@click.option("--clips", default=300, show_default=True)
@click.option("--device", default="auto", show_default=True)
def main(clips: int, device: str) -> None:
    """Print differences from single precision."""
    table = Table("precision", "seconds", "speech: furthest, mean", "text: furthest, mean")
    for name in ("emotions", "sentiments", "transcripts"):
        table.add_column(f"other {name}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = walkthrough.prepare(folder, clips, 0)
        single = None
        for precision in PRECISIONS:
            target = folder / f"{precision}.parquet"
            choice = Choice(models="demo", precision=precision, device=device)
            began = time.perf_counter()
            try:
                score(str(manifest), target, choice)
            except DeviceError as error:
                click.echo(f"{precision}: {error}", err=True)
                continue
            seconds = time.perf_counter() - began
            scores = pl.read_parquet(target)
            single = scores if single is None else single
            table.add_row(
                precision,
                f"{seconds:.1f}",
                furthest(single, scores, FOUR.speech_columns),
                furthest(single, scores, TEXT_COLUMNS),
                changed(single, scores, "speech_emotion"),
                changed(single, scores, "sentiment"),
                changed(single, scores, "transcript"),
            )
    table.title = f"{clips} clips"
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
