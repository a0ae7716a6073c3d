"""The text model against `transformers` run on each text alone, and what its labels stand for."""

from __future__ import annotations

from pathlib import Path

import alone
import numpy as np
import pytest
from checkpoints import TEXT, TEXT_EMOTIONS, save_sentiment, save_text_emotion

from emobatch.errors import LabelError
from emobatch.models import devices
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice
from emobatch.scorers.scorer import Setup
from emobatch.scorers.sentiment import SentimentScorer
from emobatch.scorers.text_emotion import TextEmotionScorer
from emobatch.tasks.choose import named

TEXTS = [*TEXT, "no", "sad " * 200, "zürich 漢字"]
# What of Ekman's emotions the four classes lack.
OTHERS = "disgust=none,fear=none,surprise=none"


def setup(folder: Path, *label_map: str, classes: str = "four") -> Setup:
    checkpoint = Checkpoint(str(folder), folder, None, "--text-model")
    choice = Choice(text_label_map=label_map, classes=classes)
    return Setup(choice, {"text": checkpoint}, named(classes))


def sentiments(folder: Path, *label_map: str) -> np.ndarray:
    """(texts, 3) probabilities; an emotion model there is none."""
    given = setup(folder, *label_map)
    scorer = SentimentScorer.planned(given)
    assert scorer is not None and TextEmotionScorer.planned(given) is None
    return scorer.load(devices.choose("cpu")).score(TEXTS)


def test_a_batch_scores_as_each_text_alone(models: dict[str, Path]) -> None:
    folder = models["text"]
    single = alone.text(folder, TEXTS)
    batch = sentiments(folder)
    assert np.std(single, axis=0).max() > 0.05
    np.testing.assert_allclose(batch, single, atol=1e-5)


def test_numbered_labels_are_refused_and_can_be_named(tmp_path: Path) -> None:
    folder = save_sentiment(tmp_path / "numbered", ("LABEL_0", "LABEL_1", "LABEL_2"))
    with pytest.raises(LabelError, match="--text-label-map LABEL_0=negative"):
        TextEmotionScorer.planned(setup(folder))
    assert SentimentScorer.planned(setup(folder)) is None
    named_here = ("label_0=positive", "label_1=neutral", "label_2=negative")
    plain = sentiments(save_sentiment(tmp_path / "plain"))
    np.testing.assert_array_equal(sentiments(folder, *named_here), plain[:, ::-1])


def test_labels_of_neither_kind_are_one_error_with_both_remedies(tmp_path: Path) -> None:
    folder = save_text_emotion(tmp_path / "emotions")
    with pytest.raises(LabelError) as error:
        TextEmotionScorer.planned(setup(folder))
    message = str(error.value)
    assert ", ".join(TEXT_EMOTIONS) in message
    assert "as sentiments with --text-label-map anger=negative" in message
    assert "as classes with --text-label-map anger=angry" in message
    assert "surprise=none drops one" in message


def test_an_emotion_model_gives_what_transformers_gives_of_the_labels_kept(tmp_path: Path) -> None:
    folder = save_text_emotion(tmp_path / "emotions")
    given = setup(folder, OTHERS)
    assert SentimentScorer.planned(given) is None
    scorer = TextEmotionScorer.planned(given)
    assert scorer is not None
    every = alone.text(folder, TEXTS)
    kept = every[:, [TEXT_EMOTIONS.index(name) for name in ("anger", "joy", "neutral", "sadness")]]
    wanted = kept / kept.sum(axis=1, keepdims=True)
    assert np.std(wanted, axis=0).max() > 0.05
    results = scorer.load(devices.choose("cpu")).score(TEXTS)
    np.testing.assert_allclose(results, wanted, atol=1e-5)
    row = scorer.row(results[0])
    assert list(row) == list(scorer.columns)
    assert row["text_emotion"] == given.task.classes[int(wanted[0].argmax())]
    assert row["text_score"] == pytest.approx(wanted[0].max(), abs=1e-5)


def test_a_class_that_the_model_doesnt_know_has_no_probability(tmp_path: Path) -> None:
    folder = save_text_emotion(tmp_path / "emotions")
    scorer = TextEmotionScorer.planned(setup(folder, classes="eight"))
    assert scorer is not None
    row = scorer.row(scorer.load(devices.choose("cpu")).score(TEXTS[:1])[0])
    assert list(scorer.columns)[6:] == [
        "text_contempt", "text_neutral", "text_emotion", "text_score",
    ]  # fmt: skip
    assert "text_contempt" not in row
    known = [value for name, value in row.items() if name not in ("text_emotion", "text_score")]
    assert len(known) == 7 and sum(known) == pytest.approx(1, abs=1e-12)


def test_one_class_is_nothing_to_choose_between(tmp_path: Path) -> None:
    folder = save_text_emotion(tmp_path / "emotions")
    others = ",".join(f"{name}=none" for name in TEXT_EMOTIONS if name != "joy")
    with pytest.raises(LabelError, match="neither the sentiments"):
        TextEmotionScorer.planned(setup(folder, others))
    assert TextEmotionScorer.planned(setup(folder, others.replace("anger=none", "anger=sad")))


def test_emotions_can_be_read_as_sentiments(tmp_path: Path) -> None:
    folder = save_text_emotion(tmp_path / "emotions")
    negative = ",".join(f"{name}=neg" for name in ("anger", "disgust", "fear", "sadness"))
    probabilities = sentiments(folder, negative, "joy=positive,surprise=none")
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
