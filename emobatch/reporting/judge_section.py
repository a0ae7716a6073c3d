"""A language model's review, laid out for the page."""

from __future__ import annotations

from emobatch.evaluation.judged import CHOSEN_BY
from emobatch.evaluation.measures.judge import COUNTS, TESTED, changes, said
from emobatch.evaluation.measures.judge_confidence import (
    THRESHOLD,
    advice,
    by_confidence,
    curve,
    parts,
)
from emobatch.evaluation.paired_test import TEST
from emobatch.evaluation.result import Evaluation
from emobatch.fusion.description import Table, Value
from emobatch.reporting.described import Block, Part, grid
from emobatch.reporting.figures.judge import figure_by_threshold, right_by_confidence
from emobatch.reporting.illustrations import Illustration
from emobatch.tables.judged import JUDGE

Row = tuple[str | int | Value | None, ...]
OF_CONFIDENCE = (
    "How often the judge is right about the rows of which it is that sure, and how often fusion "
    "was about the same rows. Where the judge lies in the grey, it is as right as it is sure."
)
OF_THRESHOLDS = (
    "Macro F1 of the final emotions, by the confidence from which the judge's is taken. A "
    "threshold is chosen on rows of the split val alone; those of test are drawn, and nothing is "
    "chosen by them."
)


def judge_section(evaluation: Evaluation) -> Part | None:
    """Lay out what a review came to.

    Args:
        evaluation: what was measured.

    Returns:
        What was asked and changed, and two figures; None where no language model has reviewed.
    """
    if not evaluation.of(JUDGE):
        return None
    better, worse, p = (evaluation.value(TESTED + name) for name in ("better", "worse", "p"))
    blocks: list[Block] = [
        f"The judge was {said(evaluation)}. Of the rows whose emotion it changed, {better} are "
        f"right only afterwards and {worse} were right only before: p = {p:.3g} ({TEST}, "
        "two-sided, rows taken as independent).",
    ]
    if changed := changes(evaluation):
        rows: tuple[Row, ...] = tuple(
            (f"{each['from']} → {each['to']}", *(int(each[name]) for name in COUNTS))
            for each in changed
        )
        blocks.append(grid(Table("Changed by the judge", ("change", *COUNTS), rows)))
    blocks += [
        _sentence(advice(evaluation)),
        [_by_confidence(evaluation), _by_threshold(evaluation)],
    ]
    return Part("What the judge changed", tuple(blocks))


def _by_confidence(evaluation: Evaluation) -> Illustration:
    bins = by_confidence(evaluation)
    told = "; ".join(
        f"{each['low']:.0%} to {each['high']:.0%}: {each['rows']} rows, judge {each['judge']} %, "
        f"fusion {each['fused']} %"
        for each in bins
        if each["rows"]
    )
    figure = right_by_confidence(bins)
    described = f"Rows that are right, by the judge's confidence: {told or 'none'}."
    return Illustration.of(figure, "judge-confidence", described, OF_CONFIDENCE)


def _by_threshold(evaluation: Evaluation) -> Illustration:
    curves, told = {}, []
    for part in parts(evaluation):
        without, *points = curve(evaluation, part)
        curves[part] = (
            [(each["threshold"], each[CHOSEN_BY]) for each in points],
            without[CHOSEN_BY],
        )
        best = max(points, key=lambda each: each[CHOSEN_BY])
        told.append(
            f"{part} rows without the judge {without[CHOSEN_BY]} %, at best {best[CHOSEN_BY]} % "
            f"from {best['threshold']:.2f} on"
        )
    figure = figure_by_threshold(curves, evaluation.value(THRESHOLD), "macro F1")
    described = f"Macro F1 by threshold: {'; '.join(told)}."
    return Illustration.of(figure, "judge-threshold", described, OF_THRESHOLDS)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
