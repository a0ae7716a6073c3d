"""Transcripts as the text model is given them: cleaned in steps that can be left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import contractions
import regex
import simplemma

from emobatch.models.names import CLEANING_STEPS

# Inside a word an apostrophe joins; any other mark parts words. Emoji, which are category So, stay.
APOSTROPHE = regex.compile(r"(?<=\w)['\u2019](?=\w)")
PUNCTUATION = regex.compile(r"[\p{P}\p{Sc}\p{Sk}\p{Sm}]+")
NUMBER = regex.compile(r"\p{N}+(?:(?:st|nd|rd|th)\b)?", regex.IGNORECASE)


def clean(text: str, steps: tuple[str, ...] = CLEANING_STEPS, language: str = "en") -> str:
    """Clean a transcript.

    Args:
        text: a transcript.
        steps: from ``CLEANING_STEPS``, carried out in the order given.
        language: two-letter code of the text. Contractions are expanded in English only, words
            are lemmatised in the languages that simplemma knows.

    Returns:
        The text with single spaces, which may be empty.

    Examples:
        >>> clean("I can't believe you've been running 3 times!")
        'i cannot believe you have be run time'
    """
    functions: Mapping[str, Callable[[str], str]] = {
        "contractions": lambda words: _expand(words, language),
        "punctuation": lambda words: PUNCTUATION.sub(" ", APOSTROPHE.sub("", words)),
        "lemmas": lambda words: _lemmatise(words, language),
        "lowercase": str.lower,
        "numbers": lambda words: NUMBER.sub(" ", words),
    }
    for step in steps:
        text = functions[step](text)
    return " ".join(text.split())


def _expand(text: str, language: str) -> str:
    # Slang ("u" for "you") is left alone: spelling that a recogniser doesn't write.
    return str(contractions.fix(text, slang=False)) if language == "en" else text


def _lemmatise(text: str, language: str) -> str:
    try:
        return " ".join(simplemma.lemmatize(word, lang=language) for word in text.split())
    except ValueError:
        return text  # a language that simplemma doesn't know
