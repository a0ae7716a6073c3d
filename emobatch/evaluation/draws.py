"""How far apart the figures of random draws are."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

LEVEL = 95


def prediction_interval(values: Sequence[float]) -> tuple[float, float]:
    """Bounds between which one more draw lies in 95 of 100 cases.

    By Student's t: percentiles of a few draws would be too narrow.

    Args:
        values: a figure of each draw, in any unit; two at least.

    Returns:
        The bounds in that unit, rounded to two decimals.

    Examples:
        >>> prediction_interval([1.0, 1.0, 1.0])
        (1.0, 1.0)
    """
    from scipy.stats import t

    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
    far = float(t.ppf((100 + LEVEL) / 200, len(values) - 1)) * sqrt(1 + 1 / len(values))
    return round(mean - far * spread, 2), round(mean + far * spread, 2)
