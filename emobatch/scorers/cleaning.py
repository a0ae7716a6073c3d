"""Transcripts as the text model is given them: cleaned in steps that can be left out.

Each step goes by the language of the text. Where a step doesn't know the language, or none is
given, it leaves the text as it is, and :func:`unknowing` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import contractions
import regex
import simplemma

from emobatch.models.names import CLEANING_STEPS

# Between two letters. Emoji, which are category So, stay, and their colours of skin, of Sk.
APOSTROPHE = regex.compile(r"(?<=\w)['\u2019](?=\w)")
MARK = r"(?!\p{Emoji_Modifier})[\p{P}\p{Sc}\p{Sk}\p{Sm}]"
PUNCTUATION = regex.compile(rf"(?:{MARK})+")
# The same but for an apostrophe between two letters.
OTHER_PUNCTUATION = regex.compile(rf"(?:(?!{APOSTROPHE.pattern}){MARK})+")
NUMBER = regex.compile(r"\p{N}+(?:(?:st|nd|rd|th)\b)?", regex.IGNORECASE)
# Where an apostrophe stands for what is left out of one word: don't, geht's. In other languages it
# stands between two words (l'été, dell'anno), unless it is part of a word's spelling.
JOINED = frozenset({"en", "de"})
SPELLED = frozenset({"be", "br", "ha", "haw", "mi", "nl", "sn", "so", "sw", "uk", "uz"})
# Words that are spelled with an apostrophe where others of their language part at it.
WHOLE = {
    "fr": regex.compile(
        r"\b((?:aujourd['\u2019]hui|quelqu['\u2019]une?|presqu['\u2019]îles?|"
        r"prud['\u2019]hom\w+)\b)",
        regex.IGNORECASE,
    )
}
CONTRACTED = "en"
# What simplemma calls languages that Whisper calls otherwise.
LEMMAS = {"no": "nb", "hr": "hbs", "bs": "hbs", "sr": "hbs"}
# Where the small letter of I has no dot.
DOTLESS = frozenset({"tr", "az"})
TO_DOTLESS = str.maketrans({"I": "\u0131", "\u0130": "i"})


def clean(text: str, steps: tuple[str, ...] = CLEANING_STEPS, language: str | None = "en") -> str:
    """Clean a transcript.

    Args:
        text: a transcript.
        steps: from ``CLEANING_STEPS``, carried out in the order given.
        language: code of the text, with or without a region; None where it isn't known.
            Contractions are expanded in English only, words are lemmatised in the languages that
            simplemma knows, and an apostrophe joins words in English and German, and parts them
            where it stands for an elision.

    Returns:
        The text with single spaces, which may be empty.

    Examples:
        >>> clean("I can't believe you've been running 3 times!")
        'i cannot believe you have be run time'
        >>> clean("l'été, qu'on aime aujourd'hui", ("punctuation",), "fr")
        "l été qu on aime aujourd'hui"
    """
    language = _code(language)
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


def unknowing(steps: tuple[str, ...], language: str | None) -> tuple[str, ...]:
    """Name the steps that leave a language's texts as they are.

    Args:
        steps: from ``CLEANING_STEPS``.
        language: as for :func:`clean`.

    Returns:
        Those of the steps that don't know it.

    Examples:
        >>> unknowing(("contractions", "punctuation", "lemmas"), "fr")
        ('contractions',)
        >>> unknowing(("contractions", "punctuation", "lemmas"), "ja")
        ('contractions', 'lemmas')
    """
    code = _code(language)
    return tuple(step for step in steps if not _knows(step, code))


def _knows(step: str, code: str) -> bool:
    if step == "contractions":
        return code == CONTRACTED
    return step != "lemmas" or _has_lemmas(code)  # which may load a dictionary


def _code(language: str | None) -> str:
    # en for en-US and EN.
    return regex.split("[-_]", (language or "").lower())[0]


def _expand(text: str, language: str) -> str:
    # Slang ("u" for "you") is left alone: spelling that a recogniser doesn't write.
    return str(contractions.fix(text, slang=False)) if language == CONTRACTED else text


def _without_punctuation(text: str, language: str) -> str:
    if language in SPELLED:
        return str(OTHER_PUNCTUATION.sub(" ", text))
    if language in JOINED:
        text = APOSTROPHE.sub("", text)
    if language not in WHOLE:
        return str(PUNCTUATION.sub(" ", text))
    parts = WHOLE[language].split(text)  # in turn what is between such words, and such a word
    parts[::2] = [PUNCTUATION.sub(" ", part) for part in parts[::2]]
    return "".join(parts)


def _lemmatise(text: str, language: str) -> str:
    if not _has_lemmas(language):
        return text
    code = LEMMAS.get(language, language)
    return " ".join(simplemma.lemmatize(word, lang=code) for word in text.split())


def _has_lemmas(language: str) -> bool:
    try:
        simplemma.lemmatize("a", lang=LEMMAS.get(language, language))
    except ValueError:
        return False
    return True


def _lower(text: str, language: str) -> str:
    return (text.translate(TO_DOTLESS) if language in DOTLESS else text).lower()
