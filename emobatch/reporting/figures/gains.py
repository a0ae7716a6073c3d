"""What methods gain in each fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from emobatch.reporting.figures.style import (
    GREY,
    INK,
    RIGHT_COLOUR,
    RIGHT_HATCH,
    WRONG_COLOUR,
    WRONG_HATCH,
    style,
)

COLUMNS = 3
# With more, the name of a fold has no room beneath its bar.
MOST_NAMED = 10


@style()
def gains_by_fold(
    gains: Mapping[str, Sequence[float]],
    means: Mapping[str, float],
    folds: Sequence[str],
    what: str = "gain of UA, points",
) -> Figure:
    """Draw what methods gain over the speech branch, fold by fold.

    Args:
        gains: (folds,) by method; NaN where there is none.
        means: their means.
        folds: names of the folds.
        what: is gained.

    Returns:
        A panel for each method, with a bar for each fold and a line at the mean.

    Examples:
        >>> figure = gains_by_fold({"max": [1.0, -0.5]}, {"max": 0.25}, ["a", "b"])
        >>> figure.axes[0].get_title()
        'max'
    """
    columns = min(COLUMNS, len(gains))
    lines = ceil(len(gains) / columns)
    figure = Figure(figsize=(max(3.1 * columns, 4.8), 2.5 * lines + 0.6))
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    for axes, (method, values) in zip(panels, gains.items(), strict=False):
        _panel(axes, method, values, means[method], folds)
    for axes in panels[len(gains) :]:
        axes.set_visible(False)
    for axes in panels[::columns]:
        axes.set_ylabel(what)
    handles = [
        Patch(facecolor=RIGHT_COLOUR, hatch=RIGHT_HATCH, edgecolor=INK, label="better than speech"),
        Patch(facecolor=WRONG_COLOUR, hatch=WRONG_HATCH, edgecolor=INK, label="worse"),
    ]
    mean = panels[0].lines[-1]
    figure.legend(handles=[*handles, mean], loc="outside upper center", ncols=3)
    return figure


def _panel(
    axes: Axes, method: str, values: Sequence[float], mean: float, folds: Sequence[str]
) -> None:
    for place, value in enumerate(values):
        better = value >= 0
        axes.bar(
            place,
            value,
            color=RIGHT_COLOUR if better else WRONG_COLOUR,
            hatch=RIGHT_HATCH if better else WRONG_HATCH,
            edgecolor=INK,
            linewidth=0.6,
        )
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.axhline(mean, color=INK, linestyle="--", linewidth=1.2, label="mean")
    axes.grid(axis="y", color=GREY, alpha=0.25)
    axes.set_axisbelow(True)
    axes.set_title(method)
    if len(folds) > MOST_NAMED:
        axes.set_xticks([])
        axes.set_xlabel(f"{len(folds)} folds, in order")
    else:
        axes.set_xticks(range(len(folds)), folds, rotation=45, ha="right", rotation_mode="anchor")
