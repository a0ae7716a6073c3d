"""Labelled and scored rows, as methods are fitted on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from emobatch.errors import CalibrationError, TableError
from emobatch.tables import reading, score_table
from emobatch.tables.left_out import left_out
from emobatch.tables.score_columns import text_columns
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.label_columns import read_labels
from emobatch.tasks.labels import LabelMap
from emobatch.tasks.labels_read import LABEL, LabelsRead
from emobatch.tasks.task import Task

# What methods may go by beside scores, where a table has it.
ABOUT_ROWS = ("id", "speaker", "dialogue", "turn", "split")


@dataclass(frozen=True)
class Labelled:
    """Rows that methods can be fitted on.

    Attributes:
        rows: labelled and scored: ``label``, a class; the columns that methods decide by, and
            others that were wanted.
        unlabelled: the same of scored rows without a label.
        read: how the labels were read.
        left_out: other rows of the table, by reason.
    """

    rows: pl.DataFrame
    unlabelled: pl.DataFrame
    read: LabelsRead
    left_out: Mapping[str, int]


def labelled_rows(
    scores: ScoreTable,
    task: Task,
    column: str,
    label_map: LabelMap,
    others: Sequence[str] = (),
    *,
    text: bool = True,
) -> Labelled:
    """Read the rows that methods can be fitted on.

    Args:
        scores: a score table.
        task: its classes.
        column: holds the labels, see :func:`emobatch.tables.label_column.label_column`.
        label_map: extends the alias table of labels, from :func:`parse_label_map`.
        others: further columns that are wanted.
        text: whether what the text branch says is needed.

    Returns:
        The rows that are labelled and scored.

    Raises:
        EmobatchError: if there are none, or they can't be used.
    """
    with reading.explained(scores.name):
        names = scores.rows.collect_schema().names()
        if column not in names:
            raise TableError(
                f"no column {column!r} to fit on; name the column of labels with --label-column, "
                f"or add it to the manifest; the columns are {', '.join(names)}"
            )
        if text or any(name.startswith("text_") for name in others):
            _refuse_gated(scores.rows)
        present = [name for name in ABOUT_ROWS if name in names]
        wanted = (*_scores(task, names, text=text), *present, *others)
        status = ["status"] if "status" in names else []
        rows = score_table.with_scores(scores.rows, task, text=text)
        frame = rows.select(*dict.fromkeys((column, *wanted, *status))).collect()
        labels, read = read_labels(frame[column], task.labels, label_map)
    frame = frame.with_columns(labels.alias(LABEL))
    missing = left_out(read, frame, ("speech_emotion",))
    # Without the column itself: one called "emotion" is none that a method decided.
    frame = frame.select(*dict.fromkeys((LABEL, *wanted)))
    scored = frame.filter(pl.col("speech_emotion").is_not_null())
    labelled = scored.drop_nulls(LABEL)
    _refuse_nothing(scores.name, frame.drop_nulls(LABEL), labelled, read, text=text)
    return Labelled(labelled, scored.filter(pl.col(LABEL).is_null()), read, missing)


def _scores(task: Task, names: Sequence[str], *, text: bool) -> list[str]:
    heard = [*task.speech_columns, "speech_emotion", "entropy", "varentropy"]
    if not text:
        return heard
    said, score = text_columns(names)
    answered = task.sentiments if said == "sentiment" else task.classes
    return [
        *heard,
        *(said, score),
        *(f"text_{name}" for name in answered if f"text_{name}" in names),
    ]


def _refuse_nothing(
    name: str, labelled: pl.DataFrame, frame: pl.DataFrame, read: LabelsRead, *, text: bool
) -> None:
    if labelled.is_empty():
        dropped = f"; all labels were dropped ({read.note()})" if read.dropped else ""
        raise CalibrationError(
            f"{name}: no row has both a label and speech scores; add labels to the manifest"
            f"{dropped}"
        )
    if frame.is_empty():
        raise CalibrationError(
            f"{name}: no row has both a label and speech scores, which every method needs; column "
            "'error' says why, or else score without --speech none"
        )
    said, _ = text_columns(frame.columns)
    if text and frame[said].is_null().all():
        raise CalibrationError(
            f"{name}: no labelled row has anything of the text branch, as after `score --text "
            "none`, and the method goes by it; score with the text branch, or fit --method speech"
        )


def _refuse_gated(rows: pl.LazyFrame) -> None:
    # What a gate left out is no fair sample: the mapping would be fitted on flagged rows only.
    count = score_table.gated(rows).select(pl.len()).collect(engine="streaming").item()
    if count:
        raise CalibrationError(
            f"{count} rows were scored with --gate and have no text; score without it to calibrate"
        )
