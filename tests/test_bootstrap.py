from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from emobatch.evaluation.bootstrap import (
    Units,
    interval,
    resampled_counts,
    resampled_sums,
    resampled_totals,
    units,
)
from emobatch.evaluation.intervals import intervals
from emobatch.evaluation.metrics import OF_CLASSES, confusion_figures, metrics, per_class

EMOTIONS = ("angry", "happy", "neutral", "sad")
classes = st.integers(0, len(EMOTIONS) - 1)
tables = st.lists(st.tuples(classes, classes, classes), min_size=1, max_size=40).map(
    lambda rows: np.array(rows).T
)
few = settings(max_examples=40)


def rows_alone(count: int) -> Units:
    return Units("row", np.arange(count), count)


@few
@given(tables)
def test_figures_of_many_matrices_are_those_of_each(table: np.ndarray) -> None:
    labels = pl.Series([EMOTIONS[index] for index in table[0]])
    stages = [pl.Series([EMOTIONS[index] for index in column]) for column in table[1:]]
    counts = np.zeros((2, 4, 4))
    for number, predictions in enumerate(table[1:]):
        np.add.at(counts[number], (table[0], predictions), 1)
    found = confusion_figures(counts)
    for number, predictions in enumerate(stages):
        for name, value in metrics(labels, predictions, EMOTIONS).items():
            assert found[name][number] == pytest.approx(value, abs=0.00501)
        for at, values in enumerate(per_class(labels, predictions, EMOTIONS).values()):
            for name, column in (("precision",) * 2, ("recall",) * 2, ("F1", "class F1")):
                # scikit-learn has 0 for what is divided by nothing.
                value = np.nan_to_num(found[column][number, at])
                assert value == pytest.approx(values[name], abs=0.00501)


def sane_table(rows: int = 300) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, rows)
    before = np.where(rng.random(rows) < 0.6, labels, rng.integers(0, 4, rows))
    after = np.where(rng.random(rows) < 0.2, labels, before)
    return labels, {"before": before, "after": after}


def test_intervals_hold_the_figures_and_their_difference() -> None:
    labels, stages = sane_table()
    found = intervals(labels, stages, EMOTIONS, rows_alone(300), 500)
    counts = [np.histogram2d(labels, guess, bins=range(5))[0] for guess in stages.values()]
    points = confusion_figures(np.array(counts))
    for name in ("UA", "WA", "F1"):
        before, after = points[name]
        for stage, point in {
            "before": before,
            "after": after,
            "difference": after - before,
        }.items():
            low, high = found[stage, name, None]
            assert low < point < high, (stage, name)
    low, high = found["after", "recall", "sad"]
    assert low < points["recall"][1, 3] < high


def test_intervals_are_the_same_every_time_and_in_any_order_of_the_rows() -> None:
    labels, stages = sane_table()
    order = np.random.default_rng(0).permutation(300)
    shuffled = {stage: guess[order] for stage, guess in stages.items()}
    drawn = rows_alone(300)
    found = intervals(labels, stages, EMOTIONS, drawn, 50)
    assert found == intervals(labels[order], shuffled, EMOTIONS, drawn, 50)


def test_a_figure_that_no_resample_has_has_no_interval() -> None:
    labels = np.zeros(5, dtype=int)
    found = intervals(labels, {"after": labels}, EMOTIONS, rows_alone(5), 20)
    assert found["after", "recall", "angry"] == (100, 100)
    assert {name for _, name, of_class in found if of_class == "angry"} == set(OF_CLASSES)
    assert not [place for place in found if place[2] == "sad"]


@pytest.mark.parametrize("size", [2, 4, 64])
def test_intervals_are_those_of_resampling_whole_matrices(size: int) -> None:
    rng = np.random.default_rng(2)
    classes = [f"class {number}" for number in range(size)]
    labels, before, after = rng.integers(0, size, (3, 150))
    drawn = Units("speaker", rng.integers(0, 15, 150), 15)
    found = intervals(labels, {"before": before, "after": after}, classes, drawn, 20)
    # The same draws of the same units, each with its cells of label and both predictions.
    cells = np.ravel_multi_index((labels, before, after), (size,) * 3)
    _, places = np.unique(cells, return_inverse=True)
    weights = resampled_totals(places, np.eye(places.max() + 1), drawn, 20)
    for number, stage in enumerate((before, after)):
        counts = np.zeros((20, size, size))
        for place in range(places.max() + 1):
            row = np.flatnonzero(places == place)[0]
            counts[:, labels[row], stage[row]] += weights[:, place]
        wanted = confusion_figures(counts)
        name = ("before", "after")[number]
        assert list(found[name, "UA", None]) == interval(wanted["UA"])
        bounds = interval(wanted["recall"][:, 0])
        assert found.get((name, "recall", classes[0])) == (tuple(bounds) if bounds else None)


