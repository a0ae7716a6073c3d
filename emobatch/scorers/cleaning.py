"""Transcripts as the sentiment model is given them: cleaned in steps that can be left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import contractions
import regex
import simplemma

from emobatch.errors import EmobatchError

STEPS = ("contractions", "punctuation", "lemmas", "lowercase", "numbers")
NO_STEPS = "none"

# Inside a word an apostrophe joins; any other mark parts words. Emoji, which are category So, stay.
APOSTROPHE = regex.compile(r"(?<=\w)['\u2019](?=\w)")
PUNCTUATION = regex.compile(r"[\p{P}\p{Sc}\p{Sk}\p{Sm}]+")
NUMBER = regex.compile(r"\p{N}+(?:(?:st|nd|rd|th)\b)?", regex.IGNORECASE)


def parse_steps(text: str) -> tuple[str, ...]:
    """Read the value of ``--clean``.

    Args:
        text: names of steps separated by commas, or ``none``.

    Returns:
        The steps in the order given.

    Raises:
        EmobatchError: if a step is unknown.

    Examples:
        >>> parse_steps("punctuation,lowercase")
        ('punctuation', 'lowercase')
    """
    steps = tuple(step.strip() for step in text.split(","))
    if steps == (NO_STEPS,):
        return ()
    unknown = [step for step in steps if step not in STEPS]
    if unknown:
        raise EmobatchError(
            f"--clean: no step {unknown[0]!r}; give some of {','.join(STEPS)}, or {NO_STEPS}"
        )
    return steps


def clean(text: str, steps: tuple[str, ...] = STEPS, language: str = "en") -> str:
    """Clean a transcript.

    Args:
        text: a transcript.
        steps: from ``STEPS``, carried out in the order given.
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
