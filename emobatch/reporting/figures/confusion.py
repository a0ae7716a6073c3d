"""Confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from emobatch.reporting.figures.style import INK, MINUS, style
from emobatch.tasks.labels import EMOTIONS

# From paper to dark blue in one hue: light in print, and in order of lightness for every reader.
SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", "#9CC8E3", "#0072B2", "#003E63"])
# From this share on white letters have the contrast that small print needs (4.5 to 1).
DARK = 0.62
# Between the lines of a cell, as a share of its height.
LINE = 0.27


@style()
def confusion_matrix(
    counts: Sequence[Sequence[int]], title: str, before: Sequence[Sequence[int]] | None = None
) -> Figure:
    """Draw a confusion matrix with its numbers.

    Args:
        counts: a row for each label, a column for each prediction, in the order of ``EMOTIONS``.
        title: what was predicted.
        before: the matrix to compare with; how much a count differs from it is printed.

    Returns:
        Cells with counts, shaded by the share of their label's rows, which is printed too.

    Examples:
        >>> figure = confusion_matrix([[9, 1, 0, 0], [0, 5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]], "x")
        >>> [text.get_text() for text in figure.axes[0].texts][:2]
        ['9', '90 %']
    """
    table = np.asarray(counts)
    totals = table.sum(axis=1)
    shares = table / np.maximum(totals, 1)[:, None]
    figure = Figure(figsize=(4.7, 4.2))
    axes = figure.add_subplot()
    axes.imshow(shares, cmap=SHARES, vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(table):
        lines = [str(count)]
        if before is not None and (change := count - before[row][column]):
            lines.append(f"{change:+d}".replace("-", MINUS))
        if totals[row]:
            lines.append(f"{100 * shares[row, column]:.0f} %")
        _write(axes, column, row, lines, "white" if shares[row, column] > DARK else INK)
    places = range(len(EMOTIONS))
    axes.set_xticks(places, EMOTIONS)
    labels = [f"{name}\n{total} rows" for name, total in zip(EMOTIONS, totals, strict=True)]
    axes.set_yticks(places, labels)
    axes.set_xticks(np.arange(0.5, 3), minor=True)
    axes.set_yticks(np.arange(0.5, 3), minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled")
    axes.set_title(title)
    return figure


def _write(axes: Axes, column: int, row: int, lines: Sequence[str], colour: str) -> None:
    # Lines of a cell from its middle, the first one bold.
    for number, line in enumerate(lines):
        axes.text(
            column, row + LINE * (number - (len(lines) - 1) / 2), line, ha="center", va="center",
            color=colour, fontsize=9 if number else 11, fontweight="normal" if number else "bold",
        )  # fmt: skip


def describe_confusion(counts: Sequence[Sequence[int]], title: str) -> str:
    """Tell a confusion matrix in words.

    Args:
        counts: see :func:`confusion_matrix`.
        title: what was predicted.

    Returns:
        One sentence for each label that occurs.
    """
    rows = [
        f"of {sum(row)} rows labelled {label}, "
        + ", ".join(f"{count} {name}" for name, count in zip(EMOTIONS, row, strict=True) if count)
        for label, row in zip(EMOTIONS, counts, strict=True)
        if sum(row)
    ]
    return f"Confusion matrix, {title}: {'; '.join(rows)}."
