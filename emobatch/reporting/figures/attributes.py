"""Predicted attributes against their labels, and where classes lie in the plane of two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import NDArray

from emobatch.reporting.figures.style import BLUE, GREY, INK, VERMILLION, style

Floats = NDArray[np.float64]
# With more points than these a page gets slow, and their density is drawn instead.
MOST_POINTS = 2000
MARKERS = "osD^vPX<>*"
COLOURS = (BLUE, VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK, GREY)
FEWEST_ROWS = 3


@style()
def predicted_against_labels(pairs: Mapping[str, tuple[Floats, Floats]]) -> Figure:
    """Draw a panel for each attribute.

    Args:
        pairs: by attribute, labels and predictions, (rows,) each and all finite.

    Returns:
        Points, or their density where there are very many; on the line both are the same.

    Examples:
        >>> numbers = np.array([1.0, 2.0])
        >>> len(predicted_against_labels({"arousal": (numbers, numbers)}).axes)
        1
    """
    figure = Figure(figsize=(1.2 + 3.0 * len(pairs), 3.4))
    for number, (name, (labels, predicted)) in enumerate(pairs.items()):
        axes = figure.add_subplot(1, len(pairs), number + 1)
        _points(axes, labels, predicted, BLUE)
        ends = [min(labels.min(), predicted.min()), max(labels.max(), predicted.max())]
        axes.plot(ends, ends, color=INK, linestyle="--", linewidth=1)
        axes.set_title(name)
        axes.set_xlabel("label")
        if not number:
            axes.set_ylabel("predicted")
    return figure


@style()
def plane_by_class(
    valence: Floats, arousal: Floats, emotions: Sequence[str], classes: Sequence[str]
) -> Figure:
    """Draw where the rows of each class lie.

    Args:
        valence: (rows,) finite.
        arousal: (rows,) finite.
        emotions: (rows,) class of each.
        classes: in their order; those without rows are left out.

    Returns:
        For each class a marker at the mean, named beside the plane with how many rows it has, and
        an ellipse that is a standard deviation away from it.

    Examples:
        >>> numbers = np.array([0.0, 1.0, 0.5, 0.2])
        >>> figure = plane_by_class(numbers, numbers**2, ["sad"] * 4, ("happy", "sad"))
        >>> [text.get_text() for text in figure.legends[0].texts]
        ['sad (4)']
    """
    figure = Figure(figsize=(5.8, 4.0))
    axes = figure.add_subplot()
    names = np.asarray(emotions, dtype=object)
    for number, name in enumerate(classes):
        mine = names == name
        if not mine.any():
            continue
        colour = COLOURS[number % len(COLOURS)]
        x, y = valence[mine], arousal[mine]
        if len(valence) <= MOST_POINTS:
            axes.scatter(x, y, s=6, color=colour, alpha=0.3, linewidths=0)
        if len(x) >= FEWEST_ROWS:
            axes.add_patch(_ellipse(x, y, colour))
        marker = MARKERS[number % len(MARKERS)]
        middle = (float(x.mean()), float(y.mean()))
        axes.plot(
            *middle, linestyle="", marker=marker, color=colour, markeredgecolor="white",
            markersize=9, label=f"{name} ({len(x)})",
        )  # fmt: skip
    axes.autoscale_view()
    axes.grid(color=GREY, alpha=0.25)
    axes.set_xlabel("valence")
    axes.set_ylabel("arousal")
    figure.legend(loc="outside right upper", handletextpad=0.2)
    return figure


def _points(axes: Axes, x: Floats, y: Floats, colour: str) -> None:
    if len(x) <= MOST_POINTS:
        axes.scatter(x, y, s=8, color=colour, alpha=0.4, linewidths=0)
    else:
        axes.hexbin(x, y, gridsize=30, mincnt=1, cmap="cividis_r", linewidths=0)


def _ellipse(x: Floats, y: Floats, colour: str) -> Ellipse:
    sizes, axes = np.linalg.eigh(np.cov(x, y))
    width, height = 2 * np.sqrt(np.maximum(sizes, 0))
    angle = float(np.degrees(np.arctan2(axes[1, 0], axes[0, 0])))
    middle = (float(x.mean()), float(y.mean()))
    return Ellipse(
        middle, float(width), float(height), angle=angle, fill=False, color=colour, linewidth=1.5
    )
