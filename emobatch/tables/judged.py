"""The columns of a table that a language model reviewed, and the table as it was before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

import polars as pl

from emobatch.errors import TableError

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)
# Who decided a row whose emotion is the language model's.
JUDGE = "judge"
OK, UNREADABLE, FAILED, NOT_ASKED = STATUSES = ("ok", "unreadable", "failed", "not-asked")
# What a language model says of each row.
VERDICT: Mapping[str, type[pl.DataType]] = {
    "judge_emotion": pl.String,
    "judge_confidence": pl.Float64,
    "judge_reason": pl.String,
    "judge_status": pl.String,
}
# Where what fusion had said is kept.
FUSED: Mapping[str, str] = {"emotion": "fused_emotion", "decided_by": "fused_by"}
COLUMNS = (*VERDICT, *FUSED.values())


def is_judged(names: Collection[str]) -> bool:
    """Whether a language model has reviewed a table.

    Args:
        names: of its columns.

    Returns:
        True where it has all columns of a review.

    Examples:
        >>> is_judged(COLUMNS), is_judged(["emotion", "judge_reason"])
        (True, False)
    """
    return set(COLUMNS) <= set(names)


def unjudged(rows: Rows) -> Rows:
    """Take a review out of a table.

    Args:
        rows: a final table, judged or not.

    Returns:
        The rows with ``emotion`` and ``decided_by`` as fusion had them, without the columns of the
        review; the rows themselves where there was none.

    Examples:
        >>> judged = dict.fromkeys(COLUMNS, "x") | {"emotion": "sad", "decided_by": "judge"}
        >>> unjudged(pl.DataFrame([judged | {"fused_emotion": "happy"}])).columns
        ['emotion', 'decided_by']
    """
    if not is_judged(rows.collect_schema().names()):
        return rows
    before = {name: pl.col(kept) for name, kept in FUSED.items()}
    return rows.with_columns(**before).drop(*COLUMNS)


def refuse_foreign(names: Collection[str]) -> None:
    """Refuse a table in which there is no room for a review.

    Args:
        names: of its columns.

    Raises:
        TableError: names one that is of somebody else's making.
    """
    foreign = [name for name in COLUMNS if name in names]
    if foreign and not is_judged(names):
        raise TableError(f"column {foreign[0]!r} is not of emobatch's making; rename it")
