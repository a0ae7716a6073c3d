"""Where centring and context could do harm: speakers of few classes or rows, shuffled dialogues."""

from __future__ import annotations

import logging
from functools import cache

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from published import PUBLISHED

from emobatch.fusion.logistic.centring import Speakers
from emobatch.fusion.logistic.method import Logistic
from emobatch.tasks.four import FOUR

CLASSES = FOUR.classes
Labels = NDArray[np.intp]
# As much as centring by speaker may cost, and context on shuffled dialogues, in points of UA.
MOST_LOST_BY_CENTRING, MOST_LOST_BY_CONTEXT = 2.0, 1.0
SPEAKERS, SHUFFLES = 240, 4


def scored(labels: Labels, speaker: Labels, seed: int) -> pl.DataFrame:
    """Scored rows of labels that are given; speakers differ by about as much as IEMOCAP's do."""
    rng = np.random.default_rng(seed)
    habit = rng.normal(0, 0.5, (speaker.max() + 1, len(CLASSES)))
    noise = rng.normal(0, 1.2, (len(labels), len(CLASSES)))
    logits = 1.8 * np.eye(len(CLASSES))[labels] + habit[speaker] + noise
    speech = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    mood = np.array(["negative", "positive", "neutral", "negative"])[labels]
    said = np.where(rng.random(len(labels)) < 0.5, mood, rng.choice(np.unique(mood), len(labels)))
    return pl.DataFrame(
        {
            "speaker": [f"s{number}" for number in speaker],
            "label": np.array(CLASSES)[labels],
            **dict(zip(FOUR.speech_columns, speech.T, strict=True)),
            "sentiment": said,
            "sentiment_score": rng.uniform(0.4, 0.9, len(labels)),
        }
    )


def fitting_rows() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    return scored(rng.integers(0, 4, 1600), rng.integers(0, 8, 1600), seed=2)


@cache
def methods() -> tuple[Logistic, Logistic]:
    """The same rows fitted with speakers centred, and without."""
    rows = fitting_rows()
    return Logistic.fit(rows, FOUR), Logistic.fit(rows, FOUR, centre="none")


@cache
def of_speakers(rows: int, classes: int) -> pl.DataFrame:
    """A table of speakers with so many rows each, of so many classes: each set of them in turn."""
    rng = np.random.default_rng([rows, classes])
    labels = []
    for _ in range(SPEAKERS):
        mine = rng.choice(4, classes, replace=False)
        labels.append(rng.permutation(np.resize(mine, rows)))  # all of them, where rows suffice
    speaker = np.repeat(np.arange(SPEAKERS), rows)
    return scored(np.concatenate(labels), speaker, seed=100 * rows + classes)


def average_recall(found: pl.DataFrame) -> float:
    """UA in percent."""
    right = pl.col("emotion") == pl.col("label")
    return float(100 * found.group_by("label").agg(right.mean())["emotion"].to_numpy().mean())


def gain(rows: int, classes: int) -> float:
    """UA that centring by speaker adds, in points."""
    table = of_speakers(rows, classes).lazy()
    centred, plain = (average_recall(each.decide(table).collect()) for each in methods())
    return centred - plain


@pytest.mark.parametrize("rows", [5, 20, 100])
@pytest.mark.parametrize("classes", [3, 4])
def test_centring_never_costs_more_than_two_points(rows: int, classes: int) -> None:
    assert gain(rows, classes) >= -MOST_LOST_BY_CENTRING


def test_centring_is_worth_it_where_speakers_have_all_classes() -> None:
    # Else the test above would pass where nothing is centred.
    assert gain(20, 4) > 0.5
    assert gain(100, 4) > 1


@pytest.mark.parametrize(("rows", "classes"), [(1, 1), (2, 2)])
def test_a_speaker_of_a_row_or_two_is_centred_by_little(rows: int, classes: int) -> None:
    assert gain(rows, classes) >= -MOST_LOST_BY_CENTRING


@pytest.mark.parametrize(("classes", "left"), [(1, 0.5), (2, 0.6)])
def test_the_guard_lessens_the_harm_to_large_speakers_of_few_classes(
    classes: int, left: float
) -> None:
    centred, plain = methods()
    table = of_speakers(200, classes).lazy()
    guarded = average_recall(centred.decide(table).collect())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emobatch.fusion.logistic.centring.FEW_CLASSES", 0.0)
        unguarded = average_recall(centred.decide(table).collect())
    uncentred = average_recall(plain.decide(table).collect())
    assert uncentred - unguarded > 2 * MOST_LOST_BY_CENTRING
    assert uncentred - guarded < left * (uncentred - unguarded)


