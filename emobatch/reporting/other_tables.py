"""Tables of figures that the page has no part of their own for."""

from __future__ import annotations

import re

from emobatch.evaluation.figure import PERCENT, ROWS, SHARE, Figure
from emobatch.evaluation.measures import every_measure
from emobatch.evaluation.measures.confusion import most_confused
from emobatch.evaluation.result import Evaluation
from emobatch.fusion.description import Table, Value
from emobatch.reporting.described import Grid, grid

# What the page shows in a part of its own.
SHOWN = (
    *("counts", "decided", "headline", "classes", "confusion", "transitions", "paired_test"),
    *("calibration", "risk_coverage", "attributes", "neutral", "judge", "judge_confidence"),
)
MOST_CONFUSED = 15


def other_figures(evaluation: Evaluation) -> Grid | None:
    """Lay out the figures of all measures that the page does not know.

    Args:
        evaluation: what was measured.

    Returns:
        A table, None where there are none.
    """
    measures = {each.name: each.title for each in every_measure() if each.name not in SHOWN}
    rows = tuple(
        (_named(title, figure), _of(figure), _value(figure), figure.rows)
        for name, title in measures.items()
        for figure in evaluation.of(name)
        if not figure.is_undefined
    )
    return grid(Table("Other figures", ("", "of", "", "rows"), rows)) if rows else None


def largest_confusions(evaluation: Evaluation) -> Grid:
    """Lay out which classes are taken for which most often, for a matrix without numbers.

    Args:
        evaluation: what was measured.

    Returns:
        A table.
    """
    rows: list[tuple[str | Value, ...]] = []
    for figure in most_confused(evaluation)[:MOST_CONFUSED]:
        pair = {"of_class": figure.of_class, "to": figure.to}
        counts = [evaluation.text("confusion", stage=stage, **pair) for stage in evaluation.stages]
        share = Value(100 * (figure.value or 0) / (figure.rows or 1), 1)
        rows.append((*map(str, pair.values()), *counts, share))
    columns = ("label", "predicted", *evaluation.stages, "% of label")
    return grid(Table("Confused most, rows", columns, tuple(rows)))


def _named(title: str, figure: Figure) -> str:
    words = set(re.findall(r"\w+", title.lower()))
    name = figure.name.replace("_", " ")
    named = title[:1].upper() + title[1:]
    if figure.name != figure.measure and not set(name.lower().split()) <= words:
        named += f": {name}"
    return named + (", %" if figure.unit == PERCENT else "")


def _of(figure: Figure) -> str:
    stage = None if figure.stage == figure.measure else figure.stage
    kept = None if figure.coverage is None else f"{figure.coverage:g} % of the rows"
    return ", ".join(part for part in (stage, figure.of_class, figure.to, kept) if part)


def _value(figure: Figure) -> int | Value:
    if figure.unit == ROWS:
        return int(figure.value or 0)
    digits = {PERCENT: 2, SHARE: 4}.get(figure.unit, 4)
    return Value(figure.value, digits, figure.low, figure.high)
