"""The rows of a table that are measured, with their labels read."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from emobatch.errors import TableError
from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.figure import STAGES
from emobatch.evaluation.measures import every_measure
from emobatch.splits.roles import SPLIT_COLUMN
from emobatch.tables import attributes, left_out, score_table
from emobatch.tables.fitted_rows import ID
from emobatch.tables.score_columns import FINAL
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.label_columns import canonical, read_labels
from emobatch.tasks.labels import LabelMap
from emobatch.tasks.labels_read import LabelsRead
from emobatch.tasks.task import Task

# What says of rows how they may be measured, where a table has it.
ABOUT_ROWS = (ID, "transcript_source", SPEAKER, SPLIT_COLUMN)


def labelled_rows(
    table: ScoreTable,
    task: Task,
    column: str,
    by: str | None,
    label_map: LabelMap,
    *,
    given: bool,
) -> tuple[pl.DataFrame, LabelsRead, Mapping[str, int]]:
    """Read what measures need of a table, and its labels.

    Args:
        table: a score table or a final table.
        task: its classes.
        column: that holds the labels.
        by: column whose values are measured one by one, None for none.
        label_map: aliases of labels.
        given: whether the column ``emotion`` is the manifest's, and no prediction.

    Returns:
        The rows with ``label``, how labels were read, and how many rows were left out and why.

    Raises:
        TableError: if there is nothing to measure, or nothing to measure it against.
        LabelError: if a label or an emotion is outside the classes.
    """
    rows = score_table.with_predictions(table.rows, task)
    names = rows.collect_schema().names()
    if column in STAGES.values() and not given:
        raise TableError(f"column {column!r} holds predictions, no labels; rename the column")
    stages = tuple(n for n in STAGES.values() if n in names and not (given and n == "emotion"))
    if column not in names:
        raise TableError(
            f"no column {column!r} to measure against; name the column of labels with "
            f"--label-column, or add it to the manifest; the columns are {', '.join(names)}"
        )
    if not stages:
        raise TableError(
            "neither speech scores nor final emotions to measure; is this a table that "
            "`emobatch score` or `emobatch apply` wrote?"
        )
    read = [name for measure in every_measure() for name in measure.columns]
    wanted = (
        *(column, "status", *stages, *task.speech_columns),
        *(f"{FINAL}{name}" for name in task.classes),
        *(*read, *ABOUT_ROWS, *([by] if by else [])),
    )
    left = set(attributes.unused(names, column, by))
    chosen = [name for name in dict.fromkeys(wanted) if name in names and name not in left]
    frame = attributes.with_numbers(rows.select(chosen), besides=column).collect()
    labels, how = read_labels(frame[column], task.labels, label_map)
    frame = frame.with_columns(labels.alias("label"))
    if "emotion" in stages:
        # What was predicted is never dropped or renamed: a label map is for labels.
        remedy = "did `emobatch apply` write this table?"
        frame = frame.with_columns(canonical(frame["emotion"], task.labels, remedy=remedy))
    missing = left_out.left_out(how, frame, stages)
    if frame["label"].is_null().all():
        dropped = f", for all were dropped ({how.note()})" if how.dropped else ""
        raise TableError(
            f"no row is labelled{dropped}; look at column {column!r}, --where and --label-map"
        )
    return frame, how, missing
