"""Whether the speech branch's confidence can be trusted: reliability, and risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from emobatch.reporting.figures.style import BLUE, GREY, INK, VERMILLION, style

# More points than a screen has pixels across show nothing more.
MOST_POINTS = 400
# The first is the wider one, so that it shows where the second lies upon it.
LOOKS = ((BLUE, "-", "o", 3.0), (VERMILLION, "--", "s", 1.3))


@style()
def risk_coverage_curve(curves: Mapping[str, pl.DataFrame]) -> Figure:
    """Draw accuracy against the share of rows kept.

    Args:
        curves: by name ``coverage`` and ``accuracy``, 0 to 1, in order of coverage; at most two.

    Returns:
        A line for each curve, named at its right end.

    Examples:
        >>> curve = pl.DataFrame({"coverage": [0.5, 1.0], "accuracy": [1.0, 0.75]})
        >>> len(risk_coverage_curve({"before": curve}).axes[0].lines)
        1
    """
    figure = Figure(figsize=(4.8, 4.0))
    axes = figure.add_subplot()
    for (name, curve), (colour, line, marker, width) in zip(curves.items(), LOOKS, strict=False):
        thinned = curve[:: -(-len(curve) // MOST_POINTS)] if len(curve) else curve
        if len(thinned) and thinned["coverage"][-1] != curve["coverage"][-1]:
            thinned = pl.concat([thinned, curve.tail(1)])
        final = 100 * curve["accuracy"][-1]
        axes.plot(
            100 * thinned["coverage"], 100 * thinned["accuracy"], color=colour, linestyle=line,
            linewidth=width,
            marker=marker, markevery=max(len(thinned) // 8, 1), markersize=4,
            label=f"{name} ({final:.1f} % of all rows)",
        )  # fmt: skip
    axes.set_xlim(0, 102)
    axes.set_ylim(top=101)
    axes.grid(color=GREY, alpha=0.25)
    axes.xaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_xlabel("rows kept, the surest first (lowest entropy)")
    axes.set_ylabel("right, of the rows kept")
    figure.legend(loc="outside upper center", ncols=1)
    return figure


@style()
def reliability_diagram(bins: pl.DataFrame) -> Figure:
    """Draw accuracy against confidence, over how many rows each point stands for.

    Args:
        bins: ``low``, ``high``, ``rows``, ``confidence`` and ``accuracy``, shares from 0 to 1; the
            last two null where a bin has no rows.

    Returns:
        Points by bin with the line that calibrated confidence follows, and a histogram below.

    Examples:
        >>> bins = {"low": 0.5, "high": 1.0, "rows": 3, "confidence": 0.8, "accuracy": 0.7}
        >>> len(reliability_diagram(pl.DataFrame([bins])).axes)
        2
    """
    figure = Figure(figsize=(4.8, 4.0))
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    filled = bins.filter(pl.col("rows") > 0)
    axes.plot([0, 100], [0, 100], color=GREY, linestyle="--", label="as right as it is sure")
    axes.plot(
        100 * filled["confidence"], 100 * filled["accuracy"], color=BLUE, marker="o",
        label="speech branch",
    )  # fmt: skip
    axes.vlines(
        100 * filled["confidence"], 100 * filled["accuracy"], 100 * filled["confidence"],
        color=VERMILLION, linewidth=1.2, label="gap",
    )  # fmt: skip
    axes.set_ylim(0, 101)
    axes.grid(color=GREY, alpha=0.25)
    axes.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    axes.set_ylabel("right")
    widths = 100 * (bins["high"] - bins["low"])
    bars = below.bar(
        100 * bins["low"], bins["rows"], width=widths, align="edge", color="#BBBBBB",
        edgecolor=INK, linewidth=0.6,
    )  # fmt: skip
    below.bar_label(bars, [str(count) if count else "" for count in bins["rows"]], fontsize=8)
    below.margins(y=0.35)
    below.set_xlim(0, 100)
    below.xaxis.set_major_formatter(PercentFormatter(decimals=0))
    below.set_ylabel("rows")
    below.set_yticks([])
    below.set_xlabel("confidence: probability of the predicted class")
    figure.legend(loc="outside upper center", ncols=3)
    return figure
