"""Which emotions fusion changed into which, and whether that was for the better."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def transitions(
    labels: pl.Series, before: pl.Series, after: pl.Series, classes: Sequence[str]
) -> pl.DataFrame:
    """Count the rows whose emotion changed, by what it changed from and to.

    Args:
        labels: (rows,) class names.
        before: (rows,) class names that the speech branch predicted.
        after: (rows,) final class names.
        classes: those that there are.

    Returns:
        A row for each change that occurs, in the order of the classes: ``from``, ``to``, ``rows``,
        and of these ``better`` (right only afterwards), ``worse`` (right only before) and
        ``neither`` (wrong both times).

    Examples:
        >>> labels, before = pl.Series(["sad", "happy"]), pl.Series(["angry", "angry"])
        >>> after, classes = pl.Series(["sad", "sad"]), ("angry", "happy", "sad")
        >>> transitions(labels, before, after, classes).rows()
        [('angry', 'sad', 2, 1, 0, 1)]
    """
    order = pl.Enum(classes)
    rows = pl.DataFrame({"label": labels, "from": before, "to": after})
    better, worse = pl.col("label") == pl.col("to"), pl.col("label") == pl.col("from")
    return (
        rows.select(pl.all().cast(pl.String))
        .filter(pl.col("from") != pl.col("to"))
        .group_by("from", "to")
        .agg(
            rows=pl.len().cast(pl.Int64),
            better=better.sum().cast(pl.Int64),
            worse=worse.sum().cast(pl.Int64),
            neither=(~better & ~worse).sum().cast(pl.Int64),
        )
        .sort(pl.col("from").cast(order), pl.col("to").cast(order))
    )
