"""Tables measured against their labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from emobatch.errors import TableError
from emobatch.evaluation import in_sample
from emobatch.evaluation.attributes_alone import has_attributes_alone
from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.labelled_rows import labelled_rows
from emobatch.evaluation.measured_rows import RESAMPLES, evaluate_rows
from emobatch.evaluation.normalisation import WORDS
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.words_alone import HEARD, SAID, has_words_alone
from emobatch.splits import leakage
from emobatch.splits.roles import TrainedOn
from emobatch.tables import attributes, doubled_rows, left_out, reading, score_table, trained_rows
from emobatch.tables import label_column as label_columns
from emobatch.tables.fitted_rows import ID
from emobatch.tables.score_table import ScoreTable
from emobatch.tables.where import refuse_nothing_kept
from emobatch.tasks.labels import parse_label_map
from emobatch.tasks.labels_read import LABEL

log = logging.getLogger(__name__)


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
        refuse_nothing_kept(table.rows, table.unfiltered, table.where)
        doubled_rows.check(table)
        if by is not None and by not in names:
            raise TableError(f"no column {by!r} to go by; the columns are {', '.join(names)}")
        column = label_columns.checked_column([table], label_column, aliases, task.labels)
        if _has_no_classes(table.rows, column, is_meant=label_column is not None):
            return _told(_without_classes(table, by, bootstrap, wer_normalisation))
        given = label_columns.has_given_emotion(names)
        frame, read, missing = labelled_rows(table, task, column, by, aliases, given=given)
        if given:  # the manifest's is no prediction
            frame = frame.rename({"emotion": label_columns.GIVEN_EMOTION}, strict=False)
            by = label_columns.GIVEN_EMOTION if by == "emotion" else by
        leakage.warn(table.unfiltered)
    has_label = pl.col(LABEL).is_not_null()
    frame, unlabelled = frame.filter(has_label), frame.filter(~has_label)
    evaluation = evaluate_rows(
        frame,
        task,
        by=by,
        bootstrap=bootstrap,
        fitted=in_sample.of_table(table),
        trained_on=trained_on,
        trained=trained_rows.of_table(table),
        wer_normalisation=wer_normalisation,
        unlabelled=unlabelled,
    )
    said = left_out.spoken(missing, len(frame) + missing["unlabelled"] + missing["dropped"])
    notes = [read.note(), *([said] if said else []), *_of_attributes(table, frame)]
    return _told(
        replace(evaluation, notes=(*notes, *evaluation.notes), labels=read, left_out=missing)
    )


def _has_no_classes(rows: pl.LazyFrame, column: str, *, is_meant: bool) -> bool:
    # Then words or attributes are all that can be measured. A column that was named and isn't
    # there is an error, and one that is there holds labels.
    there = column in rows.collect_schema()
    words = (there or not is_meant) and has_words_alone(rows, column)
    return words or (not is_meant and has_attributes_alone(rows, column))


def _of_attributes(table: ScoreTable, rows: pl.DataFrame) -> list[str]:
    # Rows may have been fitted on for their attributes that weren't for their classes.
    overlap = in_sample.of_table(table, table.attributes_with).overlap(rows)
    return [f"attributes: {each}" for each in in_sample.note(overlap, len(rows))]


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
