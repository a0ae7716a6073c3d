"""Whether confidence means what it says: calibration error, and accuracy by coverage."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import ProbabilityError
from emobatch.tables.uncertainty import SUM_TOLERANCE, refuse_nan

Floats = NDArray[np.float64]


def risk_coverage(uncertainty: Floats, right: NDArray[np.bool_]) -> pl.DataFrame:
    """Accuracy against the share of rows kept, when the least certain are left out first.

    Geifman and El-Yaniv, *Selective Classification for Deep Neural Networks*, 2017: coverage is the
    share of rows kept, selective risk the share of these that are wrong, 1 - accuracy.

    Args:
        uncertainty: (rows,) of any unit, for example entropy in nats.
        right: (rows,) whether the prediction is.

    Returns:
        A row for each uncertainty that occurs, in rising order: ``coverage`` and ``accuracy`` as
        shares from 0 to 1 of keeping the rows up to it. Rows of equal uncertainty are kept or
        left out together.

    Raises:
        ProbabilityError: if an uncertainty is NaN.

    Examples:
        >>> risk_coverage(np.array([0.1, 0.9, 0.9]), np.array([True, True, False]))["coverage"][0]
        0.3333333333333333
    """
    refuse_nan(uncertainty=uncertainty)
    order = np.argsort(uncertainty, kind="stable")
    steps = uncertainty[order]
    last = np.flatnonzero(np.append(steps[1:] != steps[:-1], True)) if len(steps) else order
    kept = last + 1
    return pl.DataFrame(
        {"coverage": kept / max(len(steps), 1), "accuracy": right[order].cumsum()[last] / kept}
    )


def risk_coverage_area(uncertainty: Floats, right: NDArray[np.bool_]) -> float:
    """Area under the curve of risk against coverage (AURC): lower is better.

    Geifman and El-Yaniv's estimate: the mean, over all rows, of the risk of keeping the rows that
    are at least as certain as that row.

    Args:
        uncertainty: (rows,) of any unit; at least one row.
        right: (rows,) whether the prediction is.

    Returns:
        Percent, 0 where all rows are right.

    Raises:
        ProbabilityError: if an uncertainty is NaN.

    Examples:
        >>> risk_coverage_area(np.array([0.1, 0.2]), np.array([True, False]))
        25.0
    """
    curve = risk_coverage(uncertainty, right)
    widths = np.diff(curve["coverage"].to_numpy(), prepend=0.0)
    return float(100 * np.sum(widths * (1 - curve["accuracy"].to_numpy())))


def calibration_bins(
    probabilities: Floats, labels: NDArray[np.integer], bins: int = 10
) -> pl.DataFrame:
    """Confidence against accuracy: the reliability diagram.

    Args:
        probabilities: (rows, classes) that sum to 1; the highest is the confidence, its class (of
            equals the first) the prediction.
        labels: (rows,) index of each row's true class.
        bins: number of bins of equal width, each without its lower and with its upper bound.

    Returns:
        A row for each bin: ``low`` and ``high``, the bounds of its confidence; ``rows`` in it;
        their mean ``confidence`` and their ``accuracy``, 0 to 1, null where there are none.

    Raises:
        ProbabilityError: if a probability is NaN or outside 0 to 1.

    Examples:
        >>> probabilities = np.array([[0.75, 0.25], [0.75, 0.25]])
        >>> calibration_bins(probabilities, np.array([0, 1]), bins=2).row(1)
        (0.5, 1.0, 2, 0.75, 0.5)
    """
    refuse_nan(probabilities=probabilities)
    if ((probabilities < 0) | (probabilities > 1 + SUM_TOLERANCE)).any():
        raise ProbabilityError("probabilities: a value is outside 0 to 1; score these rows again")
    confidence = probabilities.max(axis=1, initial=0.0)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows = np.bincount(at, minlength=bins)
    nothing = np.full(bins, np.nan)
    means = (
        np.divide(np.bincount(at, values, bins), rows, out=nothing.copy(), where=rows > 0)
        for values in (confidence, right)
    )
    mean, accuracy = (pl.Series(values).fill_nan(None) for values in means)
    return pl.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "rows": rows,
            "confidence": mean,
            "accuracy": accuracy,
        }
    )


def calibration_error(probabilities: Floats, labels: NDArray[np.integer], bins: int = 10) -> float:
    """Expected calibration error: how far confidence is from accuracy, on average over the rows.

    ``ECE = sum_b rows_b / rows |accuracy_b - confidence_b|`` (Guo et al., *On Calibration of Modern
    Neural Networks*, 2017, equation 3).

    Args:
        probabilities: (rows, classes) that sum to 1; at least one row.
        labels: (rows,) index of each row's true class.
        bins: of equal width, see :func:`calibration_bins`.

    Returns:
        Percent.

    Raises:
        ProbabilityError: if a probability is NaN or outside 0 to 1.

    Examples:
        >>> round(calibration_error(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1])), 4)
        45.0
    """
    filled = calibration_bins(probabilities, labels, bins).drop_nulls()
    gaps = np.abs(filled["accuracy"].to_numpy() - filled["confidence"].to_numpy())
    return float(100 * np.average(gaps, weights=filled["rows"].to_numpy()))
