"""Leakage: what rows that test have in common with rows that were trained on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from emobatch.errors import LeakageError
from emobatch.splits import roles
from emobatch.splits.roles import FOLD_COLUMN, SPLIT_COLUMN, TEST

log = logging.getLogger(__name__)

Against = Literal["train", "val", "train+val"]
# Columns that are looked at where they are present: few values for many rows, and files.
GROUPS = ("speaker", "script", "dialogue", "session")
COLUMNS = (*GROUPS, "path")
# The fold of a table without folds.
ALL = "all"
# Names that no table has.
FOLD, SPLIT = "\0fold", "\0split"
SCHEMA = {
    "fold": pl.String,
    "kind": pl.String,
    "value": pl.String,
    "like": pl.String,
    "similarity": pl.Float64,
    "train_rows": pl.Int64,
    "test_rows": pl.Int64,
}


@dataclass(frozen=True)
class Leakage:
    """What test shares with train.

    Attributes:
        shared: one row for each thing shared, by fold: ``fold`` (``all`` in a table without),
            ``kind``, ``value`` in test, ``like`` in train where it looks different there,
            ``similarity`` of near transcripts, ``train_rows`` and ``test_rows`` that have it.
        test_rows: how many rows test, by fold.
        kinds: what was looked at.
        against: the splits that test was held against.
    """

    shared: pl.DataFrame
    test_rows: Mapping[str, int]
    kinds: tuple[str, ...]
    against: Against

    def summary(self) -> pl.DataFrame:
        """Count by fold and kind.

        Returns:
            ``fold``, ``kind``, ``shared`` (how many things), ``test_rows`` that have one of them,
            the ``percent`` of the fold's test rows that these are, and the ``values``.
        """
        counts = self.shared.group_by("fold", "kind", maintain_order=True).agg(
            pl.len().alias("shared"), pl.col("test_rows").sum(), pl.col("value").alias("values")
        )
        of = pl.col("fold").replace_strict(dict(self.test_rows), return_dtype=pl.Int64)
        percent = (100 * pl.col("test_rows") / of).round(2).alias("percent")
        return counts.select("fold", "kind", "shared", "test_rows", percent, "values")

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON.

        Returns:
            ``against``, ``looked_at``, ``summary`` and ``shared``.
        """
        return {
            "against": self.against,
            "looked_at": list(self.kinds),
            "summary": self.summary().to_dicts(),
            "shared": self.shared.to_dicts(),
        }

    def refuse(self) -> None:
        """Fail if there is anything.

        Raises:
            LeakageError: counts what is shared.
        """
        if len(self.shared):
            raise LeakageError(
                f"{self.against} and test share {_counted(self.shared)}; divide the rows anew, as "
                "with `emobatch folds`"
            )


def marked(rows: pl.LazyFrame, split_column: str, fold_column: str | None) -> pl.LazyFrame:
    """Mark rows with their fold and split, under names that no table has.

    Args:
        rows: any table.
        split_column: its column of splits; what is neither train, val nor test takes no part.
        fold_column: its column of folds, None where all rows are of one.

    Returns:
        The rows that take part.
    """
    fold = pl.lit(ALL) if fold_column is None else pl.col(fold_column).cast(pl.String)
    return rows.with_columns(fold.alias(FOLD), roles.canonical(split_column).alias(SPLIT)).filter(
        pl.col(FOLD).is_not_null() & pl.col(SPLIT).is_not_null()
    )


def shared(rows: pl.LazyFrame, kinds: Mapping[str, str], against: Against) -> pl.DataFrame:
    """List what test shares with train.

    Args:
        rows: from :func:`marked`.
        kinds: column by the kind of thing that it holds.
        against: the splits that test is held against.

    Returns:
        See :class:`Leakage`; nothing in ``like`` and ``similarity``.
    """
    both = (pl.col("train_rows") > 0) & (pl.col("test_rows") > 0)
    found = [
        counts(rows, column, against)
        .filter(both)
        .select(
            "fold",
            pl.lit(kind).alias("kind"),
            "value",
            pl.lit(None, dtype=pl.String).alias("like"),
            pl.lit(None, dtype=pl.Float64).alias("similarity"),
            "train_rows",
            "test_rows",
        )
        for kind, column in kinds.items()
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *pl.collect_all(found)])


def warn(rows: pl.LazyFrame, fold_column: str | None = None) -> None:
    """Say in one line on standard error what test shares with train, if anything.

    Cheap: it reads no more than the columns of splits, speakers and the like, and does nothing
    where the table has none of them.

    Args:
        rows: a table that may have a column ``split``.
        fold_column: its column of folds; by default ``fold`` where there is one.
    """
    schema = rows.collect_schema()
    names = [name for name, kind in schema.items() if not kind.is_nested()]
    kinds = {name: name for name in GROUPS if name in names}
    if SPLIT_COLUMN not in names or not kinds:
        return
    if fold_column is None and FOLD_COLUMN in names:
        fold_column = FOLD_COLUMN
    found = shared(marked(rows, SPLIT_COLUMN, fold_column), kinds, "train")
    if len(found):
        log.warning(
            "note: train and test share %s; figures on test flatter; `emobatch leakage` lists them",
            _counted(found),
        )


def counts(rows: pl.LazyFrame, column: str, against: Against) -> pl.LazyFrame:
    """Count the rows that have each value of a column.

    Args:
        rows: from :func:`marked`.
        column: empty values don't count.
        against: the splits that test is held against.

    Returns:
        ``fold``, ``value``, ``train_rows`` and ``test_rows``.
    """
    value = pl.col(column).cast(pl.String)
    return (
        rows.filter(value.str.strip_chars() != "")
        .group_by(pl.col(FOLD).alias("fold"), value.alias("value"))
        .agg(
            train_rows=of_train(against).sum().cast(pl.Int64),
            test_rows=(pl.col(SPLIT) == TEST).sum().cast(pl.Int64),
        )
    )


def of_train(against: Against) -> pl.Expr:
    """Whether a row is of the splits that test is held against.

    Args:
        against: their names, joined by ``+``.

    Returns:
        Expression over :func:`marked` rows.
    """
    return pl.col(SPLIT).is_in(against.split("+"))


def _counted(found: pl.DataFrame) -> str:
    # Things, whatever the number of folds that they are shared in.
    counts = found.group_by("kind", maintain_order=True).agg(pl.col("value").n_unique())
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.iter_rows())
