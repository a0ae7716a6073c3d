"""Search for the pair of thresholds that finds misclassified rows best (equation 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emobatch.tables.uncertainty import refuse_nan

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
# By what a row is flagged: Table III compares either measure alone with both.
FlagBy = Literal["both", "entropy", "varentropy"]
GRID_POINTS = 200
ENTROPY_PERCENTILES = (65.0, 85.0)
VARENTROPY_PERCENTILES = (15.0, 35.0)
# Below this, the 15th and the 85th percentile are both made by the same one or two rows.
FEWEST_ROWS = 5


@dataclass(frozen=True)
class Detection:
    """A pair of thresholds and how well it finds misclassified rows.

    Attributes:
        entropy: tau_e in nats.
        varentropy: tau_v in nats squared.
        flagged: rows that the pair flags.
        detected: those of them that are misclassified.
    """

    entropy: float
    varentropy: float
    flagged: int
    detected: int

    @property
    def accuracy(self) -> float:
        """M of equation 7: detected of flagged, 0 to 1."""
        return self.detected / self.flagged


def detection_surface(
    entropy: Floats, varentropy: Floats, wrong: NDArray[np.bool_], grid_e: Floats, grid_v: Floats
) -> tuple[Counts, Counts]:
    """Count what every pair of thresholds of a grid flags, and what of that is misclassified.

    Each row is counted once into the cell of the grid from which on it is flagged; sums over the
    cells give the counts of all pairs. Cost: rows x log(grid) + grid squared.

    Args:
        entropy: (rows,) in nats, of all rows of one predicted class.
        varentropy: (rows,) in nats squared.
        wrong: (rows,) whether the prediction is.
        grid_e: (n,) thresholds of entropy in rising order, nats.
        grid_v: (m,) thresholds of varentropy in rising order, nats squared.

    Returns:
        (n, m) rows flagged and (n, m) those of them that are misclassified, which M, their ratio,
        is made of (equation 7).

    Raises:
        ProbabilityError: if a value is NaN.

    Examples:
        >>> entropy, varentropy = np.array([0.2, 1.0, 1.2]), np.array([0.1, 0.1, 0.1])
        >>> wrong = np.array([False, False, True])
        >>> grid_e, grid_v = np.array([0.5, 1.1]), np.array([0.1])
        >>> flagged, detected = detection_surface(entropy, varentropy, wrong, grid_e, grid_v)
        >>> flagged.tolist(), detected.tolist()
        ([[2], [1]], [[1], [1]])
    """
    refuse_nan(entropy=entropy, varentropy=varentropy)
    shape = (len(grid_e) + 1, len(grid_v) + 1)
    # A row is flagged by the first `at_e` thresholds of entropy and from `at_v` of varentropy on.
    at_e = np.searchsorted(grid_e, entropy, side="right")
    at_v = np.searchsorted(grid_v, varentropy, side="left")
    cells = np.ravel_multi_index((at_e, at_v), shape)

    def pair_counts(chosen: NDArray[np.intp]) -> Counts:
        counts = np.bincount(chosen, minlength=shape[0] * shape[1]).reshape(shape)
        at_least_e = counts[::-1].cumsum(axis=0)[::-1][1:]
        return at_least_e.cumsum(axis=1)[:, :-1]

    return pair_counts(cells), pair_counts(cells[wrong])


def accuracies(flagged: Counts, detected: Counts) -> Floats:
    """M of equation 7 for every pair of thresholds.

    Args:
        flagged: (n, m) rows that each pair flags.
        detected: (n, m) those of them that are misclassified.

    Returns:
        (n, m) detected of flagged, 0 to 1; -1 where a pair flags no row, below every M.

    Examples:
        >>> accuracies(np.array([[2, 0]]), np.array([[1, 0]])).tolist()
        [[0.5, -1.0]]
    """
    accuracy = np.full(flagged.shape, -1.0)
    np.divide(detected, flagged, out=accuracy, where=flagged > 0)
    return accuracy


def best_detection(
    entropy: Floats, varentropy: Floats, wrong: NDArray[np.bool_], grid_e: Floats, grid_v: Floats
) -> Detection | None:
    """Search a grid for the pair of thresholds with the highest M (equation 7).

    Args:
        entropy: (rows,) in nats, of all rows of one predicted class.
        varentropy: (rows,) in nats squared.
        wrong: (rows,) whether the prediction is.
        grid_e: (n,) thresholds of entropy in rising order, nats.
        grid_v: (m,) thresholds of varentropy in rising order, nats squared.

    Returns:
        The best pair; of equals that with the most flagged rows, then the lowest entropy, then
        the highest varentropy. None where no pair flags a row.

    Raises:
        ProbabilityError: if a value is NaN.

    Examples:
        >>> entropy, varentropy = np.array([0.2, 1.0, 1.2]), np.array([0.1, 0.1, 0.1])
        >>> wrong = np.array([False, False, True])
        >>> grid = np.array([0.5, 1.1])
        >>> best_detection(entropy, varentropy, wrong, grid, np.array([0.1])).entropy
        1.1
    """
    refuse_nan(entropy=entropy, varentropy=varentropy)
    reached = (entropy >= grid_e[0]) & (varentropy <= grid_v[-1])
    if not reached.any():
        return None
    entropy, varentropy = entropy[reached], varentropy[reached]
    # Between two rows all thresholds flag the same; of these the lowest entropy and the highest
    # varentropy are preferred, and the others need no trial.
    grid_e = grid_e[_places(np.searchsorted(grid_e, entropy, side="right"), 0, len(grid_e))]
    after = np.searchsorted(grid_v, varentropy, side="left") - 1
    grid_v = grid_v[_places(after, len(grid_v) - 1, len(grid_v))]
    flagged_rows, detected = detection_surface(entropy, varentropy, wrong[reached], grid_e, grid_v)
    accuracy = accuracies(flagged_rows, detected)
    best = accuracy == accuracy.max()
    best &= flagged_rows == flagged_rows[best].max()
    row = int(best.any(axis=1).argmax())
    column = int(np.flatnonzero(best[row])[-1])
    return Detection(
        float(grid_e[row]),
        float(grid_v[column]),
        int(flagged_rows[row, column]),
        int(detected[row, column]),
    )


def _places(found: NDArray[np.intp], always: int, size: int) -> NDArray[np.intp]:
    chosen = np.zeros(size, dtype=bool)
    chosen[found[(found >= 0) & (found < size)]] = True
    chosen[always] = True
    return np.flatnonzero(chosen)


def grid(values: Floats, percentiles: tuple[float, float]) -> Floats:
    """Thresholds to try: evenly spaced between two percentiles of the values.

    Args:
        values: (rows,) entropies or varentropies.
        percentiles: the lowest and the highest, 0 to 100; interpolated linearly.

    Returns:
        (200,) thresholds in rising order, in the unit of the values.

    Examples:
        >>> grid(np.array([0.0, 1.0]), (65.0, 85.0))[[0, -1]].round(2).tolist()
        [0.65, 0.85]
    """
    low, high = _percentiles(values, np.array(percentiles))
    return np.linspace(low, high, GRID_POINTS)


def _percentiles(values: Floats, percentiles: Floats) -> Floats:
    # To the last digit those of `numpy.percentile`, whose checks took most of a refit's time.
    ordered = np.sort(values)
    at = (len(values) - 1) * (percentiles / 100)
    below = at.astype(np.intp)
    after = at - below
    low, high = ordered[below], ordered[np.minimum(below + 1, len(values) - 1)]
    step = high - low
    return np.where(after < 0.5, low + step * after, high - step * (1 - after))


def grids(
    entropy: Floats, varentropy: Floats, flag_by: FlagBy = "both"
) -> tuple[Floats, Floats] | None:
    """Thresholds to try, between the percentiles of section II-C of a sample.

    Args:
        entropy: (rows,) of the sample, nats.
        varentropy: (rows,) of the sample, nats squared.
        flag_by: the measures that flag a row; the other has one threshold, which every row passes.

    Returns:
        (200,) thresholds of entropy and (200,) of varentropy, None where there are too few rows to
        take percentiles of.

    Examples:
        >>> grids(np.ones(4), np.ones(4)) is None
        True
    """
    if len(entropy) < FEWEST_ROWS:
        return None
    if flag_by == "entropy":
        return grid(entropy, ENTROPY_PERCENTILES), np.array([np.inf])
    if flag_by == "varentropy":
        return np.array([-np.inf]), grid(varentropy, VARENTROPY_PERCENTILES)
    return grid(entropy, ENTROPY_PERCENTILES), grid(varentropy, VARENTROPY_PERCENTILES)
