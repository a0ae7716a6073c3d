"""A tenth of each label's rows tests, the next tenth validates, whoever speaks.

The speaker-dependent setting of Alqurashi, Li and Sidorov (2024): 80 % train, 10 % validate and
10 % test, at random. Each tenth tests in one of ten folds.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from emobatch.splits.roles import SPLIT_COLUMN, TEST, TRAIN, VAL
from emobatch.splits.scheme import Fold, Scheme, digests

PARTS = 10


def _divide(rows: pl.DataFrame, seed: int, groups: int | None) -> Iterator[Fold]:
    drawn = rows.select("label", digest=digests(rows, seed))
    place = pl.col("digest").rank("ordinal").over("label") - 0.5
    part = (place * PARTS / pl.len().over("label")).floor().cast(pl.Int64)
    parts = drawn.select(part.alias("part")).to_series()
    for number in range(PARTS):
        role = {number: TEST, (number + 1) % PARTS: VAL}
        split = parts.replace_strict(role, default=TRAIN, return_dtype=pl.String)
        tests = f"tenth {number + 1} of each label, seed {seed}"
        yield Fold(tests, "the next tenth", split.alias(SPLIT_COLUMN))


RANDOM_TENTHS = Scheme(("label",), _divide, takes_groups=False)
