"""IEMOCAP's ten folds: a speaker tests, the session's other one validates."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from emobatch.errors import TableError
from emobatch.splits.scheme import Fold, Scheme, fold_of, values_of


def _divide(rows: pl.DataFrame, seed: int, groups: int | None) -> Iterator[Fold]:
    # Sessions in order and in each the speakers in order: the order of the published files.
    for session in values_of(rows["session"], least=2):
        speakers = values_of(rows.filter(pl.col("session") == session)["speaker"])
        if len(speakers) != 2:
            raise TableError(
                f"session {session!r} has {len(speakers)} speakers; iemocap10 wants two of each, "
                "one to test and one to validate; --scheme speaker takes any number"
            )
        elsewhere = rows.filter(pl.col("speaker").is_in(speakers) & (pl.col("session") != session))
        if len(elsewhere):
            raise TableError(
                f"speaker {elsewhere['speaker'][0]!r} is in session {session!r} and in "
                f"{elsewhere['session'][0]!r}; give each speaker a name of their own"
            )
        for tests, validates in (speakers, speakers[::-1]):
            yield fold_of(rows["speaker"], [tests], [validates])


IEMOCAP10 = Scheme(("session", "speaker"), _divide, takes_groups=False)
