"""Word error rate of transcripts against what was said."""

from __future__ import annotations

from typing import Any

import polars as pl

from emobatch.tables.words import plain_words


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
    return rate(word_errors(references, transcripts))


def rate(counts: pl.DataFrame) -> float | None:
    """Word error rate of rows that were counted.

    Args:
        counts: see :func:`word_errors`.

    Returns:
        Errors in percent of the words, None where there are no words.

    Examples:
        >>> rate(pl.DataFrame({"errors": [1, 0], "words": [2, 2]}))
        25.0
    """
    errors, words = counts.sum().row(0)
    return round(100 * errors / words, 2) if words else None


def word_errors(references: pl.Series, transcripts: pl.Series) -> pl.DataFrame:
    """Errors and words of each row, of words normalised as ``NORMALISATION`` says.

    Args:
        references: (rows,) what was said.
        transcripts: (rows,) what was recognised; null counts as nothing.

    Returns:
        A row for each: ``errors``, words substituted, deleted or inserted, and ``words`` of the
        reference; both 0 where there is no reference.

    Examples:
        >>> word_errors(pl.Series(["Well done!", None]), pl.Series(["well gone", "hm"])).rows()
        [(1, 2), (0, 0)]
    """
    import jiwer

    pairs = pl.DataFrame({"said": references, "heard": transcripts}).select(
        plain_words(pl.all()).fill_null("")
    )
    spoken = pairs.with_row_index("row").filter(pl.col("said") != "")
    counts = {"row": spoken["row"], "errors": [0] * len(spoken), "words": [0] * len(spoken)}
    if len(spoken):
        aligned = jiwer.process_words(spoken["said"].to_list(), spoken["heard"].to_list())
        counts["errors"] = [sum(map(_errors, chunks)) for chunks in aligned.alignments]
        counts["words"] = [len(words) for words in aligned.references]
    counted = pl.DataFrame(counts, schema_overrides={"errors": pl.Int64, "words": pl.Int64})
    return (
        pairs.with_row_index("row")
        .join(counted, on="row", how="left", maintain_order="left")
        .select(pl.col("errors", "words").fill_null(0))
    )


def _errors(chunk: Any) -> int:
    if chunk.type == "equal":
        return 0
    said, heard = chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
    return int(max(said, heard))
