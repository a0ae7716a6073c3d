"""What other thresholds would have done, and how much they vary over bootstrap resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emobatch.evaluation.bootstrap import SEED, Units, interval
from emobatch.fusion.selection.detection import (
    Detection,
    accuracies,
    best_detection,
    detection_surface,
    grids,
)
from emobatch.fusion.selection.firmness import Firmness, Span

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Searched = tuple[Floats, Floats, Bools, Floats, Floats]
DIGITS = 4


@dataclass(frozen=True)
class Refit:
    """Thresholds of a class on one resample.

    Attributes:
        found: thresholds with their counts on the resample.
        flagged: rows left out of the resample that they flag.
        detected: those of them that are misclassified.
    """

    found: Detection
    flagged: int
    detected: int


@dataclass(frozen=True)
class ClassRows:
    """Rows of one predicted class, and those that its percentiles are taken of.

    Attributes:
        entropy: (rows,) of all rows of the table, nats.
        varentropy: (rows,) of all rows of the table, nats squared.
        wrong: (rows,) whether the prediction is.
        own: indices of the rows that are predicted as the class.
        sample: indices of the rows that percentiles are taken of.
    """

    entropy: Floats
    varentropy: Floats
    wrong: Bools
    own: Indices
    sample: Indices

    def searched(self, times: Indices | None = None) -> Searched | None:
        """What :func:`best_detection` takes, on the table or on a resample of it.

        Args:
            times: (rows,) how often the resample has each row; None for the table itself.

        Returns:
            Its arguments, None where there are too few rows to take percentiles of.
        """
        own, sample = self.own, self.sample
        if times is not None:
            own, sample = np.repeat(own, times[own]), np.repeat(sample, times[sample])
        tried = grids(self.entropy[sample], self.varentropy[sample])
        if tried is None:
            return None
        return (self.entropy[own], self.varentropy[own], self.wrong[own], *tried)


def equal_pairs(
    entropy: Floats, varentropy: Floats, wrong: Bools, grid_e: Floats, grid_v: Floats
) -> Firmness | None:
    """Find the pairs of thresholds that are as good as the best: the plateau of M.

    Args:
        entropy: (rows,) in nats, of all rows of one predicted class.
        varentropy: (rows,) in nats squared.
        wrong: (rows,) whether the prediction is.
        grid_e: (n,) thresholds of entropy in rising order, nats.
        grid_v: (m,) thresholds of varentropy in rising order, nats squared.

    Returns:
        How many of the n x m pairs have the highest M, and between which bounds they lie; None
        where no pair flags a row.

    Raises:
        ProbabilityError: if a value is NaN.

    Examples:
        >>> grid_e, grid_v = np.array([0.5, 0.9, 1.1]), np.array([0.1])
        >>> wrong = np.array([False, True])
        >>> equal_pairs(np.array([0.6, 1.2]), np.zeros(2), wrong, grid_e, grid_v).equal_entropy
        (0.9, 1.1)
    """
    flagged, detected = detection_surface(entropy, varentropy, wrong, grid_e, grid_v)
    if not flagged.any():
        return None
    accuracy = accuracies(flagged, detected)
    at_e, at_v = np.nonzero(accuracy == accuracy.max())
    return Firmness(len(at_e), _span(grid_e[at_e]), _span(grid_v[at_v]))


def refits(rows: ClassRows, drawn: Units, resamples: int) -> list[Refit]:
    """Fit a class's thresholds again on bootstrap resamples.

    Args:
        rows: of the class.
        drawn: what is resampled, of all rows of the table.
        resamples: number of resamples.

    Returns:
        What was found in each resample in which something was; the same every time.
    """
    generator = np.random.default_rng(SEED)
    found = []
    for _ in range(resamples):
        draws = generator.integers(0, drawn.count, drawn.count)
        times = np.bincount(draws, minlength=drawn.count)[drawn.of_rows]
        searched = rows.searched(times)
        pair = None if searched is None else best_detection(*searched)
        if pair is not None:
            left = rows.own[times[rows.own] == 0]
            unsure = rows.entropy[left] >= pair.entropy
            left = left[unsure & (rows.varentropy[left] <= pair.varentropy)]
            found.append(Refit(pair, len(left), int(rows.wrong[left].sum())))
    return found


def with_spread(best: Firmness, found: Sequence[Refit]) -> Firmness:
    """Add to what is known of a choice how much it varies over resamples.

    Args:
        best: from :func:`equal_pairs`.
        found: the class's thresholds on each resample in which there were some.

    Returns:
        The same with what resamples say.

    Examples:
        >>> refit = Refit(Detection(1.0, 0.4, 10, 5), flagged=4, detected=1)
        >>> with_spread(Firmness(1, (1.0, 1.0), (0.4, 0.4)), [refit]).left_out_accuracy
        25.0
    """
    pairs = [refit.found for refit in found]
    flagged = sum(refit.flagged for refit in found)
    detected = sum(refit.detected for refit in found)
    return replace(
        best,
        resamples=len(found),
        entropy_interval=_between([pair.entropy for pair in pairs]),
        varentropy_interval=_between([pair.varentropy for pair in pairs]),
        accuracy_interval=_between([100 * pair.accuracy for pair in pairs]),
        left_out_accuracy=round(100 * detected / flagged, DIGITS) if flagged else None,
    )


def _between(values: list[float]) -> Span | None:
    bounds = interval(np.array(values), DIGITS)
    return (bounds[0], bounds[1]) if bounds else None


def _span(values: Floats) -> Span:
    return round(float(values.min()), DIGITS), round(float(values.max()), DIGITS)
