"""Tables measured against their labels."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from emobatch.errors import LabelError, TableError
from emobatch.evaluation import in_sample
from emobatch.evaluation.attributes_alone import ATTRIBUTES_ALONE, has_attributes_alone, scale_notes
from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.figure import BEFORE, STAGES, Figure
from emobatch.evaluation.in_sample import NOTHING_KNOWN
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.measures import every_measure
from emobatch.evaluation.normalisation import WORDS
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.evaluation.words_alone import HEARD, NOTE, SAID, has_words_alone
from emobatch.splits import leakage
from emobatch.splits.roles import SPLIT_COLUMN, TrainedOn, training_note
from emobatch.tables import attributes, left_out, reading, score_table, trained_rows
from emobatch.tables import label_column as label_columns
from emobatch.tables.fitted_rows import ID, InSample
from emobatch.tables.score_table import ScoreTable
from emobatch.tables.trained_rows import UNKNOWN, TrainedRows
from emobatch.tasks.label_columns import canonical, read_labels
from emobatch.tasks.labels import LabelMap, parse_label_map
from emobatch.tasks.labels_read import LABEL, LabelsRead
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)
RESAMPLES = 1000
# The group of rows whose column is empty, in `--by`.
NO_VALUE = "(none)"
# What says of rows how they may be measured, where a table has it.
ABOUT_ROWS = (ID, "transcript_source", SPEAKER, SPLIT_COLUMN)
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
    "the speech model was trained on {} of {} labelled rows (split '{}'), which say little of new "
    "speech; leave them out with --where"
)
MAYBE_TRAINED = (
    "{} of {} labelled rows are of the split '{}'; if the speech model was trained on them, they "
    "say little of new speech (answer with --trained-on)"
)


def evaluate(
    sources: Sequence[str],
    *,
    where: str | None = None,
    by: str | None = None,
    classes: str | None = None,
    sentiment_map: Sequence[str] = (),
    label_column: str | None = None,
    label_map: Sequence[str] = (),
    bootstrap: int = RESAMPLES,
    trained_on: TrainedOn | None = None,
    wer_normalisation: str = WORDS,
) -> Evaluation:
    """Measure score tables or final tables against their labels.

    Args:
        sources: tables, globs or ``-``.
        where: SQL expression; only rows for which it holds count.
        by: column whose values are also measured one by one.
        classes: the value of `--classes`, for tables that don't say what their classes are.
        sentiment_map: ``CLASS=SENTIMENT`` pairs, for classes that are taken for another sentiment
            or none.
        label_column: column that holds the labels; None for the one that `score` was told of,
            else ``label``.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        bootstrap: resamples that the 95 % intervals come from, 0 for none.
        trained_on: splits that the speech model was trained on; None where that is not known.
        wer_normalisation: what is done to texts before words are compared, see
            :func:`emobatch.evaluation.normalisation.normalised`.

    Returns:
        What was measured; its notes have been logged.

    Raises:
        EmobatchError: if a table can't be read or has nothing to measure.
    """
    return evaluate_table(
        score_table.read(sources, where, mixed=True, classes=classes),
        by=by,
        sentiment_map=sentiment_map,
        label_column=label_column,
        label_map=label_map,
        bootstrap=bootstrap,
        trained_on=trained_on,
        wer_normalisation=wer_normalisation,
    )


def evaluate_table(
    table: ScoreTable,
    *,
    by: str | None = None,
    sentiment_map: Sequence[str] = (),
    label_column: str | None = None,
    label_map: Sequence[str] = (),
    bootstrap: int = RESAMPLES,
    trained_on: TrainedOn | None = None,
    wer_normalisation: str = WORDS,
) -> Evaluation:
    """Measure a table against its labels.

    Args:
        table: a score table or a final table.
        by: as for :func:`evaluate`, and so on.
        sentiment_map: ``CLASS=SENTIMENT`` pairs.
        label_column: column that holds the labels.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        bootstrap: resamples that the 95 % intervals come from, 0 for none.
        trained_on: splits that the speech model was trained on; None where that is not known.
        wer_normalisation: what is done to texts before words are compared.

    Returns:
        What was measured; its notes have been logged.

    Raises:
        EmobatchError: if there is nothing to measure.
    """
    task = table.task.with_sentiments(sentiment_map)
    aliases = parse_label_map(label_map, task.labels)
    with reading.explained(table.name):
        names = table.rows.collect_schema().names()
        if by is not None and by not in names:
            raise TableError(f"no column {by!r} to go by; the columns are {', '.join(names)}")
        column = label_columns.checked_column([table], label_column, aliases, task.labels)
        if (label_column is None or column in names) and has_words_alone(table.rows, column):
            return _told(_without_classes(table, by, bootstrap, wer_normalisation))
        if label_column is None and has_attributes_alone(table.rows, column):
            return _told(_without_classes(table, by, bootstrap, wer_normalisation))
        given = label_columns.has_given_emotion(names)
        frame, read, missing = _read(table, task, column, by, aliases, given=given)
        if given:  # the manifest's is no prediction
            frame = frame.rename({"emotion": label_columns.GIVEN_EMOTION}, strict=False)
            by = label_columns.GIVEN_EMOTION if by == "emotion" else by
        leakage.warn(table.unfiltered)
    fitted = in_sample.of_table(table)
    has_label = pl.col(LABEL).is_not_null()
    frame, unlabelled = frame.filter(has_label), frame.filter(~has_label)
    evaluation = evaluate_rows(
        frame,
        task,
        by=by,
        bootstrap=bootstrap,
        fitted=fitted,
        trained_on=trained_on,
        trained=trained_rows.of_table(table),
        wer_normalisation=wer_normalisation,
        unlabelled=unlabelled,
    )
    said = left_out.spoken(missing, len(frame) + missing["unlabelled"] + missing["dropped"])
    of_attributes = in_sample.of_table(table, table.attributes_with).overlap(frame)
    flattered = [f"attributes: {each}" for each in in_sample.note(of_attributes, len(frame))]
    notes = [read.note(), *([said] if said else []), *flattered]
    return _told(
        replace(evaluation, notes=(*notes, *evaluation.notes), labels=read, left_out=missing)
    )


def evaluate_rows(
    rows: pl.DataFrame,
    task: Task,
    *,
    by: str | None = None,
    bootstrap: int = RESAMPLES,
    fitted: InSample = NOTHING_KNOWN,
    trained_on: TrainedOn | None = None,
    trained: TrainedRows = UNKNOWN,
    wer_normalisation: str = WORDS,
    unlabelled: pl.DataFrame | None = None,
) -> Evaluation:
    """Measure labelled rows.

    Args:
        rows: ``label`` with any of ``speech_emotion``, ``emotion`` and what measures read; labels
            and emotions are names of classes. Without ``label`` what needs none is measured.
        task: the classes.
        by: column whose values are also measured one by one.
        bootstrap: resamples that the 95 % intervals come from, 0 for none.
        fitted: which rows the thresholds were fitted on.
        trained_on: splits that the speech model was trained on; None where that is not known.
        trained: which rows models say they were trained on, which goes before splits.
        wer_normalisation: of texts, see :func:`emobatch.evaluation.normalisation.normalised`.
        unlabelled: further rows, for measures that need no label of a class.

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
    if LABEL not in rows.columns:
        measures = [measure for measure in measures if not measure.needs_labels]
        notes.append(ATTRIBUTES_ALONE if attributes.measurable(rows.columns) else NOTE)
    notes += scale_notes(rows)
    whole = Sample(rows, task, bootstrap, normalisation=wer_normalisation)
    notes += trained.notes(whole.scored)
    by_split = training_note(whole.scored, trained_on, TRAINED, MAYBE_TRAINED)
    if by_split and not trained.knows("speech"):
        notes.append(by_split)
    overlap = fitted.overlap(whole.scored)
    notes += in_sample.note(overlap, len(whole.scored))
    others = rows.clear() if unlabelled is None else unlabelled
    figures = list(_measured(whole, others, measures, notes))
    groups = None if by is None else _groups(rows, by)
    for group, part in (groups or {}).items():
        sample = Sample(part, task, group=group, normalisation=wer_normalisation)
        mine = others.clear() if by is None else others.filter(_is_of(by, group, part))
        figures += _measured(sample, mine, [each for each in measures if each.by_group], notes)
    drawn = whole.drawn.resampled(bootstrap) if bootstrap and len(whole.scored) else None
    return Evaluation(
        task,
        tuple(figures),
        tuple(whole.stages),
        None if groups is None else tuple(groups),
        drawn,
        tuple(notes),
        in_sample=overlap,
        normalisation=wer_normalisation,
    )


