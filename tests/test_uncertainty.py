from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import EMOTIONS, SPEECH_COLUMNS, score_rows
from scipy import stats

from emobatch.errors import ProbabilityError
from emobatch.tables.uncertainty import check_probabilities, with_uncertainty
from emobatch.tasks.four import FOUR

# Whole numbers bring zeros and ties, floats very small probabilities.
weights = st.one_of(
    st.lists(st.integers(0, 5), min_size=4, max_size=4),
    st.lists(st.floats(1e-12, 1e3), min_size=4, max_size=4),
).filter(lambda row: sum(row) > 0)
probabilities = st.lists(weights, min_size=1, max_size=20).map(
    lambda rows: [[value / sum(row) for value in row] for row in rows]
)


def scored(rows: list[list[float | None]], ids: list[str] | None = None) -> pl.LazyFrame:
    schema = dict.fromkeys(SPEECH_COLUMNS, pl.Float64)
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return (table if ids is None else table.with_columns(id=pl.Series(ids))).lazy()


some = settings(max_examples=50)


def uncertainty(rows: list[list[float | None]]) -> pl.DataFrame:
    return with_uncertainty(scored(rows), FOUR).collect()


@some
@given(probabilities)
def test_entropy_equals_scipy(rows: list[list[float]]) -> None:
    found = uncertainty(rows)["entropy"].to_numpy()
    np.testing.assert_allclose(found, stats.entropy(rows, axis=1), atol=1e-12)


@some
@given(probabilities)
def test_varentropy_equals_its_definition(rows: list[list[float]]) -> None:
    found = uncertainty(rows)["varentropy"].to_numpy()
    np.testing.assert_allclose(found, [reference.varentropy(row) for row in rows], atol=1e-12)


@some
@given(probabilities)
def test_entropy_and_varentropy_stay_within_their_bounds(rows: list[list[float]]) -> None:
    found = uncertainty(rows)
    assert found["entropy"].is_between(-1e-12, math.log(4) + 1e-12).all()
    assert (found["varentropy"] >= 0).all()


@some
@given(probabilities)
def test_predicted_class_is_numpys_argmax_of_equals_too(rows: list[list[float]]) -> None:
    wanted = [EMOTIONS[index] for index in np.argmax(rows, axis=1)]
    assert uncertainty(rows)["speech_emotion"].to_list() == wanted


def test_certain_and_uniform_rows_are_the_extremes() -> None:
    found = uncertainty([[0, 0, 1, 0], [0.25] * 4])
    assert found["entropy"].to_list() == [0, pytest.approx(math.log(4))]
    assert found["varentropy"].to_list() == [0, pytest.approx(0)]


def test_a_row_without_scores_has_no_uncertainty() -> None:
    found = uncertainty([[0.25] * 4, [None] * 4])
    assert found.row(1) == (None,) * 7
    assert None not in found.row(0)


def test_stored_figures_are_computed_anew() -> None:
    stale = score_rows(3).with_columns(entropy=pl.lit(9.0), speech_emotion=pl.lit("sad"))
    fresh = with_uncertainty(score_rows(3).lazy(), FOUR).collect()
    found = with_uncertainty(stale.lazy(), FOUR).collect()
    assert found.select(fresh.columns).equals(fresh)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ([math.nan, 0.5, 0.25, 0.25], "NaN or infinite"),
        ([math.inf, 0.0, 0.0, 0.0], "NaN or infinite"),
        ([-0.25, 0.5, 0.5, 0.25], "negative"),
        ([0.5, 0.5, 0.5, 0.5], "sum to 2"),
        ([0.0, 0.0, 0.0, 0.0], "sum to 0"),
        ([0.5, 0.5, 0.005, 0.0], "sum to 1.005"),
        ([0.5, None, 0.25, 0.25], "missing"),
        ([None, None, None, 1.0], "missing"),
    ],
)
def test_what_are_no_probabilities_is_refused_by_row(bad: list[float], fault: str) -> None:
    rows = scored([[0.25] * 4, [None] * 4, bad, [1, 0, 0, 0]], ids=["a", "b", "clip/7", "d"])
    with pytest.raises(ProbabilityError, match=fault) as refusal:
        check_probabilities(rows, SPEECH_COLUMNS)
    assert str(refusal.value).startswith("row 3 (id clip/7): ")
    assert "more rows" not in str(refusal.value)


def test_the_first_of_several_bad_rows_is_named_and_the_others_counted() -> None:
    rows = scored([[0.25] * 4, *[[0.9] * 4] * 3])
    with pytest.raises(ProbabilityError, match=r"^row 2: .* 2 more rows"):
        check_probabilities(rows, SPEECH_COLUMNS)


@pytest.mark.parametrize(
    "row",
    [[None] * 4, [1, 0, 0, 0], [0.25] * 4, [0.3333, 0.3333, 0.3333, 0.0], [0.5005, 0.5, 0, 0]],
    ids=["not scored", "certain", "uniform", "four decimals", "half precision"],
)
def test_probabilities_up_to_their_rounding_pass(row: list[float | None]) -> None:
    check_probabilities(scored([row]), SPEECH_COLUMNS)


def test_a_table_without_rows_passes() -> None:
    check_probabilities(scored([]), SPEECH_COLUMNS)


@pytest.mark.parametrize("name", ["row", "fault", "count", "id"])
def test_a_users_own_columns_are_not_in_the_way_of_the_check(name: str) -> None:
    check_probabilities(
        scored([[0.25] * 4]).with_columns(pl.lit("mine").alias(name)), SPEECH_COLUMNS
    )
