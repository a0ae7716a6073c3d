"""What the report's figures show, in numbers, words and SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

from emobatch.evaluation.figure import AFTER, BEFORE, STAGES
from emobatch.evaluation.measures import calibration
from emobatch.evaluation.measures.confusion import matrix
from emobatch.evaluation.reliability import risk_coverage
from emobatch.evaluation.result import Evaluation
from emobatch.fusion.description import Chart
from emobatch.reporting.charts import CHARTS
from emobatch.reporting.figures.confusion import (
    FEW,
    MANY,
    confusion_matrix,
    describe_confusion,
)
from emobatch.reporting.figures.curves import reliability_diagram, risk_coverage_curve
from emobatch.reporting.figures.flow import flow, largest
from emobatch.reporting.figures.style import is_wide, to_svg
from emobatch.reporting.figures.uncertainty import uncertainty_by_class

MEASURES = {"entropy": ("entropy, nats", "≥"), "varentropy": ("varentropy, nats²", "≤")}
TITLES = {BEFORE: "before: speech branch", AFTER: "after: final emotion"}
# What a cell shows, by how many classes there is room for.
IN_CELLS = "In each cell the rows, and their share of the label's."
COUNTED = "In each cell the rows; the darker it is, the more of the label's."
SHADED = "The darker a cell, the more of the label's rows."
HALF = 0.5


@dataclass(frozen=True)
class Illustration:
    """A figure and what is said beneath it.

    Attributes:
        svg: the element, with a description for readers who don't see it.
        caption: one or two sentences.
        is_wide: whether it needs the page's whole width.
    """

    svg: Markup
    caption: str
    is_wide: bool = False

    @classmethod
    def of(cls, figure: Figure, name: str, described: str, caption: str) -> Illustration:
        """Make one of a figure.

        Args:
            figure: as drawn.
            name: tells it from the page's others.
            described: what it shows, in words.
            caption: stands beneath it.

        Returns:
            The illustration.
        """
        return cls(to_svg(figure, name, described), caption, is_wide(figure))


def confusions(evaluation: Evaluation) -> list[Illustration]:
    """Confusion matrices before and after fusion.

    Args:
        evaluation: of both stages, or of what the speech branch says alone.

    Returns:
        A figure for each stage.
    """
    classes = evaluation.task.classes
    counted = {stage: matrix(evaluation, stage) for stage in STAGES if stage in evaluation.stages}
    size = len(classes)
    in_cells = IN_CELLS if size <= FEW else COUNTED if size <= MANY else SHADED
    signed = "; signed figures are differences from before" if size <= MANY else ""
    captions = {
        BEFORE: f"Rows by label and by the speech branch's emotion. {in_cells}",
        AFTER: f"The same by the final emotion{signed}.",
    }
    return [
        Illustration.of(
            confusion_matrix(
                counts, classes, TITLES[stage], None if stage == BEFORE else counted[BEFORE]
            ),
            f"confusion-{number}",
            describe_confusion(counts, classes, TITLES[stage]),
            captions[stage],
        )
        for number, (stage, counts) in enumerate(counted.items())
    ]


def changes_flow(changes: pl.DataFrame, classes: Sequence[str]) -> Illustration:
    """Changes as a flow.

    Args:
        changes: see :func:`emobatch.evaluation.transitions.transitions`; at least one row.
        classes: in their order.

    Returns:
        The figure; of very many changes the largest.
    """
    shown = largest(changes)
    told = [
        f"{row['rows']} from {row['from']} to {row['to']} ({row['better']} better, "
        f"{row['worse']} worse)"
        for row in shown.iter_rows(named=True)
    ]
    caption = (
        "From the speech branch's emotion (left) to the final one (right). Bands are as high as "
        "they have rows; rows that kept their emotion are not drawn."
    )
    if len(shown) < len(changes):
        rows = int(changes["rows"].sum()) - int(shown["rows"].sum())
        others = len(changes) - len(shown)
        caption += f" Nor are {others} other changes, of {rows} rows."
    described = f"Changes of emotion: {', '.join(told)}."
    return Illustration.of(flow(shown, classes), "flow", described, caption)


def uncertainties(
    rows: pl.DataFrame, classes: Sequence[str], limits: Mapping[str, Mapping[str, float]]
) -> list[Illustration]:
    """Entropy and varentropy by predicted class, right against wrong.

    Args:
        rows: labelled and scored, with ``label``, ``speech_emotion``, ``entropy`` and
            ``varentropy``.
        classes: in their order.
        limits: by measure and predicted class, by what rows are flagged; drawn where there are any.

    Returns:
        A figure for each measure.
    """
    is_right = rows["label"] == rows["speech_emotion"]
    figures = []
    for measure, (title, sign) in MEASURES.items():
        right, wrong = (
            {
                name: part.filter(part["speech_emotion"] == name)[measure].to_numpy()
                for name in classes
            }
            for part in (rows.filter(is_right), rows.filter(~is_right))
        )
        lines = limits.get(measure, {})
        medians = "; ".join(
            f"{name} {_median(right[name])} right, {_median(wrong[name])} wrong" for name in classes
        )
        caption = f"{measure.capitalize()} of the rows predicted as each class."
        if lines:
            caption += f" A row can only be flagged where it is {sign} the dashed line."
        figure = uncertainty_by_class(right, wrong, title, classes, lines)
        described = f"Distributions of {title}, by predicted class; medians: {medians}."
        figures.append(Illustration.of(figure, measure, described, caption))
    return figures


def trust(rows: pl.DataFrame, evaluation: Evaluation) -> list[Illustration]:
    """Risk-coverage curve and reliability diagram.

    Args:
        rows: labelled and scored, with ``label``, ``speech_emotion`` and ``entropy``, and
            ``emotion`` where it was decided.
        evaluation: of these rows.

    Returns:
        Two figures.
    """
    entropy = rows["entropy"].to_numpy()
    curves = {
        name: risk_coverage(entropy, (rows["label"] == rows[column]).to_numpy())
        for name, column in (("speech branch", "speech_emotion"), ("final", "emotion"))
        if column in rows.columns
    }
    half = ", ".join(f"{name} {_accuracy_at_half(curve)} %" for name, curve in curves.items())
    error = evaluation.text(calibration.ERROR, stage=BEFORE)
    return [
        Illustration.of(
            risk_coverage_curve(curves),
            "risk-coverage",
            f"Accuracy against the share of rows kept, the surest first; at one half: {half}.",
            "Accuracy if only the rows of lowest entropy were kept. A line that falls to the right "
            "says that entropy finds errors.",
        ),
        Illustration.of(
            reliability_diagram(pl.DataFrame(calibration.bins(evaluation))),
            "reliability",
            f"Accuracy of the speech branch against its confidence, in bins; expected "
            f"calibration error {error} %.",
            "Below the dashed line the speech branch is surer than it is right. Expected "
            f"calibration error: {error} %.",
        ),
    ]


def chart(described: Chart, name: str) -> Illustration:
    """A chart that a method asks for.

    Args:
        described: what it shows.
        name: tells it from the page's others.

    Returns:
        The figure.

    Raises:
        UnknownName: if there is no such kind of chart.
    """
    kind = CHARTS[described.kind]()
    return Illustration.of(kind.draw(described), name, kind.describe(described), described.caption)


def _median(values: NDArray[np.float64]) -> str:
    return f"{np.median(values):.2f}" if len(values) else "none"


def _accuracy_at_half(curve: pl.DataFrame) -> str:
    return f"{100 * curve.filter(pl.col('coverage') >= HALF)['accuracy'][0]:.1f}"
