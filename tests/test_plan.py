"""What is planned of options, before any model is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoints import save_text_emotion

from emobatch.models.choice import Choice
from emobatch.models.names import FITTING_CONTEXT, FULL_CONTEXT
from emobatch.scorers.plan import Plan
from emobatch.scorers.text_labels import text_label_map
from emobatch.scorers.transcription import WhisperScorer


def planned(**options: object) -> Plan:
    choice = Choice(models="demo", device="cpu", **options)  # type: ignore[arg-type]
    return Plan.of(choice, choice.find_checkpoints())


def test_numbers_are_those_of_the_scorers() -> None:
    names = ["id", "entropy", "speech_sad", "mine", "sentiment", "sentiment_score"]
    assert planned().numbers(names) == ["entropy", "speech_sad", "sentiment_score"]


@pytest.mark.parametrize(("context", "fits"), [(FULL_CONTEXT, False), (FITTING_CONTEXT, True)])
def test_the_recogniser_is_given_the_context_that_was_asked_for(context: str, fits: bool) -> None:
    recogniser = planned(asr_context=context).recogniser
    assert isinstance(recogniser, WhisperScorer)
    assert recogniser.fit_context == fits


def test_labels_of_a_text_model_of_emotions_are_mapped_to_classes(tmp_path: Path) -> None:
    folder = save_text_emotion(tmp_path / "text")
    pairs = ("fear=sad", "disgust=none", "surprise=none")
    plan = planned(text_model=str(folder), text_label_map=pairs)
    assert text_label_map(plan.setup) == {"fear": "sad", "disgust": None, "surprise": None}
