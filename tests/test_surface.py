from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobatch.fusion.selection.fitting import fit
from emobatch.fusion.selection.rules import Limits
from emobatch.fusion.selection.surface import Surface, surface
from emobatch.tasks.four import FOUR

Row = tuple[float, float, bool]
measure = st.integers(0, 20).map(lambda step: step / 20)


def predicted_sad(rows: list[Row]) -> pl.DataFrame:
    """Rows predicted sad, by entropy, varentropy and whether that is wrong."""
    entropy, varentropy, wrong = zip(*rows, strict=True)
    return pl.DataFrame({"entropy": entropy, "varentropy": varentropy}).with_columns(
        label=pl.Series(["happy" if bad else "sad" for bad in wrong]),
        speech_emotion=pl.lit("sad"),
    )


def surface_of(rows: list[Row], entropy: float, varentropy: float) -> Surface:
    found = surface(predicted_sad(rows), "sad", Limits(entropy, varentropy), "released")
    assert found is not None
    return found


def counts(rows: list[Row], entropy: float, varentropy: float) -> tuple[int, int]:
    """Rows flagged and detected, one by one."""
    flagged = [bad for e, v, bad in rows if e >= entropy and v <= varentropy]
    return len(flagged), sum(flagged)


ERRORS = [(0.3, 0.4, True), (0.4, 0.2, True), (0.5, 0.6, True), (0.6, 0.1, True), (0.9, 0.3, True)]
rows_with_errors = st.lists(st.tuples(measure, measure, st.booleans()), max_size=25).map(
    lambda rows: rows + ERRORS
)


@settings(max_examples=30)
@given(rows_with_errors, measure, measure, st.integers(0, 199), st.integers(0, 199))
def test_m_is_the_share_of_flagged_rows_that_are_wrong(
    rows: list[Row], entropy: float, varentropy: float, line: int, column: int
) -> None:
    found = surface_of(rows, entropy, varentropy)
    flagged, detected = counts(rows, found.entropy[line], found.varentropy[column])
    shown = found.accuracy[line, column]
    assert np.isnan(shown) if not flagged else shown == pytest.approx(100 * detected / flagged)


@settings(max_examples=30)
@given(rows_with_errors, measure, measure)
def test_the_map_holds_the_pair_in_use_and_counts_its_rows(
    rows: list[Row], entropy: float, varentropy: float
) -> None:
    found = surface_of(rows, entropy, varentropy)
    assert found.entropy[0] <= entropy <= found.entropy[-1]
    assert found.varentropy[0] <= varentropy <= found.varentropy[-1]
    assert (found.used.flagged, found.used.detected) == counts(rows, entropy, varentropy)


@settings(max_examples=30)
@given(rows_with_errors, measure, measure)
def test_the_plateau_has_the_m_of_the_pair_in_use(
    rows: list[Row], entropy: float, varentropy: float
) -> None:
    found = surface_of(rows, entropy, varentropy)
    on_it = found.accuracy[found.plateau]
    if not found.used.flagged:
        assert not len(on_it)
        return
    used = pytest.approx(100 * found.used.accuracy)
    assert all(value == used for value in on_it)
    nearest = (
        np.abs(found.entropy - entropy).argmin(),
        np.abs(found.varentropy - varentropy).argmin(),
    )
    assert found.plateau[nearest] == (found.accuracy[nearest] == used)


def test_the_plateau_is_connected_to_the_pair_in_use() -> None:
    # M is 50 % where entropy is at least 0.7 to 0.74, and again where it is at least 0.6 to 0.65.
    errors = [(entropy / 10, 0.5, True) for entropy in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0)]
    found = surface_of([*errors, *[(0.74, 0.5, False)] * 2, (0.65, 0.5, False)], 0.72, 0.5)
    half = found.entropy[(found.accuracy == 50).any(axis=1)]
    plateau = found.entropy[found.plateau.any(axis=1)]
    assert half.min() < 0.65 < 0.7 < half.max()
    assert plateau.tolist() == half[half > 0.7].tolist()


def test_the_search_on_the_fitted_rows_chose_the_pair_in_use() -> None:
    rng = np.random.default_rng(0)
    rows = predicted_sad([(e, v, bool(e > 0.6)) for e, v in rng.random((60, 2))])
    rows = rows.with_columns(
        pl.lit(0.5).alias("speech_angry"), pl.lit(0.5).alias("speech_sad"),
        sentiment=pl.lit("positive"), sentiment_score=pl.lit(0.9),
    )  # fmt: skip
    entry = fit(rows, FOUR).classes["sad"]
    assert entry.limits is not None
    found = surface(rows, "sad", entry.limits, "released")
    assert found is not None
    assert found.best == found.used
    assert found.plateau.any()
    assert (found.used.flagged, found.used.detected) == (
        entry.figures.flagged,
        entry.figures.detected,
    )


def test_of_too_few_errors_there_is_no_map() -> None:
    rows = predicted_sad([(0.5, 0.5, True)] * 4 + [(0.4, 0.4, False)] * 9)
    assert surface(rows, "sad", Limits(0.5, 0.5), "released") is None
