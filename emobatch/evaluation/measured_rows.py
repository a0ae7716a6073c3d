"""Labelled rows measured: what every measure finds, and what is said beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from emobatch.errors import LabelError
from emobatch.evaluation import in_sample
from emobatch.evaluation.attributes_alone import ATTRIBUTES_ALONE, scale_notes
from emobatch.evaluation.figure import BEFORE, STAGES, Figure
from emobatch.evaluation.in_sample import NOTHING_KNOWN
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.measures import every_measure
from emobatch.evaluation.normalisation import WORDS
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.evaluation.words_alone import NOTE
from emobatch.splits.roles import TrainedOn, training_note
from emobatch.tables import attributes, score_table
from emobatch.tables.fitted_rows import InSample
from emobatch.tables.trained_rows import UNKNOWN, TrainedRows
from emobatch.tasks.labels_read import LABEL
from emobatch.tasks.task import Task
from emobatch.wording import counted

RESAMPLES = 1000
# The group of rows whose column is empty, in `--by`.
NO_VALUE = "(none)"
# What the text branch says, by the kind of its model.
TEXT_COLUMNS = ("sentiment", "text_emotion")
GATED = (
    "{} rows were scored with --gate and their text was not recognised, so word error rate and "
    "figures of what the text branch says are left out"
)
# Of fewer rows each moves a figure by more than ten points.
FEWEST = 10
ONE_CLASS = (
    "all rows that are measured are labelled {}, so that UA is the recall of that class and F1 "
    "says nothing; measure rows of all classes"
)
FEW = "figures are of {}; of fewer than {} they say next to nothing"
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
    rows, measures, notes = _measurable(rows)
    whole = Sample(rows, task, bootstrap, normalisation=wer_normalisation)
    notes += trained.notes(whole.scored)
    by_split = training_note(whole.scored, trained_on, TRAINED, MAYBE_TRAINED)
    if by_split and not trained.knows("speech"):
        notes.append(by_split)
    overlap = fitted.overlap(whole.scored)
    notes += in_sample.note(overlap, len(whole.scored))
    notes += _says_little(whole.scored)
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


def _says_little(scored: pl.DataFrame) -> list[str]:
    # Figures of 0 or 100 would stand there like any others.
    labels = scored[LABEL].unique().to_list() if LABEL in scored.columns else []
    if len(labels) == 1:
        return [ONE_CLASS.format(labels[0])]
    return (
        [FEW.format(counted(len(scored), "row"), FEWEST)] if labels and len(scored) < FEWEST else []
    )


def _measurable(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Measure], list[str]]:
    # What of the rows can be measured, by what, and what is to be said of that.
    measures, notes = every_measure(), []
    if _is_text_alone(rows):
        rows = rows.drop(STAGES[BEFORE])
        notes.append(TEXT_ALONE)
    if gated := len(score_table.gated(rows.lazy()).collect()):
        # What was recognised is no fair sample of what was said.
        measures = [measure for measure in measures if not measure.of_text]
        notes.append(GATED.format(gated))
    if LABEL not in rows.columns:
        measures = [measure for measure in measures if not measure.needs_labels]
        notes.append(ATTRIBUTES_ALONE if attributes.measurable(rows.columns) else NOTE)
    return rows, measures, notes + list(scale_notes(rows))


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