def test_drawing_rows_gives_the_interval_that_scipy_gives() -> None:
    right = np.random.default_rng(0).random(200) < 0.7
    wanted = stats.bootstrap(
        (right,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    counts = resampled_counts(right.astype(np.int64), 2, rows_alone(200), 4000)
    # Each bound is itself random, by about a third of a point.
    assert interval(100 * counts[:, 1] / 200) == pytest.approx(100 * np.array(wanted), abs=1.2)


def test_drawing_speakers_gives_the_interval_that_scipy_gives() -> None:
    rng = np.random.default_rng(0)
    speaker = rng.integers(0, 12, 600)
    right = (rng.random(600) < rng.uniform(0.3, 0.9, 12)[speaker]).astype(np.int64)
    sums = [np.bincount(speaker, weights) for weights in (right, np.ones(600))]
    wanted = stats.bootstrap(
        sums,
        lambda hits, rows, axis: hits.sum(axis=axis) / rows.sum(axis=axis),
        n_resamples=4000,
        method="percentile",
        paired=True,
        rng=np.random.default_rng(0),
    ).confidence_interval
    drawn = Units("speaker", speaker, 12)
    counts = resampled_counts(right, 2, drawn, 4000)
    found = interval(100 * counts[:, 1] / counts.sum(axis=1))
    assert found == pytest.approx(100 * np.array(wanted), abs=1.2)
    by_rows = resampled_counts(right, 2, rows_alone(600), 4000)
    narrow = interval(100 * by_rows[:, 1] / 600)
    assert found is not None and narrow is not None
    assert found[1] - found[0] > 1.5 * (narrow[1] - narrow[0])


@few
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30))
def test_sums_and_counts_of_the_same_draws_agree(table: list[tuple[int, int]]) -> None:
    cells, speaker = np.array(table, dtype=np.int64).T
    _, speaker = np.unique(speaker, return_inverse=True)
    drawn = Units("speaker", speaker, int(speaker.max()) + 1)
    one_hot = np.eye(4, dtype=np.int64)[cells]
    counts = resampled_counts(cells, 4, drawn, 7)
    np.testing.assert_array_equal(resampled_sums(one_hot, drawn, 7), counts)


def test_a_resample_has_as_many_rows_as_the_table() -> None:
    counts = resampled_counts(np.array([0, 1, 1, 2]), 5, rows_alone(4), 30)
    assert set(counts.sum(axis=1)) == {4}
    assert not counts[:, 3:].any()


def test_many_speakers_are_drawn_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(20).reshape(10, 2)
    whole = resampled_sums(values, rows_alone(10), 25)
    monkeypatch.setattr("emobatch.evaluation.bootstrap.MOST_AT_ONCE", 30)
    np.testing.assert_array_equal(resampled_sums(values, rows_alone(10), 25), whole)


@pytest.mark.parametrize(
    ("speakers", "name", "count", "note"),
    [
        (None, "row", 3, "too narrow"),
        ([None, None, ""], "row", 3, "too narrow"),
        (["a", "a", "a "], "row", 3, "one speaker"),
        (["a", "b", "a"], "speaker", 2, "too narrow"),
        (["a", None, None], "row", 3, "2 of them name no speaker"),
        (["a", "b", " "], "row", 3, "1 of them name no speaker"),
        ([1, 2, 1], "speaker", 2, "too narrow"),
    ],
)
def test_speakers_are_drawn_where_there_are_two(
    speakers: list[object] | None, name: str, count: int, note: str
) -> None:
    rows = pl.DataFrame({"label": ["sad"] * 3})
    found = units(rows if speakers is None else rows.with_columns(speaker=pl.Series(speakers)))
    assert (found.name, found.count) == (name, count)
    assert note in found.note if note else not found.note
    assert sorted(set(found.of_rows)) == list(range(count))


def test_ten_units_pass_without_a_note() -> None:
    assert units(pl.DataFrame({"label": ["sad"] * 10})).note == ""
    assert units(pl.DataFrame({"speaker": [str(number) for number in range(10)]})).note == ""
