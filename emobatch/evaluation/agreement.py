"""How far predicted numbers agree with labels: CCC, Pearson's correlation, RMSE.

All of them are functions of six sums over the rows, so that bootstrap resamples need no more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CCC, PEARSON, RMSE = FIGURES = ("CCC", "Pearson", "RMSE")
# Sums of a row: 1, x, y, x², y², xy.
SUMS = 6
# Variances that are smaller than this share of the mean square are rounding.
NOTHING = 1e-12


def parts(labels: Floats, predicted: Floats) -> Floats:
    """What each row adds to the sums.

    Args:
        labels: (rows,) NaN where a row doesn't count.
        predicted: (rows,) NaN likewise.

    Returns:
        (rows, 6) 1, label, prediction, their squares and their product; 0 where one is missing.

    Examples:
        >>> parts(np.array([2.0, np.nan]), np.array([3.0, 1.0])).tolist()
        [[1.0, 2.0, 3.0, 4.0, 9.0, 6.0], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]
    """
    known = np.isfinite(labels) & np.isfinite(predicted)
    x, y = np.where(known, labels, 0.0), np.where(known, predicted, 0.0)
    return np.stack([known.astype(np.float64), x, y, x * x, y * y, x * y], axis=1)


def figures(sums: Floats) -> dict[str, Floats]:
    """CCC, Pearson's correlation and RMSE, of many samples at once.

    With means m, variances s² and the covariance s_xy, all divided by n: the concordance
    correlation coefficient is ``2 s_xy / (s_x² + s_y² + (m_x - m_y)²)`` (Lin, *A Concordance
    Correlation Coefficient to Evaluate Reproducibility*, 1989), Pearson's ``s_xy / (s_x s_y)``.

    Args:
        sums: (samples, 6) see :func:`parts`.

    Returns:
        (samples,) of each; NaN where it would be divided by nothing.

    Examples:
        >>> sums = parts(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])).sum(axis=0)
        >>> {name: round(float(value[0]), 3) for name, value in figures(sums[None]).items()}
        {'CCC': 0.571, 'Pearson': 1.0, 'RMSE': 1.0}
    """
    count, *totals = np.moveaxis(sums, -1, 0)
    x, y, xx, yy, xy = (_ratio(total, count) for total in totals)
    s_x, s_y = _spread(xx, x), _spread(yy, y)
    both = xy - x * y
    squares = xx + yy - 2 * xy
    return {
        CCC: _ratio(2 * both, s_x + s_y + (x - y) ** 2),
        PEARSON: np.clip(_ratio(both, np.sqrt(s_x * s_y)), -1, 1),
        RMSE: np.sqrt(np.maximum(squares, 0)),
    }


def agreement(labels: Floats, predicted: Floats) -> dict[str, float]:
    """CCC, Pearson's correlation and RMSE of one sample.

    Args:
        labels: (rows,) NaN where a row doesn't count.
        predicted: (rows,) NaN likewise.

    Returns:
        Each; NaN where it would be divided by nothing.

    Examples:
        >>> agreement(np.array([1.0, 3.0]), np.array([1.0, 3.0]))
        {'CCC': 1.0, 'Pearson': 1.0, 'RMSE': 0.0}
    """
    centre = usual(labels, predicted)
    sums = parts(labels - centre, predicted - centre).sum(axis=0)
    return {name: float(value[0]) for name, value in figures(sums[None]).items()}


def usual(labels: Floats, predicted: Floats) -> float:
    """What is taken away from both before sums are taken, which loses fewer digits then.

    Args:
        labels: (rows,).
        predicted: (rows,).

    Returns:
        The mean of the labels that count, 0 where none does. No figure changes by it.
    """
    known = np.isfinite(labels) & np.isfinite(predicted)
    return float(labels[known].mean()) if known.any() else 0.0


def _spread(squares: Floats, mean: Floats) -> Floats:
    spread = squares - mean**2
    return np.where(spread > NOTHING * squares, spread, 0.0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    found = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found
