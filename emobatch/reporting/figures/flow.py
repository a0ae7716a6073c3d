"""Changes of emotion as a flow (an alluvial diagram)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

# Of the rows of a flow, from its top.
BANDS = {
    "better": (RIGHT_COLOUR, RIGHT_HATCH, "better: right only afterwards"),
    "worse": (WRONG_COLOUR, WRONG_HATCH, "worse: right only before"),
    "neither": (NEITHER_COLOUR, NEITHER_HATCH, "neither: wrong both times"),
    "no label": (NEITHER_COLOUR, "", "no label"),
}
# More changes than that are a tangle.
MOST_CHANGES = 24
# Width of the bars of the classes, as a share of the flow's.
BAR = 0.02
# In inches: a figure, what of it is no flow, the bars of a flow, and from name to name at least.
WIDTH, HEIGHT, AROUND, BARS, BETWEEN = 5.6, 4.2, 1.1, 2.4, 0.22
# Where the bars and their names stand, and on which side of that the names end.
SIDES: Mapping[str, tuple[float, float, Any]] = {
    "from": (-BAR, -2 * BAR, "right"),
    "to": (1.0, 1 + 2 * BAR, "left"),
}


def largest(changes: pl.DataFrame) -> pl.DataFrame:
    """The changes that a flow shows.

    Args:
        changes: a row for each change, see :func:`flow`.

    Returns:
        All in their order, or of very many those of most rows.

    Examples:
        >>> len(largest(pl.DataFrame({"rows": list(range(100))})))
        24
    """
    if len(changes) <= MOST_CHANGES:
        return changes
    return (
        changes.with_row_index("\0order")
        .top_k(MOST_CHANGES, by="rows")
        .sort("\0order")
        .drop("\0order")
    )


@style()
def flow(changes: pl.DataFrame, classes: Sequence[str]) -> Figure:
    """Draw from which emotion to which rows went, and whether for the better.

    Args:
        changes: a row for each change: ``from``, ``to``, ``rows``, and of these ``better``,
            ``worse``, ``neither`` and ``no label``.
        classes: in the order in which they are drawn; those that don't occur are left out.

    Returns:
        Bands as high as they have rows, from the speech branch's emotion to the final one.

    Examples:
        >>> change = {"from": "sad", "to": "happy", "rows": 3, "better": 2, "worse": 1}
        >>> change |= {"neither": 0, "no label": 0}
        >>> len(flow(pl.DataFrame([change]), ("happy", "sad")).axes[0].patches)
        4
    """
    sides = {
        side: [name for name in classes if name in set(changes[side].to_list())] for side in SIDES
    }
    most = max(map(len, sides.values()))
    height = max(HEIGHT, AROUND + BARS + BETWEEN * (most - 1))
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_subplot()
    axes.set_axis_off()
    axes.set(xlim=(-0.3, 1.3), ylim=(1.02, -0.1 * HEIGHT / height))
    gap = BETWEEN / (height - AROUND)
    scale = (1 - gap * (most - 1)) / max(int(changes["rows"].sum()), 1)
    left, right = (_stack(axes, changes, side, sides[side], scale) for side in SIDES)
    used = [band for band in BANDS if changes[band].sum()]
    for change in changes.iter_rows(named=True):
        for band in used:
            if change[band]:
                thickness = change[band] * scale
                _ribbon(axes, left[change["from"]], right[change["to"]], thickness, band)
                left[change["from"]] += thickness
                right[change["to"]] += thickness
    for at, name in enumerate(("speech branch", "final")):
        axes.text(at, -0.05 * HEIGHT / height, name, ha="center", fontweight="bold")
    handles = [
        Patch(**_look(band), label=f"{BANDS[band][2]} ({changes[band].sum()})") for band in used
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def _stack(
    axes: Axes, changes: pl.DataFrame, side: str, names: Sequence[str], scale: float
) -> dict[str, float]:
    # Bars of one side with their names; gives where each begins.
    counts = dict(changes.group_by(side).agg(pl.col("rows").sum()).iter_rows())
    gap = (1 - scale * sum(counts.values())) / max(len(names) - 1, 1)
    tops, top = {}, 0.0 if len(names) > 1 else gap / 2
    for name in names:
        height = counts[name] * scale
        tops[name] = top
        at, text, align = SIDES[side]
        axes.add_patch(Rectangle((at, top), BAR, height, color=INK))
        sign = MINUS if side == "from" else "+"
        axes.text(text, top + height / 2, f"{name} {sign}{counts[name]}", ha=align, va="center")
        top += height + gap
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
