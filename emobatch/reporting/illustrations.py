"""What the report's figures show, in numbers, words and SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from markupsafe import Markup

from emobatch.evaluation.reliability import risk_coverage
from emobatch.fusion.selection.detection import Detection
from emobatch.fusion.selection.surface import Surface
from emobatch.fusion.selection.thresholds import Thresholds
from emobatch.reporting.figures.confusion import confusion_matrix, describe_confusion
from emobatch.reporting.figures.curves import reliability_diagram, risk_coverage_curve
from emobatch.reporting.figures.flow import flow
from emobatch.reporting.figures.style import to_svg
from emobatch.reporting.figures.surface import detection_heat_map
from emobatch.reporting.figures.uncertainty import uncertainty_by_class
from emobatch.tasks.labels import EMOTIONS

MEASURES = {"entropy": ("entropy, nats", "≥"), "varentropy": ("varentropy, nats²", "≤")}
HALF = 0.5


@dataclass(frozen=True)
class Illustration:
    """A figure and what is said beneath it.

    Attributes:
        svg: the element, with a description for readers who don't see it.
        caption: one or two sentences.
    """

    svg: Markup
    caption: str


def confusions(before: list[list[int]], after: list[list[int]]) -> list[Illustration]:
    """Confusion matrices before and after fusion.

    Args:
        before: of the speech branch, see :func:`emobatch.evaluation.metrics.confusion`.
        after: of the final emotions.

    Returns:
        Two figures.
    """
    drawn = [
        ("before: speech branch", confusion_matrix(before, "before: speech branch"), before),
        ("after: final emotion", confusion_matrix(after, "after: final emotion", before), after),
    ]
    captions = (
        "Rows by label and by the speech branch's emotion. In each cell the rows, and their share "
        "of the label's.",
        "The same by the final emotion; signed figures are differences from before.",
    )
    return [
        Illustration(
            to_svg(figure, f"confusion-{number}", describe_confusion(counts, title)), caption
        )
        for number, ((title, figure, counts), caption) in enumerate(
            zip(drawn, captions, strict=True)
        )
    ]


def changes_flow(changes: pl.DataFrame) -> Illustration:
    """Changes as a flow.

    Args:
        changes: see :func:`emobatch.evaluation.transitions.transitions`; at least one row.

    Returns:
        The figure.
    """
    told = [
        f"{row['rows']} from {row['from']} to {row['to']} ({row['better']} better, "
        f"{row['worse']} worse)"
        for row in changes.iter_rows(named=True)
    ]
    return Illustration(
        to_svg(flow(changes), "flow", f"Changes of emotion: {', '.join(told)}."),
        "From the speech branch's emotion (left) to the final one (right). Bands are as high as "
        "they have rows; rows that kept their emotion are not drawn.",
    )


def uncertainties(rows: pl.DataFrame, thresholds: Thresholds | None) -> list[Illustration]:
    """Entropy and varentropy by predicted class, right against wrong.

    Args:
        rows: labelled and scored, with ``label``, ``speech_emotion``, ``entropy`` and
            ``varentropy``.
        thresholds: drawn where given.

    Returns:
        A figure for each measure.
    """
    is_right = rows["label"] == rows["speech_emotion"]
    found = []
    for measure, (title, sign) in MEASURES.items():
        right, wrong = (
            {
                name: part.filter(part["speech_emotion"] == name)[measure].to_numpy()
                for name in EMOTIONS
            }
            for part in (rows.filter(is_right), rows.filter(~is_right))
        )
        lines = _lines(thresholds, measure)
        medians = "; ".join(
            f"{name} {_median(right[name])} right, {_median(wrong[name])} wrong"
            for name in EMOTIONS
        )
        caption = f"{measure.capitalize()} of the rows predicted as each class."
        if lines:
            caption += f" A row can only be flagged where it is {sign} the dashed line."
        found.append(
            Illustration(
                to_svg(
                    uncertainty_by_class(right, wrong, title, lines),
                    measure,
                    f"Distributions of {title}, by predicted class; medians: {medians}.",
                ),
                caption,
            )
        )
    return found


def heat_maps(surfaces: Mapping[str, Surface]) -> list[Illustration]:
    """M over the grid of thresholds.

    Args:
        surfaces: by predicted class.

    Returns:
        A figure for each, with a scale of colours of its own.
    """
    return [
        _heat_map(f"predicted {name}", surface, f"surface-{name}")
        for name, surface in surfaces.items()
    ]


def trust(rows: pl.DataFrame, bins: pl.DataFrame, error: float) -> list[Illustration]:
    """Risk-coverage curve and reliability diagram.

    Args:
        rows: labelled and scored, with ``label``, ``speech_emotion``, ``emotion`` and ``entropy``.
        bins: see :func:`emobatch.evaluation.reliability.calibration_bins`.
        error: expected calibration error in percent.

    Returns:
        Two figures.
    """
    entropy = rows["entropy"].to_numpy()
    curves = {
        name: risk_coverage(entropy, (rows["label"] == rows[column]).to_numpy())
        for name, column in (("speech branch", "speech_emotion"), ("final", "emotion"))
    }
    half = ", ".join(f"{name} {_accuracy_at_half(curve)} %" for name, curve in curves.items())
    return [
        Illustration(
            to_svg(
                risk_coverage_curve(curves),
                "risk-coverage",
                f"Accuracy against the share of rows kept, the surest first; at one half: {half}.",
            ),
            "Accuracy if only the rows of lowest entropy were kept. A line that falls to the right "
            "says that entropy finds errors.",
        ),
        Illustration(
            to_svg(
                reliability_diagram(bins),
                "reliability",
                f"Accuracy of the speech branch against its confidence, in bins; expected "
                f"calibration error {error:.2f} %.",
            ),
            "Below the dashed line the speech branch is surer than it is right. Expected "
            f"calibration error: {error:.2f} %.",
        ),
    ]


def _heat_map(title: str, surface: Surface, name: str) -> Illustration:
    used, best = surface.used, surface.best
    told = f"In use: {_share(used)}."
    if best is not None and (best.entropy, best.varentropy) != (used.entropy, used.varentropy):
        told += f" A search of these rows would choose {_share(best)}."
    figure = detection_heat_map(surface, title)
    return Illustration(
        to_svg(figure, name, f"M over the grid of thresholds, rows {title}. {told}"), told
    )


def _share(pair: Detection) -> str:
    of = f"entropy ≥ {pair.entropy:.4f} and varentropy ≤ {pair.varentropy:.4f}"
    if not pair.flagged:
        return f"{of}; no row is flagged"
    detected = f"{pair.detected} of {pair.flagged} flagged rows are wrong"
    return f"{of}; M is {100 * pair.accuracy:.2f} %, {detected}"


def _lines(thresholds: Thresholds | None, measure: str) -> dict[str, float]:
    classes = thresholds.classes if thresholds else {}
    lines = {name: getattr(entry, measure) for name, entry in classes.items()}
    return {name: value for name, value in lines.items() if value is not None}


def _median(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    return f"{np.median(values):.2f}" if len(values) else "none"


def _accuracy_at_half(curve: pl.DataFrame) -> str:
    return f"{100 * curve.filter(pl.col('coverage') >= HALF)['accuracy'][0]:.1f}"
