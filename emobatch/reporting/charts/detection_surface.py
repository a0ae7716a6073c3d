"""M of equation 7 over the grid of thresholds, as a heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from emobatch.fusion.description import Chart
from emobatch.reporting.charts.kind import ChartKind
from emobatch.reporting.figures.style import GREY, INK, PALE, style

Floats = NDArray[np.float64]
SEARCHED: Mapping[str, Any] = {"edgecolor": INK, "linewidth": 1.4, "linestyle": ":"}


class Pair(Protocol):
    """A pair of thresholds: entropy in nats, varentropy in nats squared."""

    @property
    def entropy(self) -> float:
        """Least entropy of a row that is flagged."""

    @property
    def varentropy(self) -> float:
        """Highest varentropy of a row that is flagged."""


class Surface(Protocol):
    """M of each pair of a grid of thresholds."""

    @property
    def entropy(self) -> Floats:
        """(n,) thresholds in rising order, nats."""

    @property
    def varentropy(self) -> Floats:
        """(m,) thresholds in rising order, nats squared."""

    @property
    def accuracy(self) -> Floats:
        """(n, m) M in percent, NaN where a pair flags no row."""

    @property
    def plateau(self) -> NDArray[np.bool_]:
        """(n, m) the pairs around the one in use that have the same M."""

    @property
    def used(self) -> Pair:
        """The pair in use."""

    @property
    def searched(self) -> Sequence[float]:
        """(4,) bounds of the search: entropy from and to, varentropy from and to."""

    @property
    def best(self) -> Pair | None:
        """What a search finds, None where it finds nothing."""


class DetectionSurface(ChartKind):
    """M over the grid of thresholds of one predicted class."""

    def draw(self, chart: Chart) -> Figure:
        """Draw the map."""
        return detection_heat_map(chart.data, chart.title)

    def describe(self, chart: Chart) -> str:
        """Tell whose map it is and what its caption says."""
        return f"M over the grid of thresholds, rows {chart.title}. {chart.caption}"


@style()
def detection_heat_map(surface: Surface, title: str) -> Figure:
    """Draw M for each pair of thresholds.

    Args:
        surface: M of one class.
        title: the class.

    Returns:
        A map of M with the pair in use and the outline of its plateau, the best pair for the rows
        that M is of, and the bounds of the search for that where the map is wider.

    Examples:
        >>> from types import SimpleNamespace
        >>> axis, flat = np.array([0.1, 0.2]), np.full((2, 2), 50.0)
        >>> pair = SimpleNamespace(entropy=0.1, varentropy=0.2)
        >>> surface = SimpleNamespace(
        ...     entropy=axis, varentropy=axis, accuracy=flat, plateau=flat > 0, used=pair,
        ...     searched=(0.1, 0.2, 0.1, 0.2), best=pair,
        ... )
        >>> detection_heat_map(surface, "sad").axes[0].get_title()
        'sad'
    """
    figure = Figure(figsize=(5.0, 4.4))
    axes = figure.add_subplot()
    x, y = _bounds(surface.entropy), _bounds(surface.varentropy)
    axes.set_facecolor(PALE)
    low, high = _scale(surface.accuracy)
    image = axes.imshow(
        surface.accuracy.T,
        origin="lower",
        aspect="auto",
        cmap="cividis",
        vmin=low,
        vmax=high,
        extent=(*x, *y),
        interpolation="nearest",
    )
    handles: list[Line2D | Patch] = [_mark(axes, surface.used, "o", "in use")]
    if surface.best is not None:
        handles.append(_mark(axes, surface.best, "D", "best on these rows"))
    if surface.plateau.any():
        _outline(axes, surface.plateau, x, y)
        handles.append(Patch(facecolor="none", edgecolor=INK, linewidth=1.4, label="plateau"))
    searched = np.array(surface.searched)
    if not np.array_equal(searched, [*surface.entropy[[0, -1]], *surface.varentropy[[0, -1]]]):
        corner, size = searched[[0, 2]], searched[[1, 3]] - searched[[0, 2]]
        for look in ({"edgecolor": "white", "linewidth": 2.5}, SEARCHED):
            axes.add_patch(Rectangle((corner[0], corner[1]), size[0], size[1], fill=False, **look))
        handles.append(Patch(fill=False, label="searched", **SEARCHED))
    if np.isnan(surface.accuracy).any():
        handles.append(Patch(facecolor=PALE, edgecolor=GREY, label="flags no row"))
    axes.set(xlim=x, ylim=y, xlabel="entropy at least, nats", ylabel="varentropy at most, nats²")
    axes.set_title(title)
    figure.colorbar(image, label="M, % of the flagged rows that are wrong")
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _mark(axes: Axes, pair: Pair, marker: str, label: str) -> Line2D:
    size = 9 if marker == "o" else 5
    look: dict[str, Any] = {
        "linestyle": "", "marker": marker, "markersize": size, "markerfacecolor": "white",
        "markeredgecolor": INK, "markeredgewidth": 2 if marker == "o" else 1.2,
    }  # fmt: skip
    axes.plot(pair.entropy, pair.varentropy, clip_on=False, zorder=5, **look)
    return Line2D([], [], label=label, **look)


def _outline(
    axes: Axes, cells: NDArray[np.bool_], x: tuple[float, float], y: tuple[float, float]
) -> None:
    # Along the sides of cells that have a neighbour of the other kind; white beneath black shows
    # on every colour.
    columns, lines = (
        np.linspace(*ends, size + 1) for ends, size in zip((x, y), cells.shape, strict=True)
    )
    framed = np.pad(cells, 1)
    across = np.argwhere(framed[1:, 1:-1] != framed[:-1, 1:-1])
    along = np.argwhere(framed[1:-1, 1:] != framed[1:-1, :-1])
    starts = np.concatenate([across, along])
    ends = starts + np.repeat([(0, 1), (1, 0)], [len(across), len(along)], axis=0)
    # As one line that is interrupted after each side.
    at = [
        np.column_stack(
            [edges[starts[:, axis]], edges[ends[:, axis]], np.full(len(starts), np.nan)]
        )
        for axis, edges in enumerate((columns, lines))
    ]
    for colour, width in (("white", 3.0), (INK, 1.4)):
        axes.plot(*(points.ravel() for points in at), color=colour, linewidth=width)


def _scale(accuracy: Floats) -> tuple[float, float]:
    known = accuracy[~np.isnan(accuracy)]
    # Of one value alone there is no scale but that of all percentages.
    if not len(known) or known.min() == known.max():
        return 0.0, 100.0
    return float(known.min()), float(known.max())


def _bounds(values: Floats) -> tuple[float, float]:
    # Half a step beyond the first and last; a grid of equal values is given some width.
    half = max((values[-1] - values[0]) / max(len(values) - 1, 1) / 2, 1e-6)
    return float(values[0] - half), float(values[-1] + half)
