from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference import best_pair

from emobatch.errors import ProbabilityError
from emobatch.fusion.selection.detection import GRID_POINTS, Detection, best_detection, grid

Floats = NDArray[np.float64]

# Few distinct values: many rows on a threshold, many pairs with the same M.
coarse = st.integers(0, 6).map(lambda n: n / 4)
cases = st.integers(0, 30).flatmap(
    lambda rows: st.tuples(
        st.lists(coarse, min_size=rows, max_size=rows),
        st.lists(coarse, min_size=rows, max_size=rows),
        st.lists(st.booleans(), min_size=rows, max_size=rows),
    )
)
grids = st.lists(coarse, min_size=1, max_size=6).map(sorted)


@settings(max_examples=120)
@given(cases, grids, grids)
def test_the_best_pair_equals_that_of_trying_all(
    rows: tuple[list[float], list[float], list[bool]], grid_e: list[float], grid_v: list[float]
) -> None:
    arguments = (
        np.array(rows[0], dtype=float),
        np.array(rows[1], dtype=float),
        np.array(rows[2], dtype=bool),
        np.array(grid_e),
        np.array(grid_v),
    )
    found, wanted = best_detection(*arguments), best_pair(*arguments)
    assert found == (None if wanted is None else Detection(*wanted))


@pytest.mark.parametrize("seed", range(3))
def test_the_best_pair_on_a_grid_of_its_own_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    entropy, varentropy = rng.uniform(0, 1.4, 300).round(2), rng.uniform(0, 0.6, 300).round(2)
    wrong = rng.random(300) < 0.3
    arguments = (
        entropy,
        varentropy,
        wrong,
        grid(entropy[wrong], (65, 85)),
        grid(varentropy[wrong], (15, 35)),
    )
    wanted = best_pair(*arguments)
    assert wanted is not None
    assert best_detection(*arguments) == Detection(*wanted)


def one_row(grid_e: list[float], grid_v: list[float], wrong: bool = True) -> Detection | None:
    return best_detection(
        np.array([1.0]), np.array([0.5]), np.array([wrong]), np.array(grid_e), np.array(grid_v)
    )


def test_of_equal_pairs_the_lowest_entropy_and_the_highest_varentropy_win() -> None:
    assert one_row([0.25, 0.5, 1.0], [0.5, 0.75]) == Detection(0.25, 0.75, 1, 1)


def test_a_row_on_both_thresholds_is_flagged() -> None:
    assert one_row([1.0], [0.5]) == Detection(1.0, 0.5, 1, 1)


@pytest.mark.parametrize(("grid_e", "grid_v"), [([1.01], [0.5]), ([1.0], [0.49])])
def test_none_where_no_pair_flags_a_row(grid_e: list[float], grid_v: list[float]) -> None:
    assert one_row(grid_e, grid_v) is None


def test_none_without_rows() -> None:
    nothing = np.array([], dtype=float)
    assert best_detection(nothing, nothing, nothing.astype(bool), np.ones(2), np.ones(2)) is None


def test_pairs_that_flag_only_right_rows_still_give_the_widest_pair() -> None:
    found = one_row([0.5, 1.0], [0.5, 0.75], wrong=False)
    assert found == Detection(0.5, 0.75, 1, 0)
    assert found.accuracy == 0


def test_more_flagged_rows_win_over_a_lower_threshold() -> None:
    # Both pairs find nothing but errors; the second flags two rows instead of one.
    found = best_detection(
        np.array([0.5, 1.0, 1.0, 0.5]),
        np.array([0.1, 0.3, 0.3, 0.3]),
        np.array([True, True, True, False]),
        np.array([0.5, 1.0]),
        np.array([0.1, 0.3]),
    )
    assert found == Detection(1.0, 0.3, 2, 2)


@pytest.mark.parametrize("percentiles", [(65.0, 85.0), (15.0, 35.0)])
def test_the_grid_is_evenly_spaced_between_numpys_percentiles(
    percentiles: tuple[float, float],
) -> None:
    # From five rows, the fewest, on, so that bounds lie at, before and behind the middle of two.
    for count in range(5, 106):
        values = np.random.default_rng(count).gamma(2.0, size=count)
        found = grid(values, percentiles)
        assert len(found) == GRID_POINTS == 200
        assert (found[0], found[-1]) == tuple(np.percentile(values, percentiles))
    np.testing.assert_allclose(np.diff(found), (found[-1] - found[0]) / 199)


def test_of_equal_pairs_beyond_others_the_highest_varentropy_wins() -> None:
    # What comes in from the one varentropy to the other is surer than the best entropy.
    found = best_detection(
        np.array([1.0, 0.6, 0.7]),
        np.array([0.1, 0.1, 0.3]),
        np.array([True, False, False]),
        np.array([0.5, 1.0]),
        np.array([0.2, 0.3]),
    )
    assert found == Detection(1.0, 0.3, 1, 1)


@pytest.mark.parametrize("name", ["entropy", "varentropy"])
def test_nan_is_refused_by_name(name: str) -> None:
    columns = {"entropy": np.array([1.0, 0.9]), "varentropy": np.array([0.1, 0.1])}
    columns[name][1] = np.nan
    with pytest.raises(ProbabilityError, match=f"{name}: row 2 is NaN"):
        best_detection(*columns.values(), np.array([True, True]), np.ones(1), np.ones(1))
