"""Labelled and scored rows, as methods are fitted on them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from emobatch.errors import CalibrationError, TableError
from emobatch.tables import reading, score_table
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.labels import LabelMap, canonical
from emobatch.tasks.task import Task

# What methods may go by beside scores, where a table has it.
ABOUT_ROWS = ("id", "speaker", "dialogue", "turn", "split")
LABEL = "label"


def labelled_rows(
    scores: ScoreTable,
    task: Task,
    label_column: str,
    label_map: LabelMap,
    others: Sequence[str] = (),
    *,
    text: bool = True,
    unlabelled: bool = False,
) -> pl.DataFrame:
    """Read the rows that methods can be fitted on.

    Args:
        scores: a score table.
        task: its classes.
        label_column: column that holds the labels.
        label_map: extends the alias table of labels, from :func:`parse_label_map`.
        others: further columns that are wanted.
        text: whether what the text branch says is needed.
        unlabelled: whether rows without a label are wanted as well.

    Returns:
        The rows that are labelled and scored: ``label``, the columns that methods decide by, and
        the others.

    Raises:
        EmobatchError: if there are none, or they can't be used.
    """
    with reading.explained(scores.name):
        names = scores.rows.collect_schema().names()
        if label_column not in names:
            raise TableError(f"no column {label_column!r} to fit on; add it to the manifest")
        if text:
            _refuse_gated(scores.rows)
        present = [name for name in ABOUT_ROWS if name in names]
        wanted = (label_column, *_scores(task, names, text=text), *present, *others)
        rows = score_table.with_scores(scores.rows, task, text=text)
        frame = rows.select(*dict.fromkeys(wanted)).collect()
        labels = canonical(frame[label_column], task.labels, label_map)
        frame = frame.with_columns(labels.alias(LABEL))
    frame = frame.filter(pl.col("speech_emotion").is_not_null())
    if not unlabelled:
        frame = frame.drop_nulls(LABEL)
    if frame[LABEL].count() == 0:
        raise CalibrationError(
            f"{scores.name}: no row has both a label and speech scores; add labels to the manifest"
        )
    return frame


def _scores(task: Task, names: Sequence[str], *, text: bool) -> list[str]:
    heard = [*task.speech_columns, "speech_emotion", "entropy", "varentropy"]
    if not text:
        return heard
    said, score = score_table.text_columns(names)
    answered = task.sentiments if said == "sentiment" else task.classes
    return [
        *heard,
        *(said, score),
        *(f"text_{name}" for name in answered if f"text_{name}" in names),
    ]


def _refuse_gated(rows: pl.LazyFrame) -> None:
    # What a gate left out is no fair sample: the mapping would be fitted on flagged rows only.
    count = score_table.gated(rows).select(pl.len()).collect(engine="streaming").item()
    if count:
        raise CalibrationError(
            f"{count} rows were scored with --gate and have no text; score without it to calibrate"
        )
