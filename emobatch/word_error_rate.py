"""Word error rate of transcripts against what was said."""

from __future__ import annotations

import polars as pl

# Named wherever the figure is shown: a word error rate means nothing without it.
NORMALISATION = "lower case, punctuation and symbols removed, spaces collapsed"


def word_error_rate(references: pl.Series, transcripts: pl.Series) -> float | None:
    """Word error rate over all rows together, of words normalised as ``NORMALISATION`` says.

    Args:
        references: (rows,) what was said; rows without one don't count.
        transcripts: (rows,) what was recognised; null counts as nothing.

    Returns:
        Errors in percent of the words of the references, None where there are no such words.

    Examples:
        >>> word_error_rate(pl.Series(["Well done!", None]), pl.Series(["well gone", "hm"]))
        50.0
    """
    import jiwer

    pairs = pl.DataFrame({"said": references, "heard": transcripts}).select(
        pl.all()
        .cast(pl.String)
        .fill_null("")
        .str.to_lowercase()
        .str.replace_all(r"[\p{P}\p{S}]", "")
    )
    pairs = pairs.filter(pl.col("said").str.strip_chars() != "")
    if pairs.is_empty():
        return None
    collapse = jiwer.Compose(
        [jiwer.RemoveMultipleSpaces(), jiwer.Strip(), jiwer.ReduceToListOfListOfWords()]
    )
    rate = jiwer.wer(
        pairs["said"].to_list(),
        pairs["heard"].to_list(),
        reference_transform=collapse,
        hypothesis_transform=collapse,
    )
    return round(100 * float(rate), 2)
