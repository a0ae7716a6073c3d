"""Methods of fusion on long tables: `python tests/benchmarks/fusion.py`.

Shown are the seconds to fit each method, those to decide the same rows, and rows per second, with
the processor time of both beside them, which other processes disturb less. The rows are random, of
2,000 speakers in 100,000 dialogues.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import click
import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from emobatch.fusion.methods import METHODS
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS

ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("selection", {}),
    ("average", {}),
    ("max", {}),
    ("hierarchy", {}),
    ("logistic", {"centre": "none"}),
    ("logistic", {}),
    ("logistic", {"context": "dialogue"}),
    ("adapt", {}),
    ("adapt", {"context": "dialogue"}),
)


def random_scores(rows: int) -> pl.DataFrame:
    random = np.random.default_rng(0)
    shares = random.dirichlet([0.5] * len(FOUR.classes), rows)
    guess = shares.argmax(axis=1)
    label = np.where(random.random(rows) < 0.7, guess, random.integers(0, 4, rows))
    speaker = random.integers(0, 2000, rows)
    scores = pl.DataFrame(
        {
            "id": pl.select(pl.format("clip{}", pl.int_range(rows))).to_series(),
            "speaker": pl.Series(speaker).cast(pl.String),
            "dialogue": pl.Series(50 * speaker + random.integers(0, 50, rows)).cast(pl.String),
            "turn": np.arange(rows),
            "split": np.array(["train", "val"])[random.integers(0, 2, rows)],
            "label": np.array(FOUR.classes)[label],
            **dict(zip(FOUR.speech_columns, shares.T, strict=True)),
            "sentiment": np.array(SENTIMENTS)[random.integers(0, 3, rows)],
            "sentiment_score": random.uniform(0.34, 1, rows),
        }
    )
    return with_uncertainty(scores.lazy(), FOUR).collect()


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What came of it, seconds, and seconds of the processor."""
    began, before = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - began, time.process_time() - before


@click.command()
@click.option("--rows", default=1_000_000, show_default=True)
def main(rows: int) -> None:
    """Print seconds and rows per second."""
    logging.disable(logging.CRITICAL)
    scores = random_scores(rows)
    table = Table("method", "fit, s", "(processor)", "decide, s", "(processor)", "rows per second")
    for name, options in ASKED:
        fitted, *fit = timed(lambda n=name, o=options: METHODS[n].fit(scores, FOUR, **o))  # type: ignore[misc]
        _, *decide = timed(lambda method=fitted: method.decide(scores.lazy()).collect())  # type: ignore[misc]
        figures = [f"{each:.2f}" for each in (*fit, *decide)]
        spoken = " ".join((name, *(f"--{key} {value}" for key, value in options.items())))
        table.add_row(spoken, *figures, f"{rows / decide[0]:,.0f}")
    Console(width=110).print(f"{rows:,} rows", table)


if __name__ == "__main__":
    main()
