"""MSP-IMPROV's six folds: a session tests, a fifth of the other rows, by label, validates."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from emobatch.splits.roles import SPLIT_COLUMN, TEST, TRAIN, VAL
from emobatch.splits.scheme import Fold, Scheme, digests, values_of

# Of the rows that don't test.
VAL_SHARE = 0.2


def _divide(rows: pl.DataFrame, seed: int, groups: int | None) -> Iterator[Fold]:
    for session in values_of(rows["session"], least=2):
        tests = rows["session"] == session
        stratum = rows.select("label", tests=tests, digest=digests(rows, seed, session))
        place = pl.col("digest").rank("min").over("tests", "label")
        share = (pl.len().over("tests", "label") * VAL_SHARE).round()
        others = pl.when(place <= share).then(pl.lit(VAL)).otherwise(pl.lit(TRAIN))
        split = pl.when("tests").then(pl.lit(TEST)).otherwise(others).alias(SPLIT_COLUMN)
        validates = f"a fifth of the others, seed {seed}"
        yield Fold(f"session {session}", validates, stratum.select(split).to_series())


MSP_IMPROV6 = Scheme(("session", "label"), _divide, takes_groups=False)
