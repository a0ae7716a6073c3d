"""Multinomial logistic regression, as it is fitted and as it is kept."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.errors import CalibrationError
from emobatch.fusion.evidence import Floats

TOLERANCE, MOST_STEPS = 1e-8, 10_000
# From so many rows on, fitted by Newton's method; and rows of a part that it begins with.
MANY_ROWS, PART = 2_000, 50_000
# The logit of a class that no labelled row has, below that of any other.
NEVER = -1e9


@dataclass(frozen=True)
class Regression:
    """Logits that are linear in some features.

    Attributes:
        weights: (classes, features).
        offsets: (classes,).
    """

    weights: Floats
    offsets: Floats

    @classmethod
    def fit(
        cls,
        features: Floats,
        labels: NDArray[np.intp],
        row_weights: Floats,
        classes: int,
        strength: float = 1.0,
    ) -> Regression:
        """Fit with an L2 penalty: few rows by lbfgs, many by Newton's method, which is faster.

        Both end where the gradient is below 1e-8, which is at the same weights.

        Args:
            features: (rows, features).
            labels: (rows,) numbers of classes.
            row_weights: (rows,) at least 0.
            classes: how many there are; one that no row has is never predicted.
            strength: C, the inverse of the penalty.

        Returns:
            The regression.

        Raises:
            CalibrationError: if all rows are of one class.

        Examples:
            >>> features, labels = np.array([[-1.0], [1.0]]), np.array([0, 1])
            >>> found = Regression.fit(features, labels, np.ones(2), 2)
            >>> found.posteriors(features).argmax(axis=1).tolist()
            [0, 1]
        """
        # Takes a second to import, which only fitting needs.
        from sklearn.linear_model import LogisticRegression

        if len(np.unique(labels)) < 2:
            raise CalibrationError(
                "all labelled rows are of one class, and a regression needs two; label more rows"
            )
        is_small = len(features) < MANY_ROWS
        model = LogisticRegression(
            C=strength,
            tol=TOLERANCE,
            max_iter=MOST_STEPS,
            solver="lbfgs" if is_small else "newton-cholesky",
            warm_start=True,
        )
        few = slice(None, None, len(features) // PART or 1)
        if few.step > 1 and len(np.unique(labels[few])) == len(np.unique(labels)):
            model.fit(features[few], labels[few], sample_weight=row_weights[few])  # to begin with
        # Threads wait for each other at each of thousands of small products: ten times as long.
        with _libraries().limit(limits=1, user_api="blas") if is_small else nullcontext():
            model.fit(features, labels, sample_weight=row_weights)
        weights, offsets = model.coef_, model.intercept_
        if len(weights) == 1:  # of two classes it keeps the difference
            weights = np.vstack([-weights, weights]) / 2
            offsets = np.concatenate([-offsets, offsets]) / 2
        all_weights = np.zeros((classes, features.shape[1]))
        all_offsets = np.full(classes, NEVER)
        all_weights[model.classes_], all_offsets[model.classes_] = weights, offsets
        return cls(all_weights, all_offsets)

    def logits(self, features: Floats) -> Floats:
        """Linear scores.

        Args:
            features: (rows, features).

        Returns:
            (rows, classes).
        """
        # No matrix product: what that gives a row depends, in its last bits, on the rows beside it.
        columns = np.ascontiguousarray(features.T)
        found = np.empty((len(self.offsets), len(features)))
        for logits, weights, offset in zip(found, self.weights, self.offsets, strict=True):
            logits[:] = offset
            for column, weight in zip(columns, weights, strict=True):
                logits += column * weight
        return np.asarray(found.T)

    def posteriors(self, features: Floats, temperature: float = 1.0) -> Floats:
        """Probabilities of the classes.

        Args:
            features: (rows, features).
            temperature: logits are divided by it.

        Returns:
            (rows, classes), each row sums to 1; NaN where a feature is.
        """
        return softmax(self.logits(features) / temperature)


@cache
def _libraries() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # looks through all that are loaded, which takes its time


def softmax(logits: Floats) -> Floats:
    """Turn logits into probabilities.

    Args:
        logits: (rows, classes).

    Returns:
        (rows, classes), each row sums to 1.

    Examples:
        >>> softmax(np.array([[0.0, np.log(3.0)]])).round(2).tolist()
        [[0.25, 0.75]]
    """
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))
