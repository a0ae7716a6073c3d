"""Methods that pool both branches, and the hierarchy, against rules written down once more."""

from __future__ import annotations

from pathlib import Path

import fusion_reference as reference
import numpy as np
import polars as pl
import pytest

from emobatch.errors import CalibrationError, ThresholdsError
from emobatch.fusion.average import Average
from emobatch.fusion.evidence import text_of_classes
from emobatch.fusion.file import Fitted, read, to_toml
from emobatch.fusion.hierarchy import Hierarchy
from emobatch.fusion.maximum import Maximum
from emobatch.fusion.method import Method
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR
from emobatch.tasks.task import Task

FINAL = [f"final_{name}" for name in reference.CLASSES]
# What a sentiment stands for: negative for angry and sad alike.
SHARES = {"angry": 0.5, "happy": 1.0, "neutral": 1.0, "sad": 0.5}
OF = {"angry": "negative", "happy": "positive", "neutral": "neutral", "sad": "negative"}


def said_of_classes(row: reference.Row) -> dict[str, float] | None:
    """Probabilities of the classes by the text branch."""
    if row["sentiment"] is None:
        return None
    top = row["sentiment_score"]
    return {
        name: SHARES[name] * (top if OF[name] == row["sentiment"] else (1 - top) / 2)
        for name in reference.CLASSES
    }


def decided(method: Method, rows: pl.DataFrame) -> pl.DataFrame:
    return method.decide(with_uncertainty(rows.lazy(), FOUR)).collect()


def labelled(rows: pl.DataFrame) -> pl.DataFrame:
    return with_uncertainty(rows.drop_nulls("label").lazy(), FOUR).collect()


def recall(rows: pl.DataFrame, emotions: pl.Series) -> float:
    """UA in percent."""
    right = rows["label"] == emotions
    return 100 * float(np.mean([right.filter(rows["label"] == c).mean() for c in FOUR.classes]))


def test_the_average_is_the_weighted_mean_of_logarithms() -> None:
    rows = reference.table()
    found = decided(Average(FOUR, 0.3), rows)
    for row, final in zip(rows.to_dicts(), found.to_dicts(), strict=True):
        said = said_of_classes(row)
        expected = {name: row[f"speech_{name}"] for name in FOUR.classes}
        if said is not None:
            pooled = {name: expected[name] ** 0.7 * said[name] ** 0.3 for name in FOUR.classes}
            expected = {name: value / sum(pooled.values()) for name, value in pooled.items()}
        assert [final[name] for name in FINAL] == pytest.approx([*expected.values()], abs=1e-9)
        assert final["emotion"] == max(expected, key=lambda name: expected[name])
        assert final["decided_by"] == ("no-text" if said is None else "fusion")


def test_the_weight_is_the_best_on_labelled_rows() -> None:
    rows = labelled(reference.table())
    tried = {
        round(0.05 * step, 2): recall(rows, decided(Average(FOUR, 0.05 * step), rows)["emotion"])
        for step in range(21)
    }
    weight = Average.fit(rows, FOUR).weight
    assert 0 < weight < 1
    assert weight == min(w for w, figure in tried.items() if figure == max(tried.values()))


def test_the_maximum_takes_the_surer_branch() -> None:
    rows = reference.table()
    found = decided(Maximum(FOUR), rows)["emotion"]
    for row, emotion in zip(rows.to_dicts(), found, strict=True):
        speech = {name: row[f"speech_{name}"] for name in FOUR.classes}
        said = said_of_classes(row) or speech
        pooled = {name: max(speech[name], said[name]) for name in FOUR.classes}
        assert emotion == max(pooled, key=lambda name: pooled[name])


def with_text_emotion(rows: pl.DataFrame) -> pl.DataFrame:
    """The same with a text model of emotions."""
    rng = np.random.default_rng(1)
    emotions = rng.choice(FOUR.classes, len(rows))
    return rows.drop("sentiment", "sentiment_score").with_columns(
        text_emotion=pl.Series(emotions).set(rows["sentiment"].is_null(), None),
        text_score=rows["sentiment_score"],
    )


def test_of_a_text_model_of_emotions_the_top_score_is_enough() -> None:
    rows = with_text_emotion(reference.table())
    found = text_of_classes(rows, FOUR)
    for row, said in zip(rows.to_dicts(), found, strict=True):
        if row["text_emotion"] is None:
            assert np.isnan(said).all()
            continue
        top = row["text_score"]
        expected = [top if n == row["text_emotion"] else (1 - top) / 3 for n in FOUR.classes]
        assert said == pytest.approx(expected, abs=1e-12)


def test_a_class_that_the_text_model_does_not_know_keeps_what_the_speech_branch_gives_it() -> None:
    rows = pl.DataFrame(
        {
            **{f"speech_{n}": [p] for n, p in zip(FOUR.classes, (0.1, 0.2, 0.6, 0.1), strict=True)},
            **{f"text_{n}": [p] for n, p in zip(FOUR.classes, (0.1, 0.7, None, 0.2), strict=True)},
            "text_emotion": ["happy"],
            "text_score": [0.7],
        },
        schema_overrides={"text_neutral": pl.Float64},
    )
    final = decided(Average(FOUR, 1.0), rows).select(FINAL).row(0)
    assert final == pytest.approx((0.04, 0.28, 0.6, 0.08))


