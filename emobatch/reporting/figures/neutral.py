"""Precision and recall of neutral by the threshold of a hierarchy (Alqurashi et al., figure 3)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from emobatch.reporting.figures.style import BLUE, GREY, VERMILLION, style

Points = Sequence[tuple[float, float | None]]


@style()
def neutral_by_threshold(precision: Points, recall: Points) -> Figure:
    """Draw precision and recall of neutral against the threshold.

    Args:
        precision: thresholds, 0 to 1, each with a percentage; None where there is none.
        recall: the same.

    Returns:
        Two lines.

    Examples:
        >>> points = [(0.0, 60.0), (1.0, 80.0)]
        >>> len(neutral_by_threshold(points, points).axes[0].lines)
        2
    """
    figure = Figure(figsize=(4.8, 3.6))
    axes = figure.add_subplot()
    looks = ((precision, "precision", BLUE, "-", "o"), (recall, "recall", VERMILLION, "--", "s"))
    for points, name, colour, line, marker in looks:
        known = [(at, value) for at, value in points if value is not None]
        x, y = zip(*known, strict=True) if known else ((), ())
        axes.plot(x, y, color=colour, linestyle=line, marker=marker, markersize=4, label=name)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(0, 101)
    axes.grid(color=GREY, alpha=0.25)
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_xlabel("neutral where the text branch gives neutral at least")
    axes.set_ylabel("of neutral")
    figure.legend(loc="outside upper center", ncols=2)
    return figure
