"""Rows that take no part in fitting or measuring, and why."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from emobatch.tasks.labels_read import LABEL, LabelsRead
from emobatch.wording import counted

REASONS: Mapping[str, str] = {
    "unlabelled": "without a label",
    "dropped": "with a dropped label",
    "failed": "that failed, of which column 'error' says why",
    "unscored": "without scores",
}


def left_out(read: LabelsRead, rows: pl.DataFrame, columns: tuple[str, ...]) -> dict[str, int]:
    """Count the rows that are left out, each for the first reason that holds.

    Args:
        read: how their labels were read.
        rows: all of them, with ``label``, a class or null, and maybe ``status``.
        columns: that each row needs a value in, as of those that predict.

    Returns:
        Rows by reason: all of ``REASONS``, in their order.
    """
    missing = [pl.col(name).is_null() for name in columns]
    without = rows.filter(pl.col(LABEL).is_not_null(), pl.any_horizontal(missing))
    failed = 0
    if "status" in rows.columns:
        failed = int((without["status"].cast(pl.String) == "error").sum())
    return {
        "unlabelled": read.unlabelled,
        "dropped": sum(read.dropped.values()),
        "failed": failed,
        "unscored": len(without) - failed,
    }


def spoken(counts: Mapping[str, int], rows: int) -> str | None:
    """Say it in one line.

    Args:
        counts: by reason.
        rows: how many there are in all.

    Returns:
        The line; None where no row is left out.

    Examples:
        >>> spoken({"unlabelled": 3, "dropped": 127, "failed": 0}, 535)
        '130 of 535 rows are left out: 3 without a label, 127 with a dropped label'
    """
    total = sum(counts.values())
    if not total:
        return None
    parts = [f"{count} {REASONS[reason]}" for reason, count in counts.items() if count]
    are = "is" if total == 1 else "are"
    return f"{total} of {counted(rows, 'row')} {are} left out: {', '.join(parts)}"
