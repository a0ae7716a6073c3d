"""`calibrate` and `apply` on long tables, and help: `python tests/benchmarks/tables.py`.

Each command runs as a process of its own; shown are its time, start-up included, and the most
memory that it held. The rows are random. Rivals: `calibrate` against one pass over the rows for
each pair of thresholds, on the first rows of the same table; `apply` against Algorithm 1 row by row
in Python; help against `import click` alone.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from statistics import median

import click
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from emobatch.fusion.file import read
from emobatch.fusion.selection.detection import grids
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS

RIVAL_ROWS = 20_000
PAIRS_TRIED = 400


def make(folder: Path, rows: int) -> None:
    """In a process of its own, whose memory is not counted as that of the commands."""
    scores = random_scores(rows)
    for part in (40, 20, 10, 1):
        scores.head(rows // part).write_parquet(folder / f"{rows // part}.parquet")


def random_scores(rows: int) -> pl.DataFrame:
    random = np.random.default_rng(0)
    shares = random.dirichlet([1.0] * len(FOUR.classes), rows)
    guess = shares.argmax(axis=1)
    label = np.where(random.random(rows) < 0.7, guess, random.integers(0, 4, rows))
    return pl.DataFrame(
        {
            "id": pl.select(pl.format("clip{}", pl.int_range(rows))).to_series(),
            "label": np.array(FOUR.classes)[label],
            **dict(zip(FOUR.speech_columns, shares.T, strict=True)),
            "sentiment": np.array(SENTIMENTS)[random.integers(0, 3, rows)],
            "sentiment_score": random.uniform(0.34, 1, rows),
        }
    )


def run(*arguments: object) -> tuple[float, float]:
    """Seconds and MiB of a command."""
    began = time.perf_counter()
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, *map(str, arguments)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)],
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{arguments} failed")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def pair_by_pair(scores: pl.DataFrame) -> float:
    """Seconds for all pairs of thresholds of one class, counted pair by pair."""
    rows = with_uncertainty(scores.lazy(), FOUR).filter(speech_emotion="angry").collect()
    wrong = (rows["label"] != "angry").to_numpy()
    entropy, varentropy = rows["entropy"].to_numpy(), rows["varentropy"].to_numpy()
    pairs = list(product(*grids(entropy[wrong], varentropy[wrong])))
    began = time.perf_counter()
    for tau_e, tau_v in pairs[:PAIRS_TRIED]:
        flagged = (entropy >= tau_e) & (varentropy <= tau_v)
        (flagged & wrong).sum() / max(1, flagged.sum())
    return (time.perf_counter() - began) * len(pairs) / PAIRS_TRIED * len(FOUR.classes)


def row_by_row(scores: pl.DataFrame, file: Path) -> float:
    """Seconds for Algorithm 1 in Python."""
    limits = read(file).method.rules.limits
    began = time.perf_counter()
    for row in scores.iter_rows(named=True):
        shares = {name: row[f"speech_{name}"] for name in FOUR.classes}
        emotion = max(shares, key=shares.__getitem__)
        surprisal = {name: -np.log(share) for name, share in shares.items()}
        entropy = sum(shares[name] * surprisal[name] for name in FOUR.classes)
        varentropy = sum(shares[name] * (surprisal[name] - entropy) ** 2 for name in FOUR.classes)
        pair = limits[emotion]
        if entropy >= pair.entropy and varentropy <= pair.varentropy:
            emotion = {"neutral": "neutral", "positive": "happy"}.get(row["sentiment"], "angry")
    return time.perf_counter() - began


@click.command()
@click.option("--runs", default=3, show_default=True, help="Of which the medians are shown.")
@click.option("--rows", default=10_000_000, show_default=True, help="Of the longest table.")
@click.option("--make", "folder_to_fill", hidden=True)
def main(runs: int, rows: int, folder_to_fill: str | None) -> None:
    """Print seconds, rows per second and memory."""
    if folder_to_fill is not None:
        make(Path(folder_to_fill), rows)
        return
    table = Table("command", "rows", "seconds", "rows per second", "peak MiB")

    def show(name: str, count: int, seconds: float, memory: float | None = None) -> None:
        speed = f"{count / seconds:,.0f}" if count else "-"
        shown = "-" if memory is None else f"{memory:.0f}"
        table.add_row(name, f"{count:,}" if count else "-", f"{seconds:.2f}", speed, shown)

    def measure(name: str, count: int, *arguments: object) -> None:
        seconds, memory = zip(*(run(*arguments) for _ in range(runs)), strict=True)
        show(name, count, median(seconds), max(memory))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(__file__, "--make", folder, "--rows", rows)
        fitted = folder / "thresholds.toml"
        few = pl.scan_parquet(folder / f"{rows // 40}.parquet").head(RIVAL_ROWS).collect()
        emobatch = ("-m", "emobatch")
        for count in (rows // 40, rows // 20, rows // 10):
            source = folder / f"{count}.parquet"
            measure("calibrate", count, *emobatch, "calibrate", source, "-o", fitted)
        show("pair by pair", RIVAL_ROWS, pair_by_pair(few))
        final = folder / "final.parquet"
        source = folder / f"{rows}.parquet"
        measure("apply", rows, *emobatch, "apply", source, "-t", fitted, "-o", final)
        show("row by row", RIVAL_ROWS, row_by_row(few, fitted))
        measure("--help", 0, *emobatch, "--help")
        measure("import click", 0, "-c", "import click")
    Console(width=90).print(table)


if __name__ == "__main__":
    main()