def test_a_note_names_a_large_speaker_of_one_class_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    labels = np.concatenate([np.full(80, 3), np.arange(120) % 4])
    rows = scored(labels, np.repeat([0, 1], [80, 120]), seed=3)
    with caplog.at_level(logging.WARNING):
        methods()[0].decide(rows.lazy()).collect()
    (said,) = [each for each in caplog.messages if "few classes" in each]
    assert said.startswith("note: the rows of 1 speakers seem")
    assert said.endswith("composition: s0")


@pytest.mark.parametrize(("classes", "least"), [(1, 15), (2, 36), (3, 292)])
def test_rows_from_which_the_guard_can_tell(classes: int, least: int) -> None:
    # By the formula's pseudo-rows, with posteriors that are never in doubt.
    def few(rows: int) -> bool:
        shares = np.full((rows, 4), 1e-12)
        shares[np.arange(rows), np.arange(rows) % classes] = 1
        posteriors = shares / shares.sum(axis=1, keepdims=True)
        return bool(Speakers.of(np.zeros(rows, int)).has_few_classes(posteriors)[0])

    assert few(least)
    assert not few(least - 1)


def in_dialogues(seed: int, count: int = 1600) -> pl.DataFrame:
    """Eight speakers in dialogues of 20 turns each; neighbours mostly share a label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    for number in np.flatnonzero(rng.random(count) < 0.8):
        labels[number] = labels[number - 1]
    places = np.arange(count)
    turns = {"dialogue": [f"d{number // 20}" for number in places], "turn": places}
    return scored(labels, places * 8 // count, seed + 1).with_columns(**turns)


def shuffled(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows with the places in dialogues that other rows of their speaker had."""
    parts = [
        part.with_columns(part.select("dialogue", "turn").sample(fraction=1, shuffle=True, seed=n))
        for n, part in enumerate(rows.partition_by("speaker", maintain_order=True), 97 * seed)
    ]
    return pl.concat(parts)


def gains_of_context(
    fit: pl.DataFrame, asked: pl.DataFrame, *, also_fitted: bool
) -> tuple[float, list[float]]:
    """UA that context adds to rows in their order, and to each of their shuffles, in points."""
    method = Logistic.fit(fit, FOUR, context="dialogue")
    plain = average_recall(Logistic.fit(fit, FOUR).decide(asked.lazy()).collect())
    found = []
    for seed in range(SHUFFLES):
        if also_fitted:
            method = Logistic.fit(shuffled(fit, seed), FOUR, context="dialogue")
        now = method.decide(shuffled(asked, seed + 50).lazy()).collect()
        found.append(average_recall(now) - plain)
    in_order = Logistic.fit(fit, FOUR, context="dialogue").decide(asked.lazy()).collect()
    return average_recall(in_order) - plain, found


@pytest.mark.parametrize("also_fitted", [True, False], ids=["all rows", "rows asked about"])
def test_context_does_no_harm_on_shuffled_dialogues(also_fitted: bool) -> None:
    fit, asked = in_dialogues(10, 800), in_dialogues(20, 800)
    in_order, gains = gains_of_context(fit, asked, also_fitted=also_fitted)
    print(f"in order {in_order:+.2f}, shuffled {np.mean(gains):+.2f}, worst {min(gains):+.2f}")
    assert np.mean(gains) >= -MOST_LOST_BY_CONTEXT
    if also_fitted:  # labels say so too, which keeps every single draw from harm
        assert min(gains) >= -MOST_LOST_BY_CONTEXT
    assert in_order > 5  # or there would be no context to do harm


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"{PUBLISHED} is not on this machine")
def test_context_does_no_harm_on_shuffled_dialogues_of_the_fold_where_it_did_most() -> None:
    rows = pl.read_parquet(PUBLISHED / "fold_03.parquet")
    part = rows["id"].str.extract_groups(r"^(\w+)_[FM](\d+)$").struct.unnest()
    part.columns = ["dialogue", "turn"]
    # Speakers of a dialogue stay apart, with turns of their own.
    rows = rows.with_columns(part["dialogue"], part["turn"].cast(pl.Int64))
    tests = pl.col("split") == "test"
    in_order, gains = gains_of_context(rows.filter(~tests), rows.filter(tests), also_fitted=False)
    print(f"in order {in_order:+.2f}, shuffled {np.mean(gains):+.2f}, worst {min(gains):+.2f}")
    assert np.mean(gains) >= -MOST_LOST_BY_CONTEXT
    assert in_order == pytest.approx(85.31 - 74.16, abs=0.02)