def _without_classes(
    table: ScoreTable, by: str | None, bootstrap: int, normalisation: str
) -> Evaluation:
    names = table.rows.collect_schema().names()
    mine = attributes.measurable(names)
    wanted = (SAID, HEARD, SPEAKER, ID, "transcript_source", *mine, *([by] if by else []))
    rows = table.rows.select(name for name in dict.fromkeys(wanted) if name in names)
    rows = attributes.with_numbers(rows) if mine else rows
    return evaluate_rows(
        rows.collect(),
        table.task,
        by=by,
        bootstrap=bootstrap,
        fitted=in_sample.of_table(table, table.attributes_with),
        wer_normalisation=normalisation,
    )


def _told(evaluation: Evaluation) -> Evaluation:
    for note in evaluation.notes:
        log.warning("note: %s", note)
    return evaluation


def _is_text_alone(rows: pl.DataFrame) -> bool:
    stages = [name for name in STAGES.values() if name in rows.columns]
    said = [name for name in TEXT_COLUMNS if name in rows.columns]
    has_text = any(rows[name].is_not_null().any() for name in said)
    return stages == [STAGES[BEFORE]] and rows[stages[0]].is_null().all() and has_text


def _measured(
    sample: Sample, unlabelled: pl.DataFrame, measures: Sequence[Measure], notes: list[str]
) -> Iterator[Figure]:
    everything = sample
    if len(unlabelled):
        rows = pl.concat([sample.rows, unlabelled.select(sample.rows.columns)])
        everything = replace(sample, rows=rows)
    for measure in measures:
        try:
            figures = list(measure.figures(everything if measure.of_unlabelled else sample))
        except LabelError as error:
            # Of what the text branch said: labels and predictions have been read before.
            notes.append(f"no figures of {measure.name}: {error}")
            continue
        for figure in figures:
            yield replace(figure, measure=measure.name, group=sample.group)


def _is_of(by: str, group: str, part: pl.DataFrame) -> pl.Expr:
    value = part[by][0]
    return pl.col(by).is_null() if value is None else pl.col(by) == pl.lit(value)


def _groups(rows: pl.DataFrame, by: str) -> dict[str, pl.DataFrame]:
    parts = rows.partition_by(by, as_dict=True, maintain_order=True)
    ordered = sorted(parts.items(), key=lambda item: (item[0][0] is None, str(item[0][0])))
    return {NO_VALUE if value is None else str(value): part for (value,), part in ordered}


def _read(
    table: ScoreTable,
    task: Task,
    column: str,
    by: str | None,
    label_map: LabelMap,
    *,
    given: bool,
) -> tuple[pl.DataFrame, LabelsRead, Mapping[str, int]]:
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
        *(f"{score_table.FINAL}{name}" for name in task.classes),
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
