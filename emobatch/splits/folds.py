"""Folds: a table with its rows once for each fold, and what they are for in it."""

from __future__ import annotations

import logging
from pathlib import Path

import polars as pl

from emobatch.errors import TableError
from emobatch.splits.roles import FOLD_COLUMN, SPLIT_COLUMN, TEST, TRAIN, VAL
from emobatch.splits.scheme import Fold, assign
from emobatch.splits.schemes import SCHEMES
from emobatch.tables import reading, writing
from emobatch.tables.provenance import software

log = logging.getLogger(__name__)


def folds(
    source: str,
    target: Path | None = None,
    *,
    scheme: str,
    fold: int | None = None,
    seed: int = 0,
    groups: int | None = None,
) -> None:
    """Write a table with the columns ``fold`` and ``split``: all its rows once for each fold.

    Args:
        source: the table, ``-`` for CSV on standard input.
        target: the table to write, standard output where None.
        scheme: see :data:`emobatch.splits.schemes.SCHEMES`.
        fold: the number, from 1, of the only fold to write; None for all, one after the other.
        seed: of the 80/20 split of ``msp-improv6``.
        groups: deal values into as many groups that test together.

    Raises:
        EmobatchError: if the table can't be read, written or divided so.
    """
    writing.check_target(target, sources=[source])
    with reading.explained(source):
        rows = reading.scan(source).collect()
        taken = [name for name in (FOLD_COLUMN, SPLIT_COLUMN) if name in rows.columns]
        if taken:
            raise TableError(f"has a column {taken[0]!r} already; drop or rename it")
        divided = assign(rows, SCHEMES[scheme], seed=seed, groups=groups)
        if fold is not None and not 1 <= fold <= len(divided):
            raise TableError(f"no fold {fold}; {scheme} makes {len(divided)} of this table")
    wanted = range(1, len(divided) + 1) if fold is None else [fold]
    for number in wanted:
        _describe(number, divided[number - 1])
    columns = (
        rows.with_columns(pl.lit(number).alias(FOLD_COLUMN), divided[number - 1].split)
        for number in wanted
    )
    written = pl.concat(part.filter(pl.col(SPLIT_COLUMN).is_not_null()) for part in columns)
    making = {"scheme": scheme, "seed": seed, "groups": groups, "software": software([])}
    writing.write(written.lazy(), target, {**reading.metadata(source), "folds": making})


def _describe(number: int, fold: Fold) -> None:
    count = {name: int((fold.split == name).sum()) for name in (TEST, VAL, TRAIN)}
    dropped = fold.split.null_count()
    log.warning(
        "note: fold %d: %d rows test (%s), %d validate (%s), %d train%s",
        number,
        count[TEST],
        fold.tests,
        count[VAL],
        fold.validates,
        count[TRAIN],
        f", {dropped} can be in neither and are dropped" if dropped else "",
    )
