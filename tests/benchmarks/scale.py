"""A run of a hundred million rows, without models: `python tests/benchmarks/scale.py --rows 1e8`.

The manifest is read, checked and cut, chunks are saved, joined and made into the table by what
`score` itself uses. Only the scores are made up, by a runner that takes no time for them. Halfway
the run is interrupted, and gone on with. Prints the time, memory and files of each step. Needs
about 0.5 GB of disk for each million rows.
"""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import click
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from emobatch.errors import Interrupted
from emobatch.manifests import manifest
from emobatch.manifests.decoders import Decoders
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring.job import Job
from emobatch.scoring.progress import Silent
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.runners.runner import Runner
from emobatch.scoring.work import Chunk, Work

WORDS = ("what", "a", "wonderful", "surprise", "nobody", "told", "me", "about", "it", "before")
# Rows that are made up once; which of them a chunk is given differs.
MADE_UP = 1 << 16


def made_up(plan: Plan) -> pl.DataFrame:
    """Score columns with as much in them as real ones have."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {}
    for name, kind in plan.schema.items():
        if kind == pl.Float64:
            columns[name] = random.random(MADE_UP)
        elif name in ("transcript", "cleaned_text"):
            picked = random.integers(0, len(WORDS), (MADE_UP, 12))
            columns[name] = [" ".join(WORDS[word] for word in row) for row in picked]
        elif kind == pl.String:
            columns[name] = np.array(["ok", "neutral"])[random.integers(0, 2, MADE_UP)]
    rows = pl.DataFrame(columns, schema=plan.schema)
    return rows.with_columns(status=pl.lit("ok"), error=pl.lit(None, pl.String)).drop("id")


@dataclass
class Stub(Runner):
    """Gives made-up scores at once; stops as by a signal where it is told to."""

    scores: pl.DataFrame
    folder: Path
    stop_after: int
    began: float = 0.0
    ended: float = 0.0
    chunks: int = 0
    most_files: int = 0
    slices: float = 0.0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def run(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        self.began = monotonic()
        for first in firsts:
            before = monotonic()
            rows = work.chunk(first).frame
            self.slices += monotonic() - before
            carried = rows.drop(*(set(work.recipe.plan.columns) - {"id"}), strict=False)
            made_up = self.scores[self.random.integers(0, MADE_UP, len(rows))]
            yield Chunk(first, carried.hstack(made_up))
            self.chunks += 1
            if self.chunks % 512 == 0:
                self.most_files = max(self.most_files, sum(1 for _ in self.folder.iterdir()))
            if self.chunks == self.stop_after:
                raise KeyboardInterrupt("stopped halfway")
        self.ended = monotonic()


def memory() -> float:
    """GB that this process held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def write_manifest(file: Path, rows: int) -> None:
    """Names and durations, in pieces."""
    number = pl.int_range(pl.len())
    names = pl.LazyFrame({"begin": range(0, rows, 1 << 20)}).select(
        number=pl.int_ranges("begin", pl.min_horizontal(pl.col("begin") + (1 << 20), rows))
    )
    table = names.explode("number").select(
        path=pl.format("corpus/part-{}/clip-{}.flac", pl.col("number") // 10_000, "number"),
        speaker=pl.format("speaker-{}", pl.col("number") // 400),
        duration=2.0 + (number * 37 % 500) / 100,
    )
    table.sink_parquet(file)


@click.command()
@click.option("--rows", type=float, default=1e6, show_default=True)
@click.option("--chunk-rows", default=64, show_default=True, help="64 on the CPU, 256 on a GPU.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where there is disk.")
def main(rows: float, chunk_rows: int, folder: Path | None) -> None:
    """Print what each step of a run takes."""
    count, steps = int(rows), Table("step", "seconds", "GB held at most", "files")
    steps.title = f"{count:,} rows, {chunk_rows} to a chunk"
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        os.environ["TMPDIR"] = tempfile.tempdir = name
        # In another process, whose memory isn't counted.
        writer = get_context("spawn").Process(
            target=write_manifest, args=(place / "m.parquet", count)
        )
        writer.start()
        writer.join()
        began = monotonic()
        table = manifest.read(str(place / "m.parquet"))
        click.echo(f"manifest read: {memory():.2f} GB", err=True)
        steps.add_row("manifest read and checked", f"{monotonic() - began:.1f}", f"{memory():.2f}")
        began = monotonic()
        digest = table.digest()
        steps.add_row("its digest", f"{monotonic() - began:.1f}", f"{memory():.2f}")
        choice = Choice(models="demo")
        plan = Plan.of(choice, choice.find_checkpoints())
        device = SimpleNamespace(chunk_rows=chunk_rows, workers=1)
        recipe = Recipe(plan, device, None, place)  # type: ignore[arg-type]
        work = Work(table, recipe, Silent(), Decoders(1))
        target = place / "scores.parquet"
        chunks = -(-count // chunk_rows)
        for half in (1, 2):
            stub = Stub(
                made_up(plan), place / "scores.parquet.parts", chunks // (2 if half == 1 else 1)
            )
            began = monotonic()
            try:
                Job(work, stub).to_table(
                    target, {"manifest": digest}, restart=False, retry_errors=False
                )
            except Interrupted:
                stub.ended = monotonic()
            what = "begun" if half == 1 else "gone on with"
            steps.add_row(
                f"until the run is {what}", f"{stub.began - began:.1f}", f"{memory():.2f}"
            )
            saving = stub.ended - stub.began - stub.slices
            steps.add_row(f"{stub.chunks:,} chunks: rows read", f"{stub.slices:.1f}")
            steps.add_row(f"{stub.chunks:,} chunks: saved and joined", f"{saving:.1f}",
                          f"{memory():.2f}", f"{stub.most_files:,}")  # fmt: skip
        steps.add_row("the table", f"{monotonic() - stub.ended:.1f}", f"{memory():.2f}", "1")
        steps.caption = f"the table has {target.stat().st_size / 1e9:.2f} GB"
        if pl.scan_parquet(target).select(pl.len()).collect().item() != count:
            raise SystemExit("rows are lost")
    Console(width=100).print(steps)


if __name__ == "__main__":
    main()
