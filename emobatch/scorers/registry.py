"""All scorers, in the order of their columns."""

from __future__ import annotations

from typing import Any

from emobatch.registry import Registry
from emobatch.scorers.scorer import Scorer

SCORERS: Registry[type[Scorer[Any, Any]]] = Registry(
    "scorer",
    {
        "speech": "emobatch.scorers.speech:SpeechScorer",
        "two levels": "emobatch.scorers.two_levels:TwoLevelScorer",
        "speech attributes": "emobatch.scorers.attributes:SpeechAttributes",
        "transcription": "emobatch.scorers.transcription:WhisperScorer",
        "sentiment": "emobatch.scorers.sentiment:SentimentScorer",
        "text emotion": "emobatch.scorers.text_emotion:TextEmotionScorer",
        "text attributes": "emobatch.scorers.attributes:TextAttributes",
    },
)
