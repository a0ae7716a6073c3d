"""Entropy or varentropy by predicted class, right against wrong (Chua et al., figure 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from emobatch.reporting.figures.style import (
    INK,
    RIGHT_COLOUR,
    RIGHT_HATCH,
    VERMILLION,
    WRONG_COLOUR,
    WRONG_HATCH,
    style,
)

Floats = NDArray[np.float64]
# A density of fewer rows would be a picture of its smoothing: these are drawn one by one.
FEWEST_FOR_DENSITY = 8
# Nor is there one of rows that are all but the same, in nats.
NARROWEST = 1e-9
HALF = 0.42
# Classes that stand in one line; more of them take several.
MOST_IN_LINE = 9
FEW = 5
# In inches: the narrowest figure, a class at least, the height of one line, and of each of several.
WIDTH, OF_CLASS, HEIGHT, OF_LINE = 5.2, 1.1, 4.0, 3.2


@style()
def uncertainty_by_class(
    right: Mapping[str, Floats],
    wrong: Mapping[str, Floats],
    measure: str,
    classes: Sequence[str],
    thresholds: Mapping[str, float],
) -> Figure:
    """Draw how a measure of uncertainty is distributed in each predicted class.

    Args:
        right: by predicted class, the values of the rows that are right.
        wrong: those of the rows that are wrong.
        measure: its name and unit.
        classes: in the order in which they are drawn.
        thresholds: by predicted class, in the measure's unit; a class without one has no mark.

    Returns:
        For each class the density of the rows that are right on the left, of those that are wrong
        on the right, each as wide as it is high at most, with its median.

    Examples:
        >>> values = {"sad": np.linspace(0, 1, 20)}
        >>> figure = uncertainty_by_class(values, values, "entropy, nats", ("happy", "sad"), {})
        >>> figure.axes[0].get_ylabel()
        'entropy, nats'
    """
    lines = -(-len(classes) // MOST_IN_LINE)
    across = -(-len(classes) // lines)
    height = HEIGHT if lines == 1 else OF_LINE * lines
    figure = Figure(figsize=(max(WIDTH, OF_CLASS * across), height))
    every = figure.subplots(lines, 1, squeeze=False, sharey=True)[:, 0]
    for number, axes in enumerate(every):
        names = classes[number * across : (number + 1) * across]
        _line(axes, names, right, wrong, thresholds)
        axes.set_xlim(-0.6, across - 0.4)
        axes.set_ylabel(measure)
    every[0].set_ylim(bottom=0)
    every[-1].set_xlabel("predicted by the speech branch, rows right | wrong")
    _legend(figure, bool(thresholds))
    return figure


def _line(
    axes: Axes,
    names: Sequence[str],
    right: Mapping[str, Floats],
    wrong: Mapping[str, Floats],
    thresholds: Mapping[str, float],
) -> None:
    for place, name in enumerate(names):
        for values, side in ((right.get(name), "low"), (wrong.get(name), "high")):
            if values is not None and len(values):
                _half(axes, place, values, side)
        if name in thresholds:
            axes.plot(
                [place - HALF, place + HALF], [thresholds[name]] * 2, color=INK, linestyle="--",
                linewidth=1.4,
            )  # fmt: skip
    counts = [f"{len(right.get(name, ()))} | {len(wrong.get(name, ()))}" for name in names]
    ticks = [f"{name}\n{count}" for name, count in zip(names, counts, strict=True)]
    axes.set_xticks(range(len(names)), ticks, fontsize=10 if len(names) <= FEW else 9)
    axes.tick_params(axis="x", length=0)


def _half(axes: Axes, place: int, values: Floats, side: Any) -> None:
    low = side == "low"
    colour, hatch = (RIGHT_COLOUR, RIGHT_HATCH) if low else (WRONG_COLOUR, WRONG_HATCH)
    direction = -1 if low else 1
    if len(values) < FEWEST_FOR_DENSITY or np.ptp(values) < NARROWEST:
        values = np.unique(values)
        axes.plot(
            np.full(len(values), place + direction * HALF / 3), values, linestyle="",
            marker="o" if low else "x", color=RIGHT_COLOUR if low else VERMILLION, markersize=5,
        )  # fmt: skip
        return
    parts: dict[str, Any] = axes.violinplot(
        values, positions=[place], widths=2 * HALF, side=side, showextrema=False
    )
    for body in parts["bodies"]:
        body.set(facecolor=colour, edgecolor=INK, hatch=hatch, linewidth=0.6, alpha=0.75)
    ends = sorted((place, place + direction * HALF / 2))
    axes.plot(ends, [np.median(values)] * 2, color=INK, linewidth=2, solid_capstyle="butt")


def _legend(figure: Figure, thresholds: bool) -> None:
    handles: list[Patch | Line2D] = [
        Patch(facecolor=RIGHT_COLOUR, edgecolor=INK, linewidth=0.6, label="right", alpha=0.75),
        Patch(
            facecolor=WRONG_COLOUR, edgecolor=INK, linewidth=0.6, hatch=WRONG_HATCH, label="wrong",
            alpha=0.75,
        ),
        Line2D([], [], color=INK, linewidth=2, label="median"),
    ]  # fmt: skip
    if thresholds:
        handles.append(Line2D([], [], color=INK, linestyle="--", label="threshold"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
