from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emobatch.errors import ProbabilityError
from emobatch.evaluation.reliability import (
    calibration_bins,
    calibration_error,
    risk_coverage,
    risk_coverage_area,
)

Rows = list[tuple[float, bool]]
# Few distinct uncertainties, so that many are equal.
rows = st.lists(st.tuples(st.integers(0, 5).map(float), st.booleans()), min_size=1, max_size=30)
often = settings(max_examples=100)


def columns(table: Rows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([row[0] for row in table]), np.array([row[1] for row in table], dtype=bool)


def kept_up_to(table: Rows, limit: float) -> list[bool]:
    return [right for uncertainty, right in table if uncertainty <= limit]


@often
@given(rows)
def test_risk_and_coverage_are_those_of_keeping_rows_one_limit_after_another(table: Rows) -> None:
    found = risk_coverage(*columns(table))
    wanted = []
    for limit in sorted({uncertainty for uncertainty, _ in table}):
        kept = kept_up_to(table, limit)
        wanted.append((len(kept) / len(table), sum(kept) / len(kept)))
    assert found.rows() == [pytest.approx(row) for row in wanted]


@often
@given(rows)
def test_the_area_is_the_mean_risk_over_the_rows(table: Rows) -> None:
    risks = []
    for limit, _ in table:
        kept = kept_up_to(table, limit)
        risks.append(1 - sum(kept) / len(kept))
    assert risk_coverage_area(*columns(table)) == pytest.approx(100 * sum(risks) / len(risks))


def test_the_order_of_the_rows_does_not_matter() -> None:
    uncertainty, right = np.array([0.3, 0.1, 0.3, 0.2]), np.array([True, True, False, False])
    again = [2, 0, 3, 1]
    assert risk_coverage(uncertainty, right).equals(risk_coverage(uncertainty[again], right[again]))


sixteenths = st.lists(st.integers(0, 16), min_size=3, max_size=3).map(
    # Exact in binary, so that many confidences lie on the bounds of a bin.
    lambda cuts: np.diff([0, *sorted(cuts), 16]) / 16
)


@often
@given(
    st.lists(st.tuples(sixteenths, st.integers(0, 3)), min_size=1, max_size=30),
    st.sampled_from([1, 4, 8, 10]),
)
def test_calibration_is_that_of_sorting_rows_into_bins(
    table: list[tuple[NDArray[np.float64], int]], bins: int
) -> None:
    probabilities, labels = np.array([row[0] for row in table]), np.array([row[1] for row in table])
    found = calibration_bins(probabilities, labels, bins)
    gaps = 0.0
    for number, (low, high, count, confidence, accuracy) in enumerate(found.iter_rows()):
        assert (low, high) == pytest.approx((number / bins, (number + 1) / bins))
        inside = [
            (max(chances), int(np.argmax(chances)) == label)
            for chances, label in table
            if low < max(chances) <= high
        ]
        assert count == len(inside)
        if not inside:
            assert (confidence, accuracy) == (None, None)
            continue
        wanted = tuple(sum(column) / len(inside) for column in zip(*inside, strict=True))
        assert (confidence, accuracy) == pytest.approx(wanted)
        gaps += len(inside) * abs(wanted[0] - wanted[1])
    assert calibration_error(probabilities, labels, bins) == pytest.approx(100 * gaps / len(table))


def test_rows_that_are_sure_and_right_have_no_calibration_error() -> None:
    assert calibration_error(np.eye(4), np.arange(4)) == 0


def test_rows_that_are_sure_and_wrong_have_all_of_it() -> None:
    assert calibration_error(np.eye(4), np.arange(4) - 1) == 100


def test_nan_is_refused_by_name() -> None:
    with pytest.raises(ProbabilityError, match="uncertainty: row 2 is NaN"):
        risk_coverage(np.array([0.1, np.nan]), np.array([True, True]))
    with pytest.raises(ProbabilityError, match="probabilities: row 1 is NaN"):
        calibration_error(np.full((1, 4), np.nan), np.array([0]))


@pytest.mark.parametrize("value", [-0.5, 1.5])
def test_what_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(ProbabilityError, match="outside 0 to 1"):
        calibration_bins(np.array([[value, 1 - value]]), np.array([0]))
