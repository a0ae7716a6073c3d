"""What a language model's review changed, for better and worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from emobatch.evaluation.figure import (
    AFTER,
    BY_JUDGE,
    DIFFERENCE,
    FUSED,
    PLAIN,
    ROWS,
    STAGES,
    Figure,
)
from emobatch.evaluation.intervals import intervals
from emobatch.evaluation.judged import Reviewed, reviewed
from emobatch.evaluation.layout import Table, short
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import HEADLINE
from emobatch.evaluation.paired_test import TEST, mcnemar
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.evaluation.transitions import transitions
from emobatch.tables.judged import COLUMNS, FAILED, JUDGE, NOT_ASKED, OK, UNREADABLE
from emobatch.wording import counted

OUTCOMES = ("asked", "answered", UNREADABLE, FAILED, "taken")
COUNTS = ("rows", "better", "worse", "neither")
PREFIX, CHANGE, TESTED = f"{JUDGE}_", f"{JUDGE}_change_", f"{JUDGE}_mcnemar_"


class Judge(Measure):
    """UA, WA and macro F1 of what fusion had said, and the changes that the review made."""

    name = JUDGE
    title = "review by a language model"
    columns = COLUMNS
    beside_headline = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the emotions before the review against those after it."""
        rows = reviewed(sample)
        if rows is None:
            return
        yield from _headline(rows, sample)
        yield from _outcomes(sample)
        after = sample.predictions[AFTER]
        tested = mcnemar(rows.fused == rows.labels, after == rows.labels)
        for name, value in tested.items():
            unit = PLAIN if name == "p" else ROWS
            yield Figure(TESTED + name, value, rows=len(after), unit=unit)
        yield from _changes(rows, sample)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the figures before the review, what it gained, and what it changed."""
        own = evaluation.of(self.name, group)
        if not own:
            return {}
        by_stage = {
            key: [each for each in own if each.stage == stage]
            for key, stage in {FUSED: FUSED, DIFFERENCE: BY_JUDGE}.items()
        }
        test = {name: evaluation.value(TESTED + name) for name in ("better", "worse", "p")}
        document: dict[str, Any] = {
            **{name: evaluation.value(PREFIX + name) for name in OUTCOMES},
            **{key: {each.name: each.value for each in part} for key, part in by_stage.items()},
            "changes": changes(evaluation),
            "paired_test": {"name": TEST, **test},
        }
        if evaluation.drawn is not None:
            document["intervals"] = {
                key: {each.name: each.bounds for each in part} for key, part in by_stage.items()
            }
        return {self.name: document}

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show a line for each change."""
        rows = [
            (f"{short(each['from'])} → {short(each['to'])}", *(str(each[name]) for name in COUNTS))
            for each in changes(evaluation)
        ]
        return (Table(("changed by judge", *COUNTS), tuple(rows)),) if rows else ()

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Say how many rows were asked about, and what came of it."""
        if not evaluation.of(self.name):
            return ()
        better, worse, p = (evaluation.value(TESTED + name) for name in ("better", "worse", "p"))
        tested = f"{TEST}, judge against fusion: {better} better, {worse} worse, p = {p:.3g}"
        return (f"judge: {said(evaluation)}", tested)


def said(evaluation: Evaluation) -> str:
    """Say what became of the rows that a language model was asked about.

    Args:
        evaluation: of a judged table.

    Returns:
        A line without its end.
    """
    counts = {name: evaluation.text(PREFIX + name) for name in OUTCOMES}
    changed = int(sum(change["rows"] for change in changes(evaluation)))
    return (
        f"asked about {counted(int(counts['asked']), 'row')} ({counts['answered']} answered, "
        f"{counts[UNREADABLE]} unreadable, {counts[FAILED]} failed); {counts['taken']} answers "
        f"taken, {counted(changed, 'row')} changed"
    )


def changes(evaluation: Evaluation) -> list[dict[str, Any]]:
    """What the review changed into what.

    Args:
        evaluation: what was measured.

    Returns:
        For each change ``from``, ``to``, ``rows``, ``better``, ``worse`` and ``neither``.
    """
    own = [each for each in evaluation.of(JUDGE) if each.name.startswith(CHANGE)]
    return [
        {"from": pair[0], "to": pair[1]}
        | {figure.name.removeprefix(CHANGE): figure.value for figure in figures}
        for pair, figures in groupby(own, key=lambda each: (each.of_class, each.to))
    ]


def _headline(rows: Reviewed, sample: Sample) -> Iterator[Figure]:
    after = sample.predictions[AFTER]
    fused, last = rows.figures(None), rows.measured(after)
    bounds = {}
    if sample.resamples:
        stages = {FUSED: rows.fused, AFTER: after}
        bounds = intervals(rows.labels, stages, sample.task.classes, sample.drawn, sample.resamples)
    for name in HEADLINE:
        values = {FUSED: fused[name], DIFFERENCE: round(last[name] - fused[name], 2)}
        for stage, value in values.items():
            low, high = bounds.get((stage, name, None), (None, None))
            called = BY_JUDGE if stage == DIFFERENCE else stage
            yield Figure(name, value, low, high, len(after), called)


def _outcomes(sample: Sample) -> Iterator[Figure]:
    status = sample.scored["judge_status"]
    counts = {
        "asked": (status != NOT_ASKED).sum(),
        "answered": (status == OK).sum(),
        **{name: (status == name).sum() for name in (UNREADABLE, FAILED)},
        "taken": (sample.scored["decided_by"] == JUDGE).sum(),
    }
    for name in OUTCOMES:
        yield Figure(PREFIX + name, int(counts[name]), rows=len(status), unit=ROWS)


def _changes(rows: Reviewed, sample: Sample) -> Iterator[Figure]:
    classes = sample.task.classes
    label = sample.scored["label"]
    names = pl.Series(classes)
    counts = transitions(label, names.gather(rows.fused), sample.scored[STAGES[AFTER]], classes)
    for change in counts.iter_rows(named=True):
        for name in COUNTS:
            yield Figure(
                CHANGE + name, change[name], rows=change["rows"], of_class=change["from"],
                to=change["to"], unit=ROWS,
            )  # fmt: skip
