"""The report: one page that shows what was run, what came of it, and which rows changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import ThresholdsError
from emobatch.evaluation import in_sample
from emobatch.evaluation.figure import AFTER, BEFORE
from emobatch.evaluation.in_sample import NOTHING_KNOWN
from emobatch.evaluation.measured_rows import evaluate_rows
from emobatch.evaluation.measures.judge import TESTED
from emobatch.evaluation.metrics import OF_CLASSES
from emobatch.evaluation.paired_test import TEST
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.transitions import transitions
from emobatch.fusion import file
from emobatch.fusion.file import Fitted
from emobatch.fusion.method import Method
from emobatch.reporting import attributes_report, illustrations
from emobatch.reporting.attributes_section import attributes_section
from emobatch.reporting.chance import chance
from emobatch.reporting.changes import changed_rows
from emobatch.reporting.conditions_section import conditions_section
from emobatch.reporting.decisions import Decisions, decisions
from emobatch.reporting.described import parts
from emobatch.reporting.figures.confusion import MANY
from emobatch.reporting.figures.flow import largest
from emobatch.reporting.final_table import final_rows, is_final
from emobatch.reporting.judge_section import judge_section
from emobatch.reporting.labels_section import labels_section
from emobatch.reporting.neutral_section import neutral_section
from emobatch.reporting.other_tables import largest_confusions, other_figures
from emobatch.reporting.page import render, sentence, title
from emobatch.reporting.run_notes import run_notes
from emobatch.reporting.training_section import training_section
from emobatch.splits.roles import TrainedOn
from emobatch.tables import doubled_rows, reading, score_table, trained_rows, writing
from emobatch.tables.fitted_rows import InSample
from emobatch.tables.judged import JUDGE, unjudged
from emobatch.tables.trained_rows import UNKNOWN, TrainedRows
from emobatch.tables.where import refuse_nothing_kept
from emobatch.tasks.labels import parse_label_map
from emobatch.tasks.task import Task
from emobatch.wording import counted

log = logging.getLogger(__name__)
EXTENSIONS = (".html", ".htm")
KINDS = ("rows", "better", "worse", "neither", "no label")
# The table of changed rows is too wide for the page where classes have longer names.
LONG_NAME = 11
UNLABELLED = (
    "No row has both a label and a final emotion, so figures, confusion matrices, uncertainty of "
    "right and wrong rows, and confidence are left out."
)
NO_THRESHOLDS = "Without a thresholds file (-t), what it says of the method is left out."


def report(
    sources: Sequence[str],
    target: Path,
    *,
    thresholds_file: Path | None = None,
    where: str | None = None,
    label_column: str | None = None,
    label_map: Sequence[str] = (),
    sentiment_map: Sequence[str] = (),
    trained_on: TrainedOn | None = None,
    control: bool = False,
    audio: bool = False,
    root: Path | None = None,
) -> None:
    """Write a page about final tables; the same input gives the same bytes.

    Args:
        sources: final tables, globs or ``-``; or score tables with attributes, see
            :mod:`emobatch.reporting.attributes_report`.
        target: the page, HTML.
        thresholds_file: what the tables were decided with.
        where: SQL expression; only rows for which it holds are shown.
        label_column: column that holds the labels; None for the one that `score` was told of,
            else ``label``, which may be missing.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        sentiment_map: ``CLASS=SENTIMENT`` pairs, for classes that are taken for another sentiment
            or none.
        trained_on: splits that the speech model was trained on; None where that is not known.
        control: show what is gained with text shuffled as well.
        audio: let the changed rows be heard.
        root: folder that their paths are relative to; by default that of the first table.

    Raises:
        EmobatchError: if something can't be read or written.
    """
    writing.check_target(target, EXTENSIONS)
    fitted = file.read(thresholds_file) if thresholds_file else None
    table = score_table.read(sources, where, mixed=True)
    with reading.explained(table.name):
        refuse_nothing_kept(table.rows, table.unfiltered, table.where)
        doubled_rows.check(table)
    if not is_final(table):
        attributes_report.write(
            table,
            target,
            None if fitted is None or thresholds_file is None else (thresholds_file, fitted),
            of_changes={"--control": control, "--audio": audio},
            label_column=label_column,
            label_map=label_map,
            sentiment_map=sentiment_map,
            trained_on=trained_on,
        )
        return
    task = table.task.with_sentiments(sentiment_map)
    method = fitted.method if fitted else None
    if fitted is not None:
        _check_classes(fitted, task, str(thresholds_file))
    aliases = parse_label_map(label_map, task.labels)
    drawn = chance(table, method, label_column, aliases) if control else None
    with reading.explained(table.name):
        rows, read = final_rows(table, task, label_column, aliases)
        known = in_sample.of_table(table)
        if fitted is not None:
            known = in_sample.of_thresholds(fitted.fitted, str(thresholds_file)) or known
        heard_in = (root or Path(table.sources[0]).parent) if audio else None
        trained = trained_rows.of_table(table)
        contents = gather(rows, task, method, known, trained_on, heard_in, trained)
    for note in [*([read.note()] if read else []), *contents["notes"]]:
        log.warning("note: %s", note)
    if heard := contents["changes"].sounds:
        log.info("note: %s", heard.says)
    page = render(
        "report",
        {
            "title": title(table.sources),
            "provenance": run_notes(table, _counted(rows), thresholds_file, fitted),
            "labels": labels_section(read, rows),
            "chance": drawn,
            "training": training_section(table),
            **contents,
        },
    )
    writing.write_text(target, page)


def gather(
    rows: pl.DataFrame,
    task: Task,
    method: Method | None,
    fitted: InSample = NOTHING_KNOWN,
    trained_on: TrainedOn | None = None,
    audio_root: Path | None = None,
    trained: TrainedRows = UNKNOWN,
) -> dict[str, Any]:
    """Measure and draw what the page shows.

    Args:
        rows: see :func:`emobatch.reporting.final_table.final_rows`.
        task: the classes.
        method: what decided the rows.
        fitted: which rows it was fitted on.
        trained_on: splits that the speech model was trained on; None where that is not known.
        audio_root: folder of the clips' files, where changed rows are to be heard.
        trained: which rows models say they were trained on.

    Returns:
        What the template names.
    """
    scored = rows.drop_nulls(["speech_emotion", "emotion"])
    labelled = scored.drop_nulls("label")
    evaluation = (
        evaluate_rows(
            rows.drop_nulls("label"), task, fitted=fitted, trained_on=trained_on, trained=trained
        )
        if len(labelled)
        else None
    )
    fused = unjudged(scored)
    decided = decisions(fused, task.classes)
    changes = _changes(scored, task)
    shown = largest(changes)
    described = [] if method is None else list(method.describe())
    if method is not None and evaluation is not None:
        described += method.describe_on(unjudged(labelled))
    return {
        "notes": _notes(scored, labelled, evaluation, method),
        "summary": _summary(len(rows), decided, _changes(fused, task), evaluation),
        "evaluation": evaluation,
        "of_classes": OF_CLASSES,
        "test": TEST,
        "decisions": decided,
        "transitions": shown.to_dicts(),
        "other_changes": len(changes) - len(shown),
        "kinds_of_change": [name for name in KINDS if changes[name].sum() or name != "no label"],
        "flow": illustrations.changes_flow(changes, task.classes) if len(changes) else None,
        "neutral": neutral_section(evaluation) if evaluation else None,
        "judge": judge_section(evaluation) if evaluation else None,
        "conditions": conditions_section(unjudged(labelled), task),
        "attributes": attributes_section(rows, task),
        "changes": changed_rows(scored, audio_root=audio_root),
        "has_long_names": max(map(len, task.classes)) > LONG_NAME,
        "method": parts(described),
        **(_measured(labelled, evaluation, method) if evaluation else {}),
    }


def _check_classes(fitted: Fitted, task: Task, name: str) -> None:
    theirs = fitted.method.task.classes
    if set(theirs) != set(task.classes):
        raise ThresholdsError(
            f"{name}: fitted for {', '.join(theirs)}, and the table is of "
            f"{', '.join(task.classes)}; name the file that the table was decided with"
        )


def _changes(scored: pl.DataFrame, task: Task) -> pl.DataFrame:
    label, before, after = (scored[name] for name in ("label", "speech_emotion", "emotion"))
    known = pl.sum_horizontal("better", "worse", "neither")
    changes = transitions(label, before, after, task.classes)
    return changes.with_columns((pl.col("rows") - known).alias("no label"))


def _counted(rows: pl.DataFrame) -> str:
    scored, labelled = len(rows.drop_nulls("emotion")), len(rows.drop_nulls("label"))
    return f"{len(rows)}, of which {scored} have scores and {labelled} a label"


def _measured(
    labelled: pl.DataFrame, evaluation: Evaluation, method: Method | None
) -> dict[str, Any]:
    classes = evaluation.task.classes
    limits = (
        {} if method is None else {name: method.limits(name) for name in illustrations.MEASURES}
    )
    matrices = illustrations.confusions(evaluation)
    return {
        "others": other_figures(evaluation),
        "confusions": matrices,
        # A matrix of many classes has no room for its numbers.
        "most_confused": largest_confusions(evaluation) if len(classes) > MANY else None,
        "uncertainties": illustrations.uncertainties(labelled, classes, limits),
        "trust": illustrations.trust(labelled, evaluation),
    }


def _notes(
    scored: pl.DataFrame,
    labelled: pl.DataFrame,
    evaluation: Evaluation | None,
    method: Method | None,
) -> list[str]:
    notes = [sentence(note) for note in (evaluation.notes if evaluation else [UNLABELLED])]
    if method is None:
        return [*notes, NO_THRESHOLDS]
    known = evaluation is not None and evaluation.in_sample is not None
    return notes + method.doubts(scored, labelled.clear() if known else labelled)


def _summary(
    rows: int, decided: Decisions, changes: pl.DataFrame, evaluation: Evaluation | None
) -> str:
    scored, changed = decided.total("rows") or 0, decided.total("changed")
    unscored = f", {rows - scored} of them without scores" if rows > scored else ""
    said = f"{counted(rows, 'row')}{unscored}. "
    flagged = decided.total("flagged")
    if flagged is not None:
        share = f" ({100 * flagged / scored:.1f} %)" if scored else ""
        said += f"{flagged}{share} were flagged, of which the text branch changed {changed}"
    else:
        said += f"The emotion of {changed} is another than the speech branch's"
    if evaluation is None:
        return f"{said}."
    better, worse = (int(changes[name].sum()) for name in ("better", "worse"))
    if changed:
        said += f": {better} for the better, {worse} for the worse"
    if evaluation.of(JUDGE):
        right, wrong = (evaluation.text(TESTED + name) for name in ("better", "worse"))
        said += f". The judge made {right} right and {wrong} wrong"
    before, after = (evaluation.text("UA", stage=stage) for stage in (BEFORE, AFTER))
    return f"{said}. UA went from {before} % to {after} % on {evaluation.rows} labelled rows."
