"""The split column: which rows train, validate and test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import polars as pl

from emobatch.errors import TableError
from emobatch.tasks.label_columns import lookup
from emobatch.tasks.label_remedies import refuse_unknown

TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (TRAIN, VAL, TEST)
# Splits that the user says the speech model was trained on.
TrainedOn = Literal["none", "train", "train+val"]
# What `folds` writes, and what is looked for where no other column is named.
SPLIT_COLUMN, FOLD_COLUMN = "split", "fold"
ALIASES: Mapping[str, str] = {
    **dict.fromkeys((TRAIN, "training"), TRAIN),
    **dict.fromkeys((VAL, "valid", "validation", "dev", "development"), VAL),
    **dict.fromkeys((TEST, "testing"), TEST),
}


def canonical(column: str) -> pl.Expr:
    """Read a column of splits.

    Args:
        column: its name; ``dev`` and ``validation`` are ``val``, whatever the case.

    Returns:
        Expression of ``train``, ``val``, ``test`` or null for each row.

    Examples:
        >>> rows = pl.DataFrame({"split": ["Train", "dev", None]})
        >>> rows.select(canonical("split"))["split"].to_list()
        ['train', 'val', None]
    """
    spelling = pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase()
    return lookup(spelling, ALIASES).cast(pl.String).alias(column)


def training_note(
    rows: pl.DataFrame, trained_on: TrainedOn | None, known: str, unknown: str
) -> str | None:
    """Say how many rows the speech model was trained on, if anybody says so.

    A split may have been drawn for fitting thresholds alone, so that it doesn't tell by itself.

    Args:
        rows: a table, maybe with ``split``.
        trained_on: splits that the user says it was trained on, None where nothing is said.
        known: sentence for rows that it was trained on, with places for how many they are, for the
            number of all, and for their splits.
        unknown: the same for rows that it may have been trained on.

    Returns:
        The sentence, None where there are no such rows.

    Examples:
        >>> rows = pl.DataFrame({"split": ["training", "test", None]})
        >>> training_note(rows, "train", "trained on {} of {} ({})", "{} of {} may be ({})")
        'trained on 1 of 3 (train)'
        >>> training_note(rows, None, "trained on {} of {} ({})", "{} of {} may be ({})")
        '1 of 3 may be (train)'
    """
    if SPLIT_COLUMN not in rows.columns:
        return None
    splits = trained_on or TRAIN  # of "none" there is no row
    count = rows.select(canonical(SPLIT_COLUMN).is_in(splits.split("+")).sum()).item()
    return (known if trained_on else unknown).format(count, len(rows), splits) if count else None


def check(rows: pl.LazyFrame, column: str) -> None:
    """Refuse a column that holds anything but splits; empty is in none of them.

    Args:
        rows: any table.
        column: its column of splits.

    Raises:
        TableError: if there is no such column.
        LabelError: if it holds other values; lists them.
    """
    names = rows.collect_schema().names()
    if column not in names:
        raise TableError(
            f"no column {column!r} that says what trains and what tests; `emobatch folds` adds "
            f"one; the columns are {', '.join(names)}"
        )
    text = pl.col(column).cast(pl.String)
    other = (text.str.strip_chars() != "") & canonical(column).is_null()
    counts = rows.filter(other).group_by(text).len().sort("len", descending=True).collect()
    remedy = "rename them, or name another column"
    refuse_unknown(column, counts.rows(), SPLITS, remedy)


def natural(value: str) -> tuple[list[str | int], str]:
    """Key that sorts text with numbers in it as people do.

    Args:
        value: for example a speaker or a file's name.

    Returns:
        Its pieces, those of digits as numbers, and the text itself to tell 1 from 01.

    Examples:
        >>> sorted(["fold 10", "fold 9"], key=natural)
        ['fold 9', 'fold 10']
    """
    pieces = re.split(r"([0-9]+)", value)
    return [int(part) if place % 2 else part for place, part in enumerate(pieces)], value
