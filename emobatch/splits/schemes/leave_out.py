"""One speaker, session or script tests, the next one validates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from emobatch.splits.scheme import FEWEST_GROUPS, Fold, Scheme, deal, fold_of, with_next


def _divide(column: str, rows: pl.DataFrame, seed: int, groups: int | None) -> Iterator[Fold]:
    for tests, validates in with_next(deal(rows[column], groups, FEWEST_GROUPS)):
        yield fold_of(rows[column], tests, validates)


SPEAKER, SESSION, SCRIPT = (
    Scheme((column,), partial(_divide, column)) for column in ("speaker", "session", "script")
)
