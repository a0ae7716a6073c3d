"""What is done to texts before the words of a transcript are held against those of a reference."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files

import polars as pl

from emobatch.tables.words import NORMALISATION, plain_words

WORDS, NONE, WHISPER = "words", "none", "whisper"
# A rate means nothing without it, so that it is named wherever a rate is.
NORMALISATIONS: Mapping[str, str] = {
    WORDS: NORMALISATION,
    NONE: "lower case",
    WHISPER: "Whisper's English normaliser",
}


def normalised(texts: pl.DataFrame, normalisation: str) -> pl.DataFrame:
    """Normalise texts.

    Args:
        texts: columns of strings.
        normalisation: ``words``; ``none`` for nothing but case; or ``whisper``: contractions spelt
            out, numbers as digits, American spelling, fillers and punctuation removed.

    Returns:
        The same columns, of words with single spaces between them where ``words`` or ``whisper``;
        what is null is empty.

    Examples:
        >>> texts = pl.DataFrame({"said": ["I can't -- the COLOUR!"]})
        >>> [normalised(texts, name).item() for name in NORMALISATIONS]
        ['i cant the colour', "i can't -- the colour!", 'i can not the color']
    """
    texts = texts.with_columns(pl.all().cast(pl.String).fill_null(""))
    if normalisation == WORDS:
        return texts.select(plain_words(pl.all()))
    if normalisation == NONE:
        return texts.select(pl.all().str.to_lowercase().str.strip_chars())
    # Takes a while to import, which nothing else here needs.
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    normalise: Callable[[str], str] = EnglishTextNormalizer(_spellings())  # type: ignore[no-untyped-call]
    return texts.select(
        pl.Series(column.name, [normalise(text).strip() for text in column], dtype=pl.String)
        for column in texts
    )


def _spellings() -> dict[str, str]:
    # British to American, as they come with Whisper; transformers has them with each checkpoint.
    file = files("emobatch.evaluation").joinpath("whisper_english", "spellings.json")
    spellings: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return spellings
