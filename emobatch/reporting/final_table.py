"""The final table, as it is read by whatever shows it row by row."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from emobatch.errors import TableError
from emobatch.evaluation.evaluate import ABOUT_ROWS
from emobatch.evaluation.measures import every_measure
from emobatch.tables import score_table
from emobatch.tasks.labels import canonical
from emobatch.tasks.task import Task

DEFAULT_LABEL = "label"
# What every method writes.
DECIDED = ("emotion", "decided_by")
PREDICTIONS = ("speech_emotion", "entropy", "varentropy")
# What some methods write, and what is shown of a row, where a table has it.
OTHERS = ("flagged", "mapped_emotion", "id", "transcript", "sentiment", "text_emotion")
# Where a row is heard.
CLIP = ("path", "start", "end")


def final_rows(
    rows: pl.LazyFrame, task: Task, label_column: str, label_map: Mapping[str, str | None]
) -> pl.DataFrame:
    """Read what `apply` wrote.

    Args:
        rows: a final table.
        task: its classes.
        label_column: column that holds the labels; ``label`` may be missing.
        label_map: overrides of the alias table, from :func:`emobatch.tasks.labels.parse_label_map`.

    Returns:
        ``row``, its number from 1; ``label``, a class or null; the speech branch's probabilities,
        ``speech_emotion``, ``entropy`` and ``varentropy`` (nats); ``emotion`` and ``decided_by``;
        and what there is of ``OTHERS``, of ``CLIP``, and of what is measured.

    Raises:
        TableError: if it is not what `apply` wrote, or has no rows.
        LabelError: if a label or a final emotion is none of the classes.
    """
    names = rows.collect_schema().names()
    missing = [name for name in (*task.speech_columns, *DECIDED) if name not in names]
    if missing:
        raise TableError(f"no column {missing[0]!r}; `emobatch apply` writes final tables")
    if label_column not in names and label_column != DEFAULT_LABEL:
        raise TableError(f"no column {label_column!r} to read labels from; look at --label-column")
    if label_column in (*DECIDED, "mapped_emotion", "flagged", "speech_emotion"):
        raise TableError(f"column {label_column!r} holds predictions, no labels; name another")
    measured = [name for measure in every_measure() for name in measure.columns]
    wanted = (
        *(*task.speech_columns, *PREDICTIONS, *DECIDED),
        *(label_column, *OTHERS, *CLIP, *measured, *ABOUT_ROWS),
    )
    table = score_table.with_predictions(rows, task)
    present = [name for name in dict.fromkeys(wanted) if name in table.collect_schema()]
    frame = table.select(present).collect()
    if frame.is_empty():
        raise TableError("no rows; look at --where")
    if label_column in names:
        label = canonical(frame[label_column], task.labels, label_map)
    else:
        label = pl.Series([None] * len(frame), dtype=pl.String)
    remedy = "did `emobatch apply` write this table?"
    final = canonical(frame["emotion"], task.labels, remedy=remedy)
    return frame.with_columns(label.alias("label"), final.alias("emotion")).with_row_index("row", 1)
