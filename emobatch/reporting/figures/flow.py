"""Changes of emotion as a flow (an alluvial diagram)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch, Rectangle
from matplotlib.path import Path

from emobatch.reporting.figures.style import (
    INK,
    MINUS,
    NEITHER_COLOUR,
    NEITHER_HATCH,
    RIGHT_COLOUR,
    RIGHT_HATCH,
    WRONG_COLOUR,
    WRONG_HATCH,
    style,
)
from emobatch.tasks.labels import EMOTIONS

# Of the rows of a flow, from its top.
BANDS = {
    "better": (RIGHT_COLOUR, RIGHT_HATCH, "better: right only afterwards"),
    "worse": (WRONG_COLOUR, WRONG_HATCH, "worse: right only before"),
    "neither": (NEITHER_COLOUR, NEITHER_HATCH, "neither: wrong both times"),
    "no label": (NEITHER_COLOUR, "", "no label"),
}
# Space between two classes, and the width of their bars, in shares of the flow's own size.
GAP, BAR = 0.06, 0.02
# Where the bars and their names stand, and on which side of that the names end.
SIDES: Mapping[str, tuple[float, float, Any]] = {
    "from": (-BAR, -2 * BAR, "right"),
    "to": (1.0, 1 + 2 * BAR, "left"),
}


@style()
def flow(changes: pl.DataFrame) -> Figure:
    """Draw from which emotion to which rows went, and whether for the better.

    Args:
        changes: a row for each change: ``from``, ``to``, ``rows``, and of these ``better``,
            ``worse``, ``neither`` and ``no label``.

    Returns:
        Bands as high as they have rows, from the speech branch's emotion to the final one.

    Examples:
        >>> change = {"from": "sad", "to": "happy", "rows": 3, "better": 2, "worse": 1}
        >>> change |= {"neither": 0, "no label": 0}
        >>> len(flow(pl.DataFrame([change])).axes[0].patches)
        4
    """
    figure = Figure(figsize=(5.6, 4.2))
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set(xlim=(-0.3, 1.3), ylim=(1.02, -0.1))
    total = max(int(changes["rows"].sum()), 1)
    left, right = (_stack(axes, changes, side, total) for side in ("from", "to"))
    used = [band for band in BANDS if changes[band].sum()]
    for change in changes.iter_rows(named=True):
        for band in used:
            height = change[band] * (1 - GAP * (len(EMOTIONS) - 1)) / total
            if height:
                _ribbon(axes, left[change["from"]], right[change["to"]], height, band)
                left[change["from"]] += height
                right[change["to"]] += height
    axes.text(0, -0.05, "speech branch", ha="center", fontweight="bold")
    axes.text(1, -0.05, "final", ha="center", fontweight="bold")
    handles = [
        Patch(**_look(band), label=f"{BANDS[band][2]} ({changes[band].sum()})") for band in used
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _stack(axes: Axes, changes: pl.DataFrame, side: str, total: int) -> dict[str, float]:
    # Bars of one side with their names; gives where each begins.
    counts = dict(changes.group_by(side).agg(pl.col("rows").sum()).iter_rows())
    scale = (1 - GAP * (len(EMOTIONS) - 1)) / total
    tops, top = {}, 0.0
    for name in EMOTIONS:
        count = counts.get(name, 0)
        tops[name] = top
        if count:
            at, text, align = SIDES[side]
            axes.add_patch(Rectangle((at, top), BAR, count * scale, color=INK))
            sign = MINUS if side == "from" else "+"
            middle = top + count * scale / 2
            axes.text(text, middle, f"{name} {sign}{count}", ha=align, va="center")
        top += count * scale + GAP
    return tops


def _ribbon(axes: Axes, left: float, right: float, height: float, band: str) -> None:
    points = [
        (0.0, left), (0.5, left), (0.5, right), (1.0, right), (1.0, right + height),
        (0.5, right + height), (0.5, left + height), (0.0, left + height), (0.0, left),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(points, codes), **_look(band)))


def _look(band: str) -> dict[str, Any]:
    colour, hatch, _ = BANDS[band]
    return {
        "facecolor": colour, "hatch": hatch, "edgecolor": INK, "linewidth": 0.5, "alpha": 0.75,
    }  # fmt: skip
