"""Confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from emobatch.reporting.figures.style import INK, MINUS, SIDE_BY_SIDE, slanted, style

# From paper to dark blue in one hue: light in print, and in order of lightness for every reader.
SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", "#9CC8E3", "#0072B2", "#003E63"])
# From this share on white letters have the contrast that small print needs (4.5 to 1).
DARK = 0.62
# Between the lines of a cell, as a share of its height.
LINE = 0.27
# With more classes cells have no room for three lines, and then for none.
FEW, MANY = 5, 12
# Sides of a cell in inches, and what names and titles take beside the cells.
CELL, LEAST_CELL, ROOM = 0.62, 0.32, 2.2
# Of many classes, so many predictions of a label are told in words.
MOST_TOLD = 3


@style()
def confusion_matrix(
    counts: Sequence[Sequence[int]],
    classes: Sequence[str],
    title: str,
    before: Sequence[Sequence[int]] | None = None,
) -> Figure:
    """Draw a confusion matrix, with its numbers where there is room for them.

    Args:
        counts: a row for each label, a column for each prediction, in the order of the classes.
        classes: their names.
        title: what was predicted.
        before: the matrix to compare with; how much a count differs from it is printed.

    Returns:
        Cells shaded by the share of their label's rows, with counts, differences and shares; of
        many classes with counts alone, and of very many with a scale instead.

    Examples:
        >>> figure = confusion_matrix([[9, 1], [0, 5]], ("happy", "sad"), "x")
        >>> [text.get_text() for text in figure.axes[0].texts][:2]
        ['9', '90 %']
    """
    table, size = np.asarray(counts), len(classes)
    totals = table.sum(axis=1)
    shares = table / np.maximum(totals, 1)[:, None]
    figure = Figure(figsize=_size(size))
    axes = figure.add_subplot()
    # Of many classes the shares of errors are small, and shall be seen beside those of the right.
    scale = PowerNorm(1 if size <= MANY else 0.5, vmin=0, vmax=1)
    image = axes.imshow(shares, cmap=SHARES, norm=scale, aspect="auto")
    if size <= MANY:
        _fill(axes, table, shares, before)
    else:
        _scale(figure, axes, image)
    _name(axes, classes, totals.tolist())
    axes.set_title(title)
    return figure


def describe_confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str) -> str:
    """Tell a confusion matrix in words.

    Args:
        counts: see :func:`confusion_matrix`.
        classes: their names.
        title: what was predicted.

    Returns:
        One sentence for each label that occurs.
    """
    rows = [
        f"of {sum(row)} rows labelled {label}, {_told(row, classes)}"
        for label, row in zip(classes, counts, strict=True)
        if sum(row)
    ]
    return f"Confusion matrix, {title}: {'; '.join(rows)}."


def _told(row: Sequence[int], classes: Sequence[str]) -> str:
    named = [(count, name) for name, count in zip(classes, row, strict=True) if count]
    others = ""
    if len(classes) > MANY and len(named) > MOST_TOLD:
        named.sort(key=lambda cell: -cell[0])
        others = f", {sum(count for count, _ in named[MOST_TOLD:])} others"
        named = named[:MOST_TOLD]
    return ", ".join(f"{count} {name}" for count, name in named) + others


def _size(classes: int) -> tuple[float, float]:
    if classes <= FEW:
        return SIDE_BY_SIDE, 4.2
    side = max(LEAST_CELL, CELL * min(1.0, 10 / classes) if classes <= MANY else LEAST_CELL)
    return ROOM + side * classes, ROOM - 0.5 + side * classes


def _fill(
    axes: Axes,
    table: NDArray[np.int64],
    shares: NDArray[np.float64],
    before: Sequence[Sequence[int]] | None,
) -> None:
    totals = table.sum(axis=1)
    few = len(table) <= FEW
    for (row, column), count in np.ndenumerate(table):
        lines = [str(count)]
        if before is not None and (change := int(count - before[row][column])):
            lines.append(f"{change:+d}".replace("-", MINUS))
        if few and totals[row]:
            lines.append(f"{100 * shares[row, column]:.0f} %")
        colour = "white" if shares[row, column] > DARK else INK
        for number, line in enumerate(lines):
            # From the middle of the cell, the first line bold.
            axes.text(
                column, row + LINE * (number - (len(lines) - 1) / 2) * (1 if few else 1.3), line,
                ha="center", va="center", color=colour,
                fontsize=(9 if number else 11) if few else (7 if number else 8.5),
                fontweight="normal" if number else "bold",
            )  # fmt: skip


def _scale(figure: Figure, axes: Axes, image: AxesImage) -> None:
    scale = figure.colorbar(image, ax=axes, fraction=0.03, pad=0.02)
    scale.ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    scale.set_label("of the label's rows")


def _name(axes: Axes, classes: Sequence[str], totals: Sequence[int]) -> None:
    size = len(classes)
    axes.set_xticks(range(size), classes, **slanted(classes))
    shape = "{}\n{} rows" if size <= FEW else "{} ({})"
    labels = [shape.format(name, total) for name, total in zip(classes, totals, strict=True)]
    axes.set_yticks(range(size), labels)
    axes.set_xticks(np.arange(0.5, size - 1), minor=True)
    axes.set_yticks(np.arange(0.5, size - 1), minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5 if size <= MANY else 0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled" if size <= FEW else "labelled (rows)")
