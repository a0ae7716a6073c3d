"""The final table, as it is read by whatever shows it row by row."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from emobatch.errors import TableError
from emobatch.fusion.selection.algorithm import DECISION_COLUMNS
from emobatch.tables import score_table
from emobatch.tables.uncertainty import SPEECH_COLUMNS
from emobatch.tasks.labels import EMOTIONS, canonical

DEFAULT_LABEL = "label"
# What is shown or measured, where a table has it.
OTHERS = (
    "id",
    "transcript",
    "reference",
    "sentiment",
    "sentiment_score",
    "speaker",
    "split",
)


def final_rows(
    rows: pl.LazyFrame, label_column: str, label_map: Mapping[str, str | None]
) -> pl.DataFrame:
    """Read what `apply` wrote.

    Args:
        rows: a final table.
        label_column: column that holds the labels; ``label`` may be missing.
        label_map: overrides of the alias table, from :func:`emobatch.tasks.labels.parse_label_map`.

    Returns:
        ``row``, its number from 1; ``label``, a class or null; ``speech_*``, ``speech_emotion``,
        ``entropy`` and ``varentropy`` (nats); ``flagged``, ``mapped_emotion``, ``emotion`` and
        ``decided_by``; and what there is of ``OTHERS``.

    Raises:
        TableError: if it is not what `apply` wrote, or has no rows.
        LabelError: if a label or a final emotion is none of the classes.
    """
    names = rows.collect_schema().names()
    missing = [name for name in (*SPEECH_COLUMNS, *DECISION_COLUMNS) if name not in names]
    if missing:
        raise TableError(f"no column {missing[0]!r}; `emobatch apply` writes final tables")
    if label_column not in names and label_column != DEFAULT_LABEL:
        raise TableError(f"no column {label_column!r} to read labels from; look at --label-column")
    if label_column in (*DECISION_COLUMNS, "speech_emotion"):
        raise TableError(f"column {label_column!r} holds predictions, no labels; name another")
    uncertainty = ("speech_emotion", "entropy", "varentropy")
    wanted = (*SPEECH_COLUMNS, *uncertainty, *DECISION_COLUMNS, label_column, *OTHERS)
    table = score_table.with_predictions(rows)
    present = [name for name in dict.fromkeys(wanted) if name in table.collect_schema()]
    frame = table.select(present).collect()
    if frame.is_empty():
        raise TableError("no rows; look at --where")
    if label_column in names:
        label = canonical(frame[label_column], EMOTIONS, label_map)
    else:
        label = pl.Series([None] * len(frame), dtype=pl.String)
    remedy = "did `emobatch apply` write this table?"
    final = canonical(frame["emotion"], EMOTIONS, remedy=remedy)
    return frame.with_columns(label.alias("label"), final.alias("emotion")).with_row_index("row", 1)
