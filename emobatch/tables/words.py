"""Text reduced to its words, to be compared."""

from __future__ import annotations

import polars as pl

# Named wherever a figure rests on it: a word error rate means nothing without it.
NORMALISATION = "lower case, punctuation and symbols removed, spaces collapsed"


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
