"""What `score` holds beyond its models: `python tests/benchmarks/memory.py`.

Manifests of 1,000 and of 100,000 rows, each scored by a process of its own: small models with
random weights, clips of a tenth of a second, transcripts given, so that rows are many and cheap.
Shown is the most memory that the process held less what it held once its models were loaded.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import polars as pl
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

STATUS = Path("/proc/self/status")


def held(what: str) -> float:
    """MiB of this process: VmRSS is what it holds, VmHWM the most that it held."""
    return int(re.search(rf"{what}:\s+(\d+)", STATUS.read_text())[1]) / 1024


def score(folder: Path, rows: int) -> None:
    """In the process that is measured: print MiB beyond the models, and seconds."""
    from emobatch.models.choice import Choice
    from emobatch.models.names import BRANCHES
    from emobatch.scorers import loaded
    from emobatch.scoring.score import score as run

    choice = Choice(
        **{f"{branch}_model": str(folder / branch) for branch in BRANCHES}, device="cpu"
    )
    load = loaded.load
    before = []

    def load_and_look(*arguments: object) -> loaded.Loaded:
        models = load(*arguments)
        before.append(held("VmRSS"))
        return models

    loaded.load = load_and_look
    began = time.perf_counter()
    run(str(folder / f"{rows}.csv"), folder / f"{rows}.parquet", choice)
    click.echo(f"{held('VmHWM') - before[0]:.1f} {time.perf_counter() - began:.1f}")


def make(folder: Path, counts: tuple[int, ...]) -> None:
    from checkpoints import save_sentiment, save_speech, save_whisper
    from sounds import save, tone

    save_speech(folder / "speech")
    save_whisper(folder / "asr")
    save_sentiment(folder / "text")
    for number in range(10):
        save(folder / f"{number}.wav", tone(0.1, hertz=200 + 50 * number))
    for count in counts:
        row = pl.int_range(count)
        said = pl.when(row % 2 == 0).then(pl.lit("fine")).otherwise(pl.lit("not at all"))
        pl.select(
            path=pl.format("{}.wav", row % 10),
            id=pl.format("corpus/session{}/dialogue{}/utterance{}", row % 5, row % 97, row),
            speaker=pl.format("speaker{}", row % 10),
            transcript=said,
        ).write_csv(folder / f"{count}.csv")


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="Of the longer manifest.")
@click.option("--child", nargs=2, hidden=True)
def main(rows: int, child: tuple[str, str] | None) -> None:
    """Print peak memory beyond the models for a short and a long manifest."""
    if child is not None:
        return score(Path(child[0]), int(child[1]))
    table = Table("rows", "MiB beyond the models", "against the first", "seconds")
    counts = (1_000, rows)
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), counts)
        first = None
        for count in counts:
            command = [sys.executable, __file__, "--child", name, str(count)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            beyond, seconds = map(float, said.split())
            first = first or beyond
            table.add_row(
                f"{count:,}", f"{beyond:.0f}", f"{beyond / first:.2f} x", f"{seconds:.0f}"
            )
    Console(width=90).print(table)
    return None


if __name__ == "__main__":
    main()
