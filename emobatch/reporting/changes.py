"""The rows whose emotion fusion changed, as a table to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

# A page of more rows than this is slow to open, and longer than anyone reads.
MOST_ROWS = 5000


@dataclass(frozen=True)
class Changes:
    """Rows whose emotion changed.

    Attributes:
        columns: their headings, and of what kind each is: ``number``, ``word`` (one of a few) or
            ``text`` (anybody's).
        rows: values in the order of the columns, None where nothing is known.
        left_out: how many more rows there are.
    """

    columns: Mapping[str, str]
    rows: list[tuple[Any, ...]]
    left_out: int


def changed_rows(rows: pl.DataFrame, most: int = MOST_ROWS) -> Changes:
    """List the rows whose emotion changed.

    Args:
        rows: of a final table, with ``row`` (their number), ``speech_emotion``, ``emotion``,
            ``entropy`` and any of the other columns shown.
        most: of more rows only the first so many are listed.

    Returns:
        The table.

    Examples:
        >>> row = {"row": 7, "speech_emotion": "sad", "emotion": "happy", "entropy": 1.2}
        >>> changed_rows(pl.DataFrame([row])).rows
        [(7, 'sad', 'happy', 1.2)]
    """
    changed = rows.filter(pl.col("emotion") != pl.col("speech_emotion"))
    label = pl.col("label")
    verdict = (
        pl.when(label == pl.col("emotion"))
        .then(pl.lit("better"))
        .when(label == pl.col("speech_emotion"))
        .then(pl.lit("worse"))
        .when(label.is_not_null())
        .then(pl.lit("neither"))
    )
    shown = {
        "row": ("number", pl.col("row")),
        "id": ("text", pl.col("id").cast(pl.String)),
        "transcript": ("text", pl.col("transcript").cast(pl.String)),
        "speech": ("word", pl.col("speech_emotion")),
        "sentiment": ("word", pl.col("sentiment").cast(pl.String)),
        "text": ("word", pl.col("text_emotion").cast(pl.String)),
        "mapped": ("word", pl.col("mapped_emotion").cast(pl.String)),
        "final": ("word", pl.col("emotion")),
        "label": ("word", label),
        "verdict": ("word", verdict),
        "entropy": ("number", pl.col("entropy")),
        "varentropy": ("number", pl.col("varentropy")),
    }
    present = {
        name: (kind, value)
        for name, (kind, value) in shown.items()
        if set(value.meta.root_names()) <= set(rows.columns)
    }
    table = changed.head(most).select(**{name: value for name, (_, value) in present.items()})
    kinds = {name: kind for name, (kind, _) in present.items()}
    return Changes(kinds, table.rows(), len(changed) - len(table))
