"""Tables whose transcripts can be measured, and nothing else: they need no label."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from emobatch.evaluation.figure import STAGES

SAID, HEARD = "reference", "transcript"
NOTE = (
    "no label to measure predictions against, so that only what was recognised is measured, "
    "against column 'reference'"
)


def has_words_alone(rows: pl.LazyFrame, column: str) -> bool:
    """Whether rows have references to hold transcripts against, and no labels or predictions.

    Args:
        rows: any table.
        column: that holds labels, if it is there.

    Returns:
        True where only their transcripts can be measured.

    Examples:
        >>> rows = pl.LazyFrame({"reference": ["well"], "transcript": ["wool"]})
        >>> has_words_alone(rows, "label")
        True
        >>> has_words_alone(rows.with_columns(label=pl.lit("sad"), emotion=pl.lit("sad")), "label")
        False
    """
    names = rows.collect_schema().names()
    if not {SAID, HEARD} <= set(names) or not has_some(rows, SAID):
        return False
    return not _has_predictions(names) or column not in names or not has_some(rows, column)


def _has_predictions(names: Collection[str]) -> bool:
    return any(name in STAGES.values() or name.startswith("speech_") for name in names)


def has_some(rows: pl.LazyFrame, column: str) -> bool:
    """Whether a column holds anything.

    Args:
        rows: any table.
        column: of any type.

    Returns:
        True where a row has more than blanks there.

    Examples:
        >>> has_some(pl.LazyFrame({"label": [" ", None]}), "label")
        False
    """
    text = pl.col(column).cast(pl.String).str.strip_chars()
    found = rows.filter(text.fill_null("") != "").head(1)
    return not found.collect(engine="streaming").is_empty()
