"""What a language model answers, and how it is read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emobatch.errors import AnswerError
from emobatch.tasks.labels import Labels

# Looked at of an answer; a model that runs on without end says nothing more behind it.
MOST_CHARACTERS = 100_000
PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*")


@dataclass(frozen=True)
class Answer:
    """What a model says of a row.

    Attributes:
        emotion: one of the classes.
        confidence: 0 to 1.
        reason: in its own words, maybe empty.
    """

    emotion: str
    confidence: float
    reason: str


def response_format(labels: Labels) -> dict[str, Any]:
    """What a request says of the form of its answer, for servers that hold a model to a schema.

    Args:
        labels: the classes.

    Returns:
        The option ``response_format``.

    Examples:
        >>> from emobatch.tasks.four import FOUR
        >>> response_format(FOUR.labels)["json_schema"]["schema"]["required"]
        ['emotion', 'confidence', 'reason']
    """
    schema = {
        "type": "object",
        "properties": {
            "emotion": {"type": "string", "enum": list(labels.names)},
            "confidence": {"type": "integer", "minimum": 0, "maximum": 100},
            "reason": {"type": "string"},
        },
        "required": ["emotion", "confidence", "reason"],
        "additionalProperties": False,
    }
    form = {"name": "verdict", "strict": True, "schema": schema}
    return {"type": "json_schema", "json_schema": form}


def read(text: str | None, labels: Labels) -> Answer:
    """Find the answer in what a model wrote.

    Args:
        text: JSON, or text with a JSON object in it, as in a code fence.
        labels: the classes; the emotion may be any spelling of one.

    Returns:
        What the last object with an emotion says: a model that thinks aloud answers at the end.

    Raises:
        AnswerError: says what is missing or wrong.

    Examples:
        >>> from emobatch.tasks.four import FOUR
        >>> read('Sure! {"emotion": "Anger", "confidence": "85 %"}', FOUR.labels)
        Answer(emotion='angry', confidence=0.85, reason='')
    """
    found = [each for each in _objects((text or "")[:MOST_CHARACTERS]) if "emotion" in each]
    if not found:
        raise AnswerError("no JSON object with an emotion in it")
    said = found[-1]
    emotion = said["emotion"]
    name = labels.spellings.get(emotion.strip().lower()) if isinstance(emotion, str) else None
    if name is None:
        raise AnswerError(f"{emotion!r} is none of {', '.join(labels.names)}")
    reason = said.get("reason")
    return Answer(name, confidence(said.get("confidence")), str(reason or ""))


def confidence(value: object) -> float:
    """Read a confidence: from 0 to 100 as asked for, or a share as some models give it.

    Args:
        value: of the JSON. A number with a decimal point that is at most 1 is a share.

    Returns:
        0 to 1.

    Raises:
        AnswerError: if it is nothing like that.

    Examples:
        >>> [confidence(each) for each in (85, 0.85, "85 %", "79", 1)]
        [0.85, 0.85, 0.85, 0.79, 0.01]
    """
    if isinstance(value, str) and (parts := PERCENT.fullmatch(value)):
        number, percent = parts.groups()
        value = float(number) if "." in number else int(number)
        if percent:
            return _share(float(value) / 100)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AnswerError(f"{value!r} is no confidence from 0 to 100")
    return _share(value if isinstance(value, float) and value <= 1 else value / 100)


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise AnswerError(f"{100 * value:g} is no confidence from 0 to 100")
    return round(value, 6)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        try:
            found, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            yield found
        place = text.find("{", end)
