"""The final table, as it is read by whatever shows it row by row."""

from __future__ import annotations

import polars as pl

from emobatch.errors import TableError
from emobatch.evaluation.labelled_rows import ABOUT_ROWS
from emobatch.evaluation.measures import every_measure
from emobatch.tables import attributes, score_table
from emobatch.tables.label_column import checked_column
from emobatch.tables.score_columns import FINAL
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.label_columns import canonical, read_labels
from emobatch.tasks.labels import LabelMap
from emobatch.tasks.labels_read import LABEL, LabelsRead
from emobatch.tasks.task import Task

# What every method writes.
DECIDED = ("emotion", "decided_by")
PREDICTIONS = ("speech_emotion", "entropy", "varentropy")
# What some methods write, and what is shown of a row, where a table has it.
OTHERS = ("flagged", "mapped_emotion", "id", "transcript", "sentiment", "text_emotion")
# Where a row is heard.
CLIP = ("path", "start", "end")


def is_final(table: ScoreTable) -> bool:
    """Say of what kind a table is.

    Args:
        table: any that `score` or `apply` wrote.

    Returns:
        True where it has final emotions; False where it has none, but attributes.

    Raises:
        TableError: if it has neither.
    """
    names = table.rows.collect_schema().names()
    missing = [name for name in DECIDED if name not in names]
    if missing and not attributes.predicted(names):
        raise TableError(
            f"{table.name}: no column {missing[0]!r}; `emobatch apply` writes final tables"
        )
    return not missing


def final_rows(
    table: ScoreTable, task: Task, label_column: str | None, label_map: LabelMap
) -> tuple[pl.DataFrame, LabelsRead | None]:
    """Read what `apply` wrote, or of attributes `score`.

    Args:
        table: a final table, or one with attributes and without final emotions.
        task: its classes.
        label_column: column that holds the labels; None for the one that `score` was told of,
            else ``label``, which may be missing.
        label_map: overrides of the alias table, from :func:`emobatch.tasks.labels.parse_label_map`.

    Returns:
        ``row``, its number from 1; ``label``, a class or null; the speech branch's probabilities,
        ``speech_emotion``, ``entropy`` and ``varentropy`` (nats); ``emotion`` and ``decided_by``;
        and what there is of ``OTHERS``, of ``CLIP``, and of what is measured. Without final
        emotions there may be no scores either. Beside these rows, how their labels were read; None
        where there is no column of them.

    Raises:
        TableError: if it is not what `apply` wrote, or has no rows.
        LabelError: if a label or a final emotion is none of the classes.
    """
    names = table.rows.collect_schema().names()
    is_decided = is_final(table)
    missing = [name for name in task.speech_columns if name not in names]
    if is_decided and missing:
        raise TableError(f"no column {missing[0]!r}; `emobatch apply` writes final tables")
    column = checked_column([table], label_column, label_map, task.labels)
    if column not in names and column != LABEL:
        raise TableError(f"no column {column!r} to read labels from; look at --label-column")
    measured = [name for measure in every_measure() for name in measure.columns]
    wanted = (
        *(*task.speech_columns, *PREDICTIONS, *(DECIDED if is_decided else ())),
        *(f"{FINAL}{name}" for name in task.classes),
        *(column, "status", "error", *OTHERS, *CLIP, *measured, *ABOUT_ROWS),
    )
    rows = score_table.with_predictions(table.rows, task)
    there = set(rows.collect_schema()) - set(attributes.unused(names, column))
    present = [name for name in dict.fromkeys(wanted) if name in there]
    frame = attributes.with_numbers(rows.select(present), besides=column).collect()
    if frame.is_empty():
        raise TableError("no rows; look at --where")
    read, label = None, pl.Series([None] * len(frame), dtype=pl.String)
    if column in names:
        label, read = read_labels(frame[column], task.labels, label_map)
    frame = frame.with_columns(label.alias("label"))
    if is_decided:
        remedy = "did `emobatch apply` write this table?"
        frame = frame.with_columns(canonical(frame["emotion"], task.labels, remedy=remedy))
    else:
        frame = frame.drop("emotion", strict=False)  # the manifest's own, where it holds labels
    return frame.with_row_index("row", 1), read
