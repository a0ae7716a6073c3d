"""A method, fitted on labelled rows of score tables and written to a thresholds file."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import OptionError
from emobatch.evaluation.metrics import metrics
from emobatch.fusion import arrays, best, file
from emobatch.fusion.calibration import Calibration, made_of
from emobatch.fusion.file import Fitted
from emobatch.fusion.fit_and_decide import columns_read, decide, fit, refuse_shards
from emobatch.fusion.labelled import Labelled, labelled_rows
from emobatch.fusion.methods import BEST, DEFAULT, METHODS, options_for
from emobatch.fusion.ridge.calibration import of_attributes
from emobatch.splits.roles import TRAIN, VAL, TrainedOn, training_note
from emobatch.tables import doubled_rows, reading, score_table, trained_rows, writing
from emobatch.tables.label_column import checked_column
from emobatch.tables.left_out import spoken
from emobatch.tables.score_table import ScoreTable
from emobatch.tables.where import refuse_nothing_kept
from emobatch.tasks.labels import parse_label_map
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)
TRAINED = (
    "the speech model was trained on {} of {} rows (split '{}') and is surer of these than of new "
    "speech"
)
MAYBE_TRAINED = (
    "{} of {} rows are of the split '{}'; if the speech model was trained on them, it is surer of "
    "them than of new speech (answer with --trained-on)"
)

OF_ATTRIBUTES = (
    "--method {} is fitted on columns 'arousal', 'valence' and 'dominance', and takes no options "
    "of classes: leave out --label-column, --label-map, --sentiment-map, --bootstrap, --trained-on"
)


def calibrate(
    sources: Sequence[str],
    target: Path | None = None,
    *,
    method: str = DEFAULT,
    where: str | None = None,
    label_column: str | None = None,
    label_map: Sequence[str] = (),
    sentiment_map: Sequence[str] = (),
    bootstrap: int | None = None,
    trained_on: TrainedOn | None = None,
    force: bool = False,
    **options: Any,
) -> Calibration:
    """Fit a method on the labelled rows of score tables and write it.

    Args:
        sources: score tables, globs or ``-``.
        target: the thresholds file, standard output where None.
        method: its name; ``best`` for the one that suits the rows, see
            :mod:`emobatch.fusion.best`.
        where: SQL expression; only rows for which it holds are fitted on.
        label_column: column that holds the labels; None for the one that `score` was told of,
            else ``label``.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        sentiment_map: ``CLASS=SENTIMENT`` pairs that override what classes stand for.
        bootstrap: resamples that say how firm what was fitted is, see
            :meth:`emobatch.fusion.method.Method.examined`.
        trained_on: splits that the speech model was trained on; None where that is not known.
        force: read tables of several runs that differ.
        options: of the method, see :data:`emobatch.fusion.methods.OPTIONS`; None for its default.

    Returns:
        What was found.

    Raises:
        EmobatchError: if something can't be read, fitted or written.
    """
    writing.check_target(target, [".toml"])
    if method in METHODS and METHODS[method].has_arrays:
        arrays.refuse_standard_output(target, method)
    scores = score_table.read(sources, where, mixed=force)
    calibration = calibrated(
        scores,
        method=method,
        label_column=label_column,
        label_map=label_map,
        sentiment_map=sentiment_map,
        bootstrap=bootstrap,
        trained_on=trained_on,
        **options,
    )
    file.write(calibration.fitted, target)
    return calibration


def calibrated(
    scores: ScoreTable,
    *,
    method: str = DEFAULT,
    label_column: str | None = None,
    label_map: Sequence[str] = (),
    sentiment_map: Sequence[str] = (),
    bootstrap: int | None = None,
    trained_on: TrainedOn | None = None,
    **options: Any,
) -> Calibration:
    """Fit a method on the labelled rows of a score table.

    Args:
        scores: the table.
        method: its name.
        label_column: as for :func:`calibrate`, and so on.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        sentiment_map: ``CLASS=SENTIMENT`` pairs that override what classes stand for.
        bootstrap: resamples that say how firm what was fitted is.
        trained_on: splits that the speech model was trained on; None where that is not known.
        options: of the method.

    Returns:
        What was found.

    Raises:
        EmobatchError: if something can't be fitted.
    """
    given = options_for(best.CANDIDATES if method == BEST else [method], options)
    with reading.explained(scores.name):
        refuse_nothing_kept(scores.rows, scores.unfiltered, scores.where)
        doubled_rows.check(scores)
    if method in METHODS and METHODS[method].of_attributes:
        if label_column or label_map or sentiment_map or bootstrap or trained_on:
            raise OptionError(OF_ATTRIBUTES.format(method))
        return of_attributes(scores, given[method])
    task = scores.task.with_sentiments(sentiment_map)
    labelled = _labelled(scores, task, given, label_column, label_map)
    rows = labelled.rows
    chosen = (
        best.choose(rows, labelled.unlabelled, task, given, trained_on) if method == BEST else None
    )
    name = chosen.method if chosen else method
    begun = fit(
        METHODS[name], rows, labelled.unlabelled, task, trained_on=trained_on, **given[name]
    )
    fitted, drawn = begun.examined(rows, bootstrap)
    refuse_shards(scores, fitted)
    decided = decide(fitted, rows, labelled.unlabelled)
    before = metrics(rows["label"], rows["speech_emotion"], task.classes)
    after = metrics(rows["label"], decided["emotion"], task.classes)
    for note in _notes(labelled, chosen):
        log.warning("note: %s", note)
    warnings = [*fitted.warnings(), *_training(scores, rows, trained_on)]
    for text in warnings:
        log.warning("warning: %s", text)
    provenance = {
        **_of_labels(labelled),
        **fitted.settings(),
        "chosen": chosen.to_document() if chosen else None,
        "before": before,
        "after": after,
        "warnings": warnings or None,
        "bootstrap": drawn,
        **made_of(scores, rows, fitted),
    }
    return Calibration(Fitted(fitted, provenance), before, after)


def _labelled(
    scores: ScoreTable,
    task: Task,
    given: Mapping[str, Mapping[str, Any]],
    label_column: str | None,
    label_map: Sequence[str],
) -> Labelled:
    # With the columns that the methods read.
    aliases = parse_label_map(label_map, task.labels)
    column = checked_column([scores], label_column, aliases, task.labels)
    with reading.explained(scores.name):
        others = columns_read(scores.rows, given)
    reads_text = any(METHODS[name].reads_text for name in given)
    return labelled_rows(scores, task, column, aliases, others, text=reads_text)


def _notes(labelled: Labelled, chosen: best.Choice | None) -> Iterator[str]:
    left_out = labelled.left_out
    yield labelled.read.note()
    if said := spoken(left_out, len(labelled.rows) + sum(left_out.values())):
        yield said
    yield from chosen.notes() if chosen else ()


def _of_labels(labelled: Labelled) -> dict[str, Any]:
    return {
        "rows": len(labelled.rows),
        "left_out": {name: count for name, count in labelled.left_out.items() if count} or None,
        "labels": labelled.read.as_dict(),
    }


def _training(scores: ScoreTable, rows: pl.DataFrame, trained_on: TrainedOn | None) -> list[str]:
    known = trained_rows.of_table(scores)
    if known.knows("speech"):
        for note in known.notes(rows, [VAL]):
            log.warning("note: %s", note)
        return known.notes(rows, [TRAIN])
    said = training_note(rows, trained_on, TRAINED, MAYBE_TRAINED)
    if said and trained_on is None:
        log.warning("note: %s", said)  # it may be so or not: no matter for the file
        return []
    return [said] if said else []
