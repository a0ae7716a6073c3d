"""Tables measured against their labels."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from emobatch.errors import LabelError, TableError
from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.figure import BEFORE, STAGES, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.measures import every_measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.splits import leakage
from emobatch.splits.roles import SPLIT_COLUMN, training_rows
from emobatch.tables import reading, score_table
from emobatch.tasks.labels import canonical, parse_label_map
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)
RESAMPLES = 1000
# The group of rows whose column is empty, in `--by`.
NO_VALUE = "(none)"
# What says of rows how they may be measured, where a table has it.
ABOUT_ROWS = ("transcript_source", SPEAKER, SPLIT_COLUMN)
# What the text branch says, by the kind of its model.
TEXT_COLUMNS = ("sentiment", "text_emotion")
GATED = (
    "{} rows were scored with --gate and their text was not recognised, so word error rate and "
    "figures of what the text branch says are left out"
)
TEXT_ALONE = (
    "no row has speech scores (were they scored with --speech none?), so that only what the text "
    "branch says is measured"
)
TRAINED = (
    "the speech model was trained on {} of {} labelled rows (split 'train'), which say little of "
    "new speech; leave them out with --where \"split != 'train'\""
)


def evaluate(
    sources: Sequence[str],
    *,
    where: str | None = None,
    by: str | None = None,
    classes: str | None = None,
    sentiment_map: Sequence[str] = (),
    label_column: str = "label",
    label_map: Sequence[str] = (),
    bootstrap: int = RESAMPLES,
) -> Evaluation:
    """Measure score tables or final tables against their labels.

    Args:
        sources: tables, globs or ``-``.
        where: SQL expression; only rows for which it holds count.
        by: column whose values are also measured one by one.
        classes: the value of `--classes`, for tables that don't say what their classes are.
        sentiment_map: ``CLASS=SENTIMENT`` pairs, for classes that are taken for another sentiment
            or none.
        label_column: column that holds the labels.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        bootstrap: resamples that the 95 % intervals come from, 0 for none.

    Returns:
        What was measured; its notes have been logged.

    Raises:
        EmobatchError: if a table can't be read or has nothing to measure.
    """
    table = score_table.read(sources, where, mixed=True, classes=classes)
    task = table.task.with_sentiments(sentiment_map)
    aliases = parse_label_map(label_map, task.labels)
    with reading.explained(table.name):
        names = table.rows.collect_schema().names()
        if by is not None and by not in names:
            raise TableError(f"no column {by!r} to go by; the columns are {', '.join(names)}")
        rows = score_table.with_predictions(table.rows, task)
        frame = _labelled(rows, task, label_column, by, aliases)
        leakage.warn(table.unfiltered)
    evaluation = evaluate_rows(frame, task, by=by, bootstrap=bootstrap)
    for note in evaluation.notes:
        log.warning("note: %s", note)
    return evaluation


def evaluate_rows(
    rows: pl.DataFrame, task: Task, *, by: str | None = None, bootstrap: int = RESAMPLES
) -> Evaluation:
    """Measure labelled rows.

    Args:
        rows: ``label`` with any of ``speech_emotion``, ``emotion`` and what measures read; labels
            and emotions are names of classes.
        task: the classes.
        by: column whose values are also measured one by one.
        bootstrap: resamples that the 95 % intervals come from, 0 for none.

    Returns:
        What was measured.

    Examples:
        >>> rows = pl.DataFrame({"label": ["sad", "angry"], "emotion": ["sad", "sad"]})
        >>> evaluate_rows(rows, Task.of(["angry", "sad"])).value("WA", stage="after")
        50.0
    """
    gated = len(score_table.gated(rows.lazy()).collect())
    measures = every_measure()
    notes = []
    if _is_text_alone(rows):
        rows = rows.drop(STAGES[BEFORE])
        notes.append(TEXT_ALONE)
    if gated:
        # What was recognised is no fair sample of what was said.
        measures = [measure for measure in measures if not measure.of_text]
        notes.append(GATED.format(gated))
    whole = Sample(rows, task, bootstrap)
    if trained := training_rows(whole.scored):
        notes.append(TRAINED.format(trained, len(whole.scored)))
    figures = list(_measured(whole, measures, notes))
    groups = None if by is None else _groups(rows, by)
    for group, part in (groups or {}).items():
        sample = Sample(part, task, group=group)
        figures += _measured(sample, [each for each in measures if each.by_group], notes)
    drawn = whole.drawn.resampled(bootstrap) if bootstrap and len(whole.scored) else None
    return Evaluation(
        task,
        tuple(figures),
        tuple(whole.stages),
        None if groups is None else tuple(groups),
        drawn,
        tuple(notes),
    )


def _is_text_alone(rows: pl.DataFrame) -> bool:
    stages = [name for name in STAGES.values() if name in rows.columns]
    said = [name for name in TEXT_COLUMNS if name in rows.columns]
    has_text = any(rows[name].is_not_null().any() for name in said)
    return stages == [STAGES[BEFORE]] and rows[stages[0]].is_null().all() and has_text


def _measured(sample: Sample, measures: Sequence[Measure], notes: list[str]) -> Iterator[Figure]:
    for measure in measures:
        try:
            figures = list(measure.figures(sample))
        except LabelError as error:
            # Of what the text branch said: labels and predictions have been read before.
            notes.append(f"no figures of {measure.name}: {error}")
            continue
        for figure in figures:
            yield replace(figure, measure=measure.name, group=sample.group)


def _groups(rows: pl.DataFrame, by: str) -> dict[str, pl.DataFrame]:
    parts = rows.partition_by(by, as_dict=True, maintain_order=True)
    ordered = sorted(parts.items(), key=lambda item: (item[0][0] is None, str(item[0][0])))
    return {NO_VALUE if value is None else str(value): part for (value,), part in ordered}


def _labelled(
    rows: pl.LazyFrame,
    task: Task,
    column: str,
    by: str | None,
    label_map: Mapping[str, str | None],
) -> pl.DataFrame:
    names = rows.collect_schema().names()
    if column in STAGES.values():
        raise TableError(f"column {column!r} holds predictions, no labels; rename the column")
    if column not in names:
        raise TableError(f"no column {column!r} to measure against; add it to the manifest")
    if not any(name in names for name in STAGES.values()):
        raise TableError(
            "neither speech scores nor final emotions to measure; is this a table that "
            "`emobatch score` or `emobatch apply` wrote?"
        )
    read = [name for measure in every_measure() for name in measure.columns]
    wanted = (
        *(column, *STAGES.values(), *task.speech_columns),
        *(*read, *ABOUT_ROWS, *([by] if by else [])),
    )
    frame = rows.select(name for name in dict.fromkeys(wanted) if name in names).collect()
    frame = frame.with_columns(canonical(frame[column], task.labels, label_map).alias("label"))
    if "emotion" in names:
        # What was predicted is never dropped or renamed: a label map is for labels.
        remedy = "did `emobatch apply` write this table?"
        frame = frame.with_columns(canonical(frame["emotion"], task.labels, remedy=remedy))
    frame = frame.filter(pl.col("label").is_not_null())
    if frame.is_empty():
        raise TableError(f"no row is labelled; look at column {column!r} and --where")
    return frame
