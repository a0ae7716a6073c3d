"""The report of a table with attributes and without final emotions.

What ridge decided, or what `score` wrote with a model of attributes. The figures are those of
`evaluate`; what the page of final emotions has of these is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from emobatch.errors import OptionError, ThresholdsError
from emobatch.evaluation.agreement import CCC
from emobatch.evaluation.attributes_alone import has_attributes_alone
from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.evaluate import evaluate_table
from emobatch.evaluation.measures.attributes import MEAN, STAGES
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.words_alone import has_some
from emobatch.fusion.description import Table
from emobatch.fusion.file import Fitted
from emobatch.fusion.pooling import FUSION, NO_TEXT
from emobatch.reporting.attributes_section import SAID, attributes_section
from emobatch.reporting.described import Part, grid, parts
from emobatch.reporting.final_table import final_rows
from emobatch.reporting.labels_section import labels_section
from emobatch.reporting.page import render, sentence, title
from emobatch.reporting.run_notes import run_notes
from emobatch.reporting.speech_section import speech_section
from emobatch.reporting.training_section import training_section
from emobatch.scoring.outcome import causes
from emobatch.splits.roles import TrainedOn
from emobatch.tables import attributes, reading, writing
from emobatch.tables.attributes import DECIDED_BY, PREFIXES
from emobatch.tables.label_column import label_column as find_label_column
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.labels import parse_label_map
from emobatch.wording import counted

log = logging.getLogger(__name__)
UNLABELLED = "no row has a label that anything was predicted of, so that figures are left out"
NO_THRESHOLDS = "without a thresholds file (-t), what it says of the method is left out"
BY = {
    FUSION: "decided by both branches (fusion)",
    NO_TEXT: "decided by the speech branch alone (no-text)",
}
PREDICTED = "What was predicted of rows, by what, and why not"
# Causes of failed rows that are listed; those of fewest rows are counted together.
MOST_CAUSES = 20


def write(
    table: ScoreTable,
    target: Path,
    fitted: tuple[Path, Fitted] | None,
    *,
    of_changes: Mapping[str, bool],
    label_column: str | None = None,
    label_map: Sequence[str] = (),
    sentiment_map: Sequence[str] = (),
    trained_on: TrainedOn | None = None,
) -> None:
    """Write the page; the same input gives the same bytes.

    Args:
        table: a score table or a final table, without final emotions.
        target: the page, HTML.
        fitted: what its attributes were decided with, and the file that says so; None for none.
        of_changes: options that are about changed emotions, and whether they were given.
        label_column: column that holds labels of classes.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        sentiment_map: ``CLASS=SENTIMENT`` pairs.
        trained_on: splits that the speech model was trained on; None where that is not known.

    Raises:
        EmobatchError: if something can't be read or written, or is about emotions alone.
    """
    for option, is_given in of_changes.items():
        if is_given:
            raise OptionError(
                f"{option}: the table has no final emotions that could change; leave it out"
            )
    if fitted is not None:
        table = _decided(table, *fitted)
    task = table.task.with_sentiments(sentiment_map)
    aliases = parse_label_map(label_map, task.labels)
    with reading.explained(table.name):
        rows, read = final_rows(table, task, label_column, aliases)
        is_measured = _has_labels(table, find_label_column(table, label_column))
    evaluation = None
    if is_measured:
        evaluation = evaluate_table(
            table,
            by=SPEAKER if SPEAKER in rows.columns else None,
            label_column=label_column,
            label_map=label_map,
            sentiment_map=sentiment_map,
            trained_on=trained_on,
        )
    own = [] if evaluation else [UNLABELLED]
    if fitted is None and DECIDED_BY in rows.columns:
        own.append(NO_THRESHOLDS)
    for note in own:
        log.warning("note: %s", note)
    method = [] if fitted is None else list(fitted[1].method.describe())
    shown = (
        attributes_section(rows, task, evaluation),
        _rows_section(rows),
        speech_section(rows, evaluation),
        *parts(method),
        labels_section(read, rows, ("speech_emotion",)),
        training_section(table),
    )
    page = render(
        "parts",
        {
            "kind": "report",
            "title": title(table.sources),
            "summary": _summary(rows, evaluation),
            "notes": [sentence(note) for note in (*(evaluation.notes if evaluation else ()), *own)],
            "parts": [each for each in shown if each is not None],
            "provenance": run_notes(table, _counted(rows), *(fitted or (None, None))),
        },
    )
    writing.write_text(target, page)


def _decided(table: ScoreTable, file: Path, fitted: Fitted) -> ScoreTable:
    if not fitted.method.of_attributes:
        raise ThresholdsError(
            f"{file}: {fitted.method.name} decides emotions, and the table has no final ones; name "
            "the file that its attributes were decided with, or leave -t out"
        )
    if DECIDED_BY not in table.rows.collect_schema():
        raise ThresholdsError(
            f"{file}: the table has no column {DECIDED_BY!r}, so it was not decided with this; "
            "`emobatch apply -t` does that, or leave -t out"
        )
    return replace(table, attributes_with=dict.fromkeys(table.sources, fitted.fitted))


def _has_labels(table: ScoreTable, column: str) -> bool:
    # Whether `evaluate` measures anything of it.
    if has_attributes_alone(table.rows, column):
        return True
    names = table.rows.collect_schema().names()
    has_speech = any(name in names for name in table.task.speech_columns)
    return has_speech and column in names and has_some(table.rows, column)


def _predicted(rows: pl.DataFrame) -> pl.DataFrame:
    names = attributes.predicted(rows.columns)
    return rows.filter(pl.any_horizontal(pl.col(names).is_not_null()))


def _counted(rows: pl.DataFrame) -> str:
    labels = list(attributes.labels(rows.columns).values())
    labelled = rows.filter(pl.any_horizontal(pl.col(labels).is_not_null()))
    return (
        f"{len(rows)}, of which {len(_predicted(rows))} have attributes and {len(labelled)} labels "
        "of attributes"
    )


def _summary(rows: pl.DataFrame, evaluation: Evaluation | None) -> str:
    without = len(rows) - len(_predicted(rows))
    said = counted(len(rows), "row") + (
        f", {without} of them without attributes. " if without else ". "
    )
    means = {
        stage: evaluation.get(CCC, stage=stage, of_class=MEAN) if evaluation else None
        for stage in STAGES
    }
    known = {stage: mean for stage, mean in means.items() if mean and not mean.is_undefined}
    if not known:
        return said.strip()
    told = ", ".join(f"{SAID[stage]} {mean.value or 0:.3f}" for stage, mean in known.items())
    return f"{said}Mean CCC of attributes against their labels: {told}."


def _rows_section(rows: pl.DataFrame) -> Part:
    return Part("Rows", (grid(Table(PREDICTED, ("rows that", "rows"), tuple(_kinds(rows)))),))


def _kinds(rows: pl.DataFrame) -> Iterator[tuple[str, int]]:
    # What was predicted of them, by whom, and why not.
    for stage, prefix in zip(STAGES, PREFIXES, strict=True):
        names = list(attributes.predictions(rows.columns, prefix).values())
        if names and prefix:
            found = rows.filter(pl.any_horizontal(pl.col(names).is_not_null()))
            yield f"have attributes of {SAID[stage]}", len(found)
    if DECIDED_BY in rows.columns:
        for name, said in BY.items():
            yield f"were {said}", int((rows[DECIDED_BY].cast(pl.String) == name).sum())
    yield "have no attributes", len(rows) - len(_predicted(rows))
    if not {"path", "status", "error"} <= set(rows.columns):
        return
    ordered = sorted(causes(rows.lazy()).items(), key=lambda item: (-item[1], item[0]))
    for cause, count in ordered[:MOST_CAUSES]:
        yield f"failed: {cause}", count
    if others := sum(count for _, count in ordered[MOST_CAUSES:]):
        yield "failed for other causes", others
