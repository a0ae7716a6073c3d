"""`score --engine ray` against plain `score`, and what one command bears.

`python tests/benchmarks/on_ray.py` takes a few minutes.

First the demo's models score a manifest plainly and on a Ray cluster of this machine, with as many
workers as cores. Then workers that score nothing show how many rows a second one command can hand
out, take back and save: by frames that come back to it, as is done, and by files that the workers
write themselves, so that only counts come back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import polars as pl
import ray
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "endurance"))

from kills import make_manifest

from emobatch.scoring.stretches import Stretches

CHUNK = 64
SCORES = Path(__file__).parents[1] / "data" / "demo_scores.parquet"


class Idle:
    """Gives scores that it has; writes them where it is told to."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    def score(self, given: pl.DataFrame) -> pl.DataFrame:
        return self.rows

    def write(self, given: pl.DataFrame, first: int, folder: str) -> int:
        file = Path(folder) / f"{first:012d}-{first + CHUNK:012d}.parquet"
        with file.open("wb") as handle:
            self.rows.write_parquet(handle)
            os.fsync(handle.fileno())
        return len(self.rows)


def rate(workers: list[object], chunks: int, submit: Callable, take: Callable) -> float:
    """Rows a second, two chunks in each worker's hands at a time."""
    began, waiting = time.monotonic(), {}
    todo = iter(range(chunks))
    for worker in [*workers, *workers]:
        number = next(todo)
        waiting[submit(worker, number)] = worker, number
    while waiting:
        (ref,), _ = ray.wait(list(waiting), num_returns=1)
        worker, number = waiting.pop(ref)
        take(number, ray.get(ref))
        if (number := next(todo, None)) is not None:
            waiting[submit(worker, number)] = worker, number
    return chunks * CHUNK / (time.monotonic() - began)


def whole(manifest: Path, target: Path, *engine: str) -> float:
    command = [sys.executable, "-m", "emobatch", "-q", "score", str(manifest), "-o", str(target)]
    began = time.monotonic()
    subprocess.run([*command, "--models=demo", "--max-error-rate=1", *engine], check=True)
    return time.monotonic() - began


@click.command()
@click.option("--rows", default=2_000, show_default=True)
@click.option("--chunks", default=1_000, show_default=True)
def main(rows: int, chunks: int) -> None:
    """Print seconds, and rows a second."""
    shown = Table("what", "seconds", "rows a second")
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if rows:
            manifest = make_manifest(folder, rows)
            for what, engine in {
                "plain score": [],
                f"Ray, {cores} workers": ["--engine=ray", f"--workers={cores}"],
            }.items():
                seconds = whole(manifest, folder / f"{len(what)}.parquet", *engine)
                shown.add_row(what, f"{seconds:.1f}", f"{rows / seconds:.0f}")
        ray.init("local", num_cpus=cores, log_to_driver=False, logging_level="error")
        scores = pl.read_parquet(SCORES).head(CHUNK)
        given = scores.select("id")
        kind = ray.remote(Idle).options(num_cpus=1, max_concurrency=2)
        workers = [kind.remote(scores) for _ in range(cores)]
        ray.get([worker.score.remote(given) for worker in workers])
        saved, elsewhere = folder / "parts", folder / "elsewhere"
        saved.mkdir()
        elsewhere.mkdir()
        held = Stretches(saved)
        ways = {
            "frames come back and are saved": (
                lambda worker, number: worker.score.remote(given),
                lambda number, frame: held.add(number * CHUNK, frame),
            ),
            "frames come back": (
                lambda worker, number: worker.score.remote(given),
                lambda number, frame: None,
            ),
            "workers write, counts come back": (
                lambda worker, number: worker.write.remote(given, number * CHUNK, str(elsewhere)),
                lambda number, count: None,
            ),
        }
        for what, (submit, take) in ways.items():
            fast = rate(workers, chunks, submit, take)
            shown.add_row(what, f"{chunks * CHUNK / fast:.1f}", f"{fast:.0f}")
        ray.shutdown()
    Console(width=100).print(shown)


if __name__ == "__main__":
    main()
