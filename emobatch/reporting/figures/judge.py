"""What a language model's review is worth: by its confidence, and by the confidence asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from emobatch.reporting.figures.style import BLUE, GREY, INK, VERMILLION, style

Points = Sequence[tuple[float, float]]
SIZE = (4.8, 4.0)
LOOKS = ((BLUE, "-", "o"), (VERMILLION, "--", "s"))


@style()
def right_by_confidence(bins: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw how often the model and fusion are right, by how sure the model is.

    Args:
        bins: ``low`` and ``high``, 0 to 1; ``rows``; and of these the percentages ``judge`` and
            ``fused``, None where there are none.

    Returns:
        Both, with the bounds between which a model is as right as it is sure, over how many rows
        each bin has.

    Examples:
        >>> one = {"low": 0.8, "high": 1.0, "rows": 3, "judge": 66.7, "fused": 33.3}
        >>> len(right_by_confidence([one]).axes)
        2
    """
    figure = Figure(figsize=SIZE)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    filled = [(place, each) for place, each in enumerate(bins) if each["rows"]]
    for number, each in enumerate(bins):
        sure = "as right as it is sure" if not number else None
        low, high = 100 * each["low"], 100 * each["high"]
        axes.bar(number, high - low, 0.9, low, color="#DDDDDD", label=sure)
    for (colour, _, marker), (name, label), shift in zip(
        LOOKS, (("judge", "judge"), ("fused", "fusion")), (-0.1, 0.1), strict=True
    ):
        places = [place + shift for place, _ in filled]
        values = [each[name] for _, each in filled]
        axes.plot(places, values, color=colour, linestyle="", marker=marker, label=label)
    axes.set_ylim(0, 101)
    axes.grid(axis="y", color=GREY, alpha=0.25)
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_ylabel("right")
    rows = [each["rows"] for each in bins]
    bars = below.bar(range(len(bins)), rows, 0.9, color="#BBBBBB", edgecolor=INK, linewidth=0.6)
    below.bar_label(bars, [str(count) if count else "" for count in rows], fontsize=8)
    below.margins(y=0.35)
    below.set_ylabel("rows")
    below.set_yticks([])
    names = [f"{100 * each['low']:.0f} to {100 * each['high']:.0f}" for each in bins]
    below.set_xticks(range(len(bins)), names, fontsize=9)
    below.set_xlabel("confidence of the judge, %")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@style()
def figure_by_threshold(
    curves: Mapping[str, tuple[Points, float]], chosen: float | None, name: str
) -> Figure:
    """Draw a figure against the confidence from which the model is believed.

    Args:
        curves: by what rows they are, at most two: thresholds, 0 to 1, each with a percentage, and
            the percentage without the model.
        chosen: threshold that the first speaks for, None where none is chosen.
        name: of the figure.

    Returns:
        A line for each, dotted where the model is never believed.

    Examples:
        >>> curves = {"val": ([(0.0, 60.0), (1.0, 62.0)], 61.0)}
        >>> len(figure_by_threshold(curves, 1.0, "macro F1").axes[0].lines)
        3
    """
    figure = Figure(figsize=SIZE)
    axes = figure.add_subplot()
    for (rows, (points, _)), (colour, line, marker) in zip(curves.items(), LOOKS, strict=False):
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=colour, linestyle=line, marker=marker, markersize=4, label=rows)
    if chosen is not None:
        axes.axvline(chosen, color=INK, linewidth=1, label=f"chosen: {chosen:.2f}")
    for (rows, (_, without)), (colour, *_) in zip(curves.items(), LOOKS, strict=False):
        axes.axhline(without, color=colour, linestyle=":", label=f"{rows}, without the judge")
    axes.set_xlim(-0.02, 1.02)
    axes.grid(color=GREY, alpha=0.25)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_xlabel("judge believed from this confidence on")
    axes.set_ylabel(name)
    figure.legend(loc="outside upper center", ncols=2)
    return figure
