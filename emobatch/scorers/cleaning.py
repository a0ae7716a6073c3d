"""Transcripts as the text model is given them: cleaned in steps that can be left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import contractions
import regex
import simplemma

from emobatch.models.names import CLEANING_STEPS

# Between two letters. Emoji, which are category So, stay.
APOSTROPHE = regex.compile(r"(?<=\w)['\u2019](?=\w)")
PUNCTUATION = regex.compile(r"[\p{P}\p{Sc}\p{Sk}\p{Sm}]+")
# The same but for an apostrophe between two letters.
OTHER_PUNCTUATION = regex.compile(
    rf"(?:(?!{APOSTROPHE.pattern})[\p{{P}}\p{{Sc}}\p{{Sk}}\p{{Sm}}])+"
)
NUMBER = regex.compile(r"\p{N}+(?:(?:st|nd|rd|th)\b)?", regex.IGNORECASE)
# Where an apostrophe stands for what is left out of one word: don't, geht's. In other languages it
# stands between two words (l'été, dell'anno), unless it is part of a word's spelling.
JOINED = frozenset({"en", "de"})
SPELLED = frozenset({"be", "br", "ha", "haw", "mi", "nl", "sn", "so", "sw", "uk", "uz"})
# What simplemma calls languages that Whisper calls otherwise.
LEMMAS = {"no": "nb", "hr": "hbs", "bs": "hbs", "sr": "hbs"}
# Where the small letter of I has no dot.
DOTLESS = frozenset({"tr", "az"})
TO_DOTLESS = str.maketrans({"I": "\u0131", "\u0130": "i"})


def clean(text: str, steps: tuple[str, ...] = CLEANING_STEPS, language: str = "en") -> str:
    """Clean a transcript.

    Args:
        text: a transcript.
        steps: from ``CLEANING_STEPS``, carried out in the order given.
        language: two-letter code of the text. Contractions are expanded in English only, words
            are lemmatised in the languages that simplemma knows, and an apostrophe joins words in
            English and German, and parts them where it stands for an elision.

    Returns:
        The text with single spaces, which may be empty.

    Examples:
        >>> clean("I can't believe you've been running 3 times!")
        'i cannot believe you have be run time'
        >>> clean("l'été, qu'on aime", ("punctuation",), "fr")
        'l été qu on aime'
    """
    functions: Mapping[str, Callable[[str], str]] = {
        "contractions": lambda words: _expand(words, language),
        "punctuation": lambda words: _without_punctuation(words, language),
        "lemmas": lambda words: _lemmatise(words, language),
        "lowercase": lambda words: _lower(words, language),
        "numbers": lambda words: NUMBER.sub(" ", words),
    }
    for step in steps:
        text = functions[step](text)
    return " ".join(text.split())


def _expand(text: str, language: str) -> str:
    # Slang ("u" for "you") is left alone: spelling that a recogniser doesn't write.
    return str(contractions.fix(text, slang=False)) if language == "en" else text


def _without_punctuation(text: str, language: str) -> str:
    if language in SPELLED:
        return str(OTHER_PUNCTUATION.sub(" ", text))
    if language in JOINED:
        text = APOSTROPHE.sub("", text)
    return str(PUNCTUATION.sub(" ", text))


def _lemmatise(text: str, language: str) -> str:
    code = LEMMAS.get(language, language)
    try:
        return " ".join(simplemma.lemmatize(word, lang=code) for word in text.split())
    except ValueError:
        return text  # a language that simplemma doesn't know


def _lower(text: str, language: str) -> str:
    return (text.translate(TO_DOTLESS) if language in DOTLESS else text).lower()
