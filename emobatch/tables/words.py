"""Text reduced to its words, to be compared, and whether spaces part them."""

from __future__ import annotations

import polars as pl

# Named wherever a figure rests on it: a word error rate means nothing without it.
NORMALISATION = "lower case, punctuation and symbols removed, spaces collapsed"
# Scripts that are written without spaces between words: in Unicode's line breaking (UAX #14) those
# of classes ID and SA, and Tibetan, which has a mark between syllables instead.
UNSPACED_SCRIPTS = (
    *("Han", "Hiragana", "Katakana", "Bopomofo", "Yi", "Nushu", "Tangut"),
    *("Thai", "Lao", "Khmer", "Myanmar", "Tibetan"),
    *("Tai_Le", "New_Tai_Lue", "Tai_Tham", "Tai_Viet", "Ahom"),
)
_UNSPACED = "".join(rf"\p{{{script}}}" for script in UNSPACED_SCRIPTS)
UNSPACED_LETTER = f"[{_UNSPACED}]"
SPACED_WORD = rf"[\p{{L}}\p{{M}}\p{{N}}&&[^{_UNSPACED}]]+"


def plain_words(text: pl.Expr) -> pl.Expr:
    """Normalise text as ``NORMALISATION`` says.

    Args:
        text: expression of any type.

    Returns:
        Expression of words with single spaces between them, null kept.

    Examples:
        >>> pl.select(plain_words(pl.lit("Well -- I can't!"))).item()
        'well i cant'
    """
    return (
        text.cast(pl.String)
        .str.to_lowercase()
        .str.replace_all(r"[\p{P}\p{S}]", "")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


def is_unspaced(text: pl.Expr) -> pl.Expr:
    """Whether text is of a language that puts no spaces between words, by its script.

    A word of another script among it, as a name, counts as one letter does.

    Args:
        text: expression of strings.

    Returns:
        Expression of booleans, null kept.

    Examples:
        >>> texts = pl.Series(["我们用Python", "the Japanese say 猫", "ขอบคุณ", "고마워 정말"])
        >>> pl.select(is_unspaced(pl.lit(texts))).to_series().to_list()
        [True, False, True, False]
    """
    return text.str.count_matches(UNSPACED_LETTER) > text.str.count_matches(SPACED_WORD)
