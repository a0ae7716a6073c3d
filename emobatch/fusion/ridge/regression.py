"""Linear regression with an L2 penalty, whose strength is chosen by leaving speakers out.

Late fusion of attributes as in Singh and Villalba, *EmoJudge* (2025), task 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.evaluation.agreement import CCC, agreement
from emobatch.fusion.evidence import Floats

# Strengths that are tried, the strongest last.
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
# A column that varies less says nothing.
LEAST_SPREAD = 1e-9


@dataclass(frozen=True)
class Line:
    """A number that is linear in others.

    Attributes:
        weights: (inputs,).
        offset: what it is where all inputs are 0.
    """

    weights: Floats
    offset: float

    @classmethod
    def fit(cls, inputs: Floats, labels: Floats, strength: float) -> Line:
        """Fit it to inputs in standard deviations, so that the penalty goes by no scale.

        Args:
            inputs: (rows, inputs).
            labels: (rows,).
            strength: of the penalty: alpha in ``|y - X w|² + alpha |w|²``.

        Returns:
            The line, for inputs as they are.

        Examples:
            >>> line = Line.fit(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0]), 1e-6)
            >>> line.of(np.array([[10.0]])).round(3).tolist()
            [21.0]
        """
        found, centre, spread = _regressed(inputs, labels, strength)
        return cls._of(found.coef_, found.intercept_, centre, spread)

    @classmethod
    def of_each(cls, inputs: Floats, labels: Floats, strengths: Sequence[float]) -> list[Line]:
        """Fit one for each strength.

        Args:
            inputs: (rows, inputs).
            labels: (rows,).
            strengths: see :meth:`fit`.

        Returns:
            The lines that :meth:`fit` gives but for their last bits, several times as fast.
        """
        repeated = np.repeat(labels[:, None], len(strengths), axis=1)
        found, centre, spread = _regressed(inputs, repeated, np.array(strengths))
        both = zip(found.coef_, found.intercept_, strict=True)
        return [cls._of(weights, offset, centre, spread) for weights, offset in both]

    @classmethod
    def _of(cls, scaled: Floats, offset: float, centre: Floats, spread: Floats) -> Line:
        weights = scaled / spread
        return cls(weights, float(offset - (weights * centre).sum()))

    def of(self, inputs: Floats) -> Floats:
        """Predict.

        Args:
            inputs: (rows, inputs), NaN where something is missing.

        Returns:
            (rows,) NaN likewise.
        """
        # No matrix product: what that gives a row depends, in its last bits, on the rows beside it.
        found = np.full(len(inputs), self.offset)
        for column, weight in zip(inputs.T, self.weights, strict=True):
            found += column * weight
        return found


def choose_strength(
    inputs: Floats, labels: Floats, parts: NDArray[np.intp]
) -> tuple[float, Mapping[float, float]]:
    """Choose the penalty by leaving each part of the rows out.

    Args:
        inputs: (rows, inputs).
        labels: (rows,).
        parts: (rows,) number of the part that a row is left out with.

    Returns:
        The strength of the highest CCC of all rows, each predicted when it was left out; of equals
        the strongest. And the CCC of each.
    """
    predicted = np.full((len(STRENGTHS), len(labels)), np.nan)
    for part in np.unique(parts):
        out = parts == part
        for number, line in enumerate(Line.of_each(inputs[~out], labels[~out], STRENGTHS)):
            predicted[number, out] = line.of(inputs[out])
    tried = {
        strength: float(np.nan_to_num(agreement(labels, found)[CCC], nan=-1.0))
        for strength, found in zip(STRENGTHS, predicted, strict=True)
    }
    best = max(tried.values())
    return max(each for each, value in tried.items() if value == best), tried


def _regressed(
    inputs: Floats, labels: Floats, strength: float | Floats
) -> tuple[Any, Floats, Floats]:
    # Scikit-learn's regression on inputs in standard deviations, and their means and deviations.
    from sklearn.linear_model import Ridge  # takes a second to import

    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > LEAST_SPREAD, spread, 1.0)
    found = Ridge(alpha=strength, solver="cholesky").fit((inputs - centre) / spread, labels)
    return found, centre, spread
