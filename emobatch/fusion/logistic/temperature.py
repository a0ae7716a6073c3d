"""Temperature scaling: probabilities that are right as often as they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.evidence import Floats

# Beyond these the rows say no more than that nothing, or everything, is certain.
LEAST, MOST = 0.05, 20.0


def temperature(logits: Floats, labels: NDArray[np.intp]) -> float:
    """Find what logits are to be divided by, for the highest likelihood of the labels.

    Guo, Pleiss, Sun and Weinberger, *On Calibration of Modern Neural Networks* (2017).

    Args:
        logits: (rows, classes).
        labels: (rows,) numbers of classes.

    Returns:
        The temperature, 0.05 to 20; above 1 where the logits are too sure. 1 without rows.

    Examples:
        >>> round(temperature(np.array([[4.0, 0.0]] * 4), np.array([0, 0, 0, 1])), 2)
        3.64
    """
    # Takes a while to import, which only fitting needs.
    from scipy.optimize import minimize_scalar

    if not len(labels):
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        right = np.take_along_axis(scaled, labels[:, None], axis=1)[:, 0]
        return float((np.log(np.exp(scaled).sum(axis=1)) - right).mean())

    bounds = (np.log(LEAST), np.log(MOST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))
