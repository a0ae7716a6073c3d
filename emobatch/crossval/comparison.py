"""How methods differ on the same test rows: mean differences over folds, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import mean
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.crossval.outcomes import Outcomes
from emobatch.evaluation.bootstrap import (
    SPEAKER,
    Resampling,
    Units,
    interval,
    resampled_totals,
    units,
)
from emobatch.evaluation.metrics import HEADLINE, figures
from emobatch.evaluation.paired_test import TEST, mcnemar

RESAMPLES = 1000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """How far the figures of one method are from those of another.

    Attributes:
        value: by UA, WA and F1, the mean over folds, in points of percent.
        bounds: their 95 % intervals, None where no resample has a value.
        test: McNemar's test on the rows of all folds.
    """

    value: Mapping[str, float]
    bounds: Mapping[str, Sequence[float] | None]
    test: Mapping[str, float]

    def of(self, figure: str) -> dict[str, float | None]:
        """One figure, for JSON.

        Args:
            figure: UA, WA or F1.

        Returns:
            ``value``, ``low`` and ``high``.
        """
        low, high = self.bounds[figure] or (None, None)
        return {"value": self.value[figure], "low": low, "high": high}

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON."""
        return {
            **{name: self.of(name) for name in HEADLINE},
            "paired_test": {"name": TEST, **self.test},
        }


@dataclass(frozen=True)
class Comparison:
    """Methods on the test rows of all folds.

    Intervals are percentiles of bootstrap resamples of the speakers of all folds, or of rows where
    speakers aren't known. Of each resample the figures of every fold are taken, and their mean is
    weighed by how many of the fold's speakers were drawn.

    Attributes:
        folds: what methods made of each fold's rows, by name.
    """

    folds: Mapping[str, Outcomes]

    @cached_property
    def drawn(self) -> Units:
        """What is drawn of the rows of all folds, one fold after the other."""
        parts = [fold.speaker for fold in self.folds.values()]
        count = sum(len(fold.labels) for fold in self.folds.values())
        if any(part is None for part in parts):
            return units(pl.DataFrame({"row": range(count)}))
        names = [part.cast(pl.String) for part in parts if part is not None]
        return units(pl.DataFrame({SPEAKER: pl.concat(names)}))

    @property
    def resampling(self) -> Resampling:
        """What intervals come from."""
        return self.drawn.resampled(RESAMPLES)

    def difference(self, method: str, against: str) -> Difference:
        """Compare two methods.

        Args:
            method: its name.
            against: the name of the other.

        Returns:
            What the first has more than the second.
        """
        own, other = (
            [fold.figures[name] for fold in self.folds.values()] for name in (method, against)
        )
        value = {
            name: round(mean(a[name] - b[name] for a, b in zip(own, other, strict=True)), 2)
            for name in HEADLINE
        }
        labels = np.concatenate([fold.labels for fold in self.folds.values()])
        decided = [self._of(name) for name in (method, against)]
        right = [each == labels for each in decided]
        resampled = self._resampled(labels, decided)
        bounds = {name: interval(resampled[name]) for name in HEADLINE}
        return Difference(value, bounds, mcnemar(right[1], right[0]))

    @cached_property
    def _fold(self) -> NDArray[np.intp]:
        sizes = [len(fold.labels) for fold in self.folds.values()]
        return np.repeat(np.arange(len(sizes)), sizes)

    @cached_property
    def _first(self) -> NDArray[np.bool_]:
        # One row of each unit in each fold, by which it is counted how many were drawn.
        pairs = self.drawn.of_rows * len(self.folds) + self._fold
        first = np.zeros(len(pairs), bool)
        first[np.unique(pairs, return_index=True)[1]] = True
        return first

    def _resampled(
        self, labels: NDArray[np.intp], decided: Sequence[NDArray[np.intp]]
    ) -> dict[str, Floats]:
        size = next(iter(self.folds.values())).classes
        shape = (len(self.folds), size, size, size, 2)
        cells = np.ravel_multi_index((self._fold, labels, *decided, self._first), shape)
        occurring, places = np.unique(cells, return_inverse=True)
        fold, label, *guesses, first = np.unravel_index(occurring, shape)
        # What a row of each kind adds to the counts of its fold that figures are made of.
        parts = [first[:, None], _one_hot(label, size)]
        for guess in guesses:
            parts += [_one_hot(guess, size), _one_hot(label, size) * (label == guess)[:, None]]
        counted = np.concatenate(parts, axis=1)
        values = np.zeros((len(occurring), len(self.folds), counted.shape[1]))
        values[np.arange(len(occurring)), fold] = counted
        flat = values.reshape(len(occurring), -1)
        sums = resampled_totals(places, flat, self.drawn, RESAMPLES).reshape(-1, counted.shape[1])
        drawn, support, *others = np.split(sums, [1, *range(1 + size, sums.shape[1], size)], axis=1)
        one, two = (
            figures(right, support, predicted)
            for predicted, right in zip(others[::2], others[1::2], strict=True)
        )
        usual = np.bincount(self._fold, self._first, len(self.folds))
        weights = drawn.reshape(RESAMPLES, -1) / usual
        return {name: _weighted(one[name] - two[name], weights) for name in HEADLINE}

    def _of(self, method: str) -> NDArray[np.intp]:
        return np.concatenate([fold.decided[method] for fold in self.folds.values()])


def _one_hot(indices: NDArray[np.intp], size: int) -> Floats:
    return np.equal(indices[:, None], np.arange(size)).astype(np.float64)


def _weighted(values: Floats, weights: Floats) -> Floats:
    # Over the folds of which something was drawn.
    values = np.nan_to_num(values.reshape(weights.shape))
    return np.asarray((values * weights).sum(axis=1) / weights.sum(axis=1))
