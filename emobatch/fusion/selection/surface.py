"""M of equation 7 over the grid of thresholds, for thresholds that are in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.fusion.selection.detection import (
    GRID_POINTS,
    Detection,
    best_detection,
    detection_surface,
    grids,
)
from emobatch.fusion.selection.fitting import Protocol, is_sample
from emobatch.fusion.selection.rules import Limits

Floats = NDArray[np.float64]
# How far beyond a pair outside the grid the grid is widened, as a share of its new width.
MARGIN = 0.1


@dataclass(frozen=True)
class Surface:
    """How well each pair of thresholds finds misclassified rows among the rows given.

    Attributes:
        entropy: (n,) thresholds in rising order, nats.
        varentropy: (m,) thresholds in rising order, nats squared.
        accuracy: (n, m) M in percent, NaN where a pair flags no row.
        plateau: (n, m) pairs with the same M as the pair in use, connected to it by such pairs.
        used: the pair in use; its counts are those of the rows given.
        searched: (4,) bounds of what `calibrate` would search on these rows: entropy from and to,
            varentropy from and to.
        best: what it would choose there.
    """

    entropy: Floats
    varentropy: Floats
    accuracy: Floats
    plateau: NDArray[np.bool_]
    used: Detection
    searched: tuple[float, ...]
    best: Detection | None


def surface(rows: pl.DataFrame, name: str, limits: Limits, protocol: Protocol) -> Surface | None:
    """Compute M over the grid that `calibrate` would search on these rows.

    Where the pair in use lies outside, the grid is widened to hold it.

    Args:
        rows: labelled and scored, with ``label``, ``speech_emotion``, ``entropy`` and
            ``varentropy`` (nats).
        name: the predicted class.
        limits: those of the class.
        protocol: whose percentiles bound the grid, see :func:`~emobatch.fusion.calibrate.fit`.

    Returns:
        The surface, None where there are too few rows to take percentiles of.

    Examples:
        >>> row = {"label": "sad", "speech_emotion": "happy", "entropy": 1.0, "varentropy": 0.2}
        >>> limits = Limits(entropy=0.9, varentropy=0.3)
        >>> surface(pl.DataFrame([row] * 5), "happy", limits, "released").used.accuracy
        1.0
    """
    sample = rows.filter(is_sample(rows, name, protocol))
    searched = grids(sample["entropy"].to_numpy(), sample["varentropy"].to_numpy())
    if searched is None:
        return None
    of_class = rows.filter(pl.col("speech_emotion") == name)
    columns = (
        of_class["entropy"].to_numpy(),
        of_class["varentropy"].to_numpy(),
        (of_class["label"] != name).to_numpy(),
    )
    grid_e, grid_v = (
        _holding(values, value)
        for values, value in zip(searched, (limits.entropy, limits.varentropy), strict=True)
    )
    flagged, detected = detection_surface(*columns, grid_e, grid_v)
    pair = (np.array([limits.entropy]), np.array([limits.varentropy]))
    counts = (int(count.item()) for count in detection_surface(*columns, *pair))
    used = Detection(limits.entropy, limits.varentropy, *counts)
    same = (flagged > 0) & (detected * used.flagged == used.detected * flagged)
    accuracy = np.full(flagged.shape, np.nan)
    np.divide(100 * detected, flagged, where=flagged > 0, out=accuracy)
    return Surface(
        grid_e,
        grid_v,
        accuracy,
        _around(same, _nearest(grid_e, used.entropy), _nearest(grid_v, used.varentropy)),
        used,
        tuple(float(end) for values in searched for end in values[[0, -1]]),
        best_detection(*columns, *searched),
    )


def _holding(values: Floats, value: float) -> Floats:
    low, high = float(values[0]), float(values[-1])
    if low <= value <= high:
        return values
    room = MARGIN * (max(high, value) - min(low, value))
    low, high = min(low, max(value - room, 0.0)), max(high, value + room)
    return np.linspace(low, high, GRID_POINTS)


def _nearest(values: Floats, value: float) -> int:
    return int(np.abs(values - value).argmin())


def _around(cells: NDArray[np.bool_], row: int, column: int) -> NDArray[np.bool_]:
    # The cells that are connected to the one given or to a neighbour of it: limits that were fitted
    # on other rows lie between two lines of this grid.
    from scipy.ndimage import label

    parts, _ = label(cells)
    near = parts[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    return np.isin(parts, near[near > 0])
