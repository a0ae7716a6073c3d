"""The one alias table: how corpora and checkpoints spell emotions and sentiments."""

from __future__ import annotations

from collections.abc import Mapping

SENTIMENTS = ("negative", "neutral", "positive")
ATTRIBUTES = ("arousal", "valence", "dominance")


def _by_spelling(names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {spelling: name for name, others in names.items() for spelling in (name, *others)}


# Emotion by spelling, in lower case.
EMOTIONS: Mapping[str, str] = _by_spelling(
    {
        "angry": ("ang", "anger"),
        "happy": ("hap", "happiness", "joy", "exc", "excited", "excitement"),
        "neutral": ("neu", "neutrality"),
        "sad": ("sadness",),
        "surprise": ("sur", "surprised"),
        "fear": ("fea", "fearful", "afraid"),
        "disgust": ("dis", "disgusted"),
        "contempt": ("con", "contemptuous"),
    }
)
# Attribute by spelling, in lower case.
ATTRIBUTE_SPELLINGS: Mapping[str, str] = _by_spelling(
    {"arousal": ("aro", "activation"), "valence": ("val",), "dominance": ("dom",)}
)
# What corpora mean by codes that are no words. Messages suggest these; nothing is read by them.
CORPUS_CODES: Mapping[str, Mapping[str, str]] = {
    "EmoDB": {
        **{"w": "angry", "f": "happy", "n": "neutral", "t": "sad", "a": "fear", "e": "disgust"},
        "l": "boredom",
    },
    "RAVDESS": {
        **{"01": "neutral", "02": "calm", "03": "happy", "04": "sad", "05": "angry"},
        **{"06": "fear", "07": "disgust", "08": "surprise"},
    },
    "SAVEE": {
        **{"a": "angry", "d": "disgust", "f": "fear", "h": "happy", "n": "neutral", "sa": "sad"},
        "su": "surprise",
    },
}
SENTIMENT_SPELLINGS: Mapping[str, str] = _by_spelling(
    {"negative": ("neg",), "neutral": ("neu",), "positive": ("pos",)}
)
# What the first of two speech models says, by which the second is asked.
LEVELS = ("neutral", "emotional")
LEVEL_SPELLINGS: Mapping[str, str] = _by_spelling(
    {
        "neutral": ("neu", "neutrality"),
        "emotional": ("emotion", "non-neutral", "non_neutral", "nonneutral"),
    }
)
# What each emotion is taken for, unless a user says otherwise. Surprise may be either.
SENTIMENT_OF: Mapping[str, str] = {
    "happy": "positive",
    "neutral": "neutral",
    **dict.fromkeys(("angry", "sad", "fear", "disgust", "contempt"), "negative"),
}


def sentiment_of(name: str) -> str | None:
    """Sentiment that a class stands for unless a user says otherwise.

    Args:
        name: of a class, in lower case.

    Returns:
        A sentiment, or None where the name says nothing of it.

    Examples:
        >>> sentiment_of("joy"), sentiment_of("surprise")
        ('positive', None)
    """
    return SENTIMENT_OF.get(EMOTIONS.get(name, ""), SENTIMENT_SPELLINGS.get(name))


def attribute_of(label: str) -> str | None:
    """Attribute that a label of a model stands for.

    Args:
        label: as the model has it.

    Returns:
        One of :data:`ATTRIBUTES`, None for a class.

    Examples:
        >>> attribute_of("Activation"), attribute_of("angry")
        ('arousal', None)
    """
    return ATTRIBUTE_SPELLINGS.get(label.strip().lower())