def algorithm_1(row: reference.Row, said: dict[str, float] | None, threshold: float | None) -> str:
    """Alqurashi, Li and Sidorov (2024)."""
    speech = {name: row[f"speech_{name}"] for name in FOUR.classes}
    if speech["neutral"] < 0.5:
        return max((name for name in speech if name != "neutral"), key=lambda name: speech[name])
    if said is None or (threshold is not None and said["neutral"] >= threshold):
        return "neutral"
    best = max(said.values())
    return max((name for name in said if said[name] > best - 1e-9), key=lambda name: speech[name])


@pytest.mark.parametrize("threshold", [None, 0.25, 0.4])
@pytest.mark.parametrize("kind", ["sentiment", "emotion"])
def test_the_hierarchy_is_algorithm_1(threshold: float | None, kind: str) -> None:
    rows = reference.table()
    if kind == "emotion":
        rows = with_text_emotion(rows)
    found = decided(Hierarchy(FOUR, threshold), rows)
    said_by_row = text_of_classes(rows, FOUR)
    by = []
    for row, said, emotion in zip(rows.to_dicts(), said_by_row, found["emotion"], strict=True):
        known = None if np.isnan(said).any() else dict(zip(FOUR.classes, said, strict=True))
        assert emotion == algorithm_1(row, known, threshold)
        calls_neutral = row["speech_neutral"] >= 0.5
        by.append(("text" if known else "no-text") if calls_neutral else "speech")
    assert found["decided_by"].to_list() == by
    assert found["flagged"].to_list() == [each != "speech" for each in by]
    assert set(by) == {"text", "no-text", "speech"}


def test_the_threshold_is_the_best_on_labelled_rows() -> None:
    rows = reference.table(2000)
    text = np.random.default_rng(2).dirichlet([2.0] * 4, len(rows))
    columns = {f"text_{name}": text[:, place] for place, name in enumerate(FOUR.classes)}
    top = {
        "text_emotion": np.array(FOUR.classes)[text.argmax(axis=1)],
        "text_score": text.max(axis=1),
    }
    rows = labelled(rows.drop("sentiment", "sentiment_score").with_columns(**columns, **top))
    tried = {
        threshold: recall(rows, decided(Hierarchy(FOUR, threshold), rows)["emotion"])
        for threshold in (0.25, 0.30, 0.35, 0.40)
    }
    assert len(set(tried.values())) > 1
    best = max(tried.values())
    found = Hierarchy.fit(rows, FOUR)
    assert found.threshold == min(each for each, figure in tried.items() if figure == best)
    assert Hierarchy.fit(rows, FOUR, threshold=0.31).threshold == 0.31
    assert Hierarchy.fit(rows, FOUR, threshold="none").threshold is None


def test_without_a_neutral_class_there_is_no_hierarchy() -> None:
    with pytest.raises(CalibrationError, match="neutral"):
        Hierarchy(Task.of(["calm", "tense"]))


@pytest.mark.parametrize(
    "method",
    [Average(FOUR, 0.3), Average(FOUR, 0.0), Maximum(FOUR), Hierarchy(FOUR, 0.3), Hierarchy(FOUR)],
    ids=["average", "average without text", "max", "hierarchy", "hierarchy without a threshold"],
)
def test_what_needs_no_text_is_decided_alike_without(method: Method) -> None:
    rows = with_uncertainty(reference.table().lazy(), FOUR)
    needed = rows.select(method.needs_text()).collect().to_series()
    none = [pl.lit(None).alias("sentiment"), pl.lit(None, pl.Float64).alias("sentiment_score")]
    mute = rows.with_columns(none).with_columns(pl.col("sentiment").cast(pl.String))
    one, other = (method.decide(each).collect()["emotion"] for each in (rows, mute))
    assert one.filter(~needed).equals(other.filter(~needed))
    if needed.all():
        assert not one.equals(other)


@pytest.mark.parametrize(
    "method", [Average(FOUR, 0.3), Maximum(FOUR), Hierarchy(FOUR, 0.3), Hierarchy(FOUR)], ids=str
)
def test_files_are_read_back(method: Method, tmp_path: Path) -> None:
    file = tmp_path / "t.toml"
    file.write_text(to_toml(Fitted(method)))
    assert read(file).method == method


@pytest.mark.parametrize(
    ("method", "line", "instead"),
    [
        (Average(FOUR, 0.3), "weight = 0.3", "weight = 3"),
        (Average(FOUR, 0.3), "weight = 0.3", "wieght = 0.3"),
        (Hierarchy(FOUR, 0.3), "threshold = 0.3", "threshold = true"),
    ],
    ids=["range", "name", "kind"],
)
def test_what_is_amiss_in_a_file_is_refused(
    method: Method, line: str, instead: str, tmp_path: Path
) -> None:
    file = tmp_path / "t.toml"
    file.write_text(to_toml(Fitted(method)).replace(line, instead))
    with pytest.raises(ThresholdsError, match=r"weight|threshold"):
        read(file)
