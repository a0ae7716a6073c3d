"""Error rates of transcripts against what was said: of words, or of characters without spaces."""

from __future__ import annotations

from typing import Any

import polars as pl

from emobatch.evaluation.normalisation import WORDS as PLAIN
from emobatch.evaluation.normalisation import normalised
from emobatch.tables.words import is_unspaced

WORDS, CHARACTERS = "words", "characters"


def word_error_rate(references: pl.Series, transcripts: pl.Series) -> float | None:
    """Word error rate over all rows together, of words normalised as ``NORMALISATION`` says.

    Args:
        references: (rows,) what was said; rows without one don't count, nor those of languages
            without spaces between words.
        transcripts: (rows,) what was recognised; null counts as nothing.

    Returns:
        Errors in percent of the words of the references, None where there are no such words.

    Examples:
        >>> word_error_rate(pl.Series(["Well done!", None]), pl.Series(["well gone", "hm"]))
        50.0
    """
    return rate(word_errors(references, transcripts))


def rate(counts: pl.DataFrame) -> float | None:
    """Error rate of rows that were counted.

    Args:
        counts: see :func:`word_errors` and :func:`character_errors`.

    Returns:
        Errors in percent of the words or characters, None where there are none.

    Examples:
        >>> rate(pl.DataFrame({"errors": [1, 0], "words": [2, 2]}))
        25.0
    """
    errors, units = counts.sum().row(0)
    return round(100 * errors / units, 2) if units else None


def word_errors(
    references: pl.Series, transcripts: pl.Series, normalisation: str = PLAIN
) -> pl.DataFrame:
    """Errors and words of each row.

    Args:
        references: (rows,) what was said.
        transcripts: (rows,) what was recognised; null counts as nothing.
        normalisation: of both, see :func:`emobatch.evaluation.normalisation.normalised`.

    Returns:
        A row for each: ``errors``, words substituted, deleted or inserted, and ``words`` of the
        reference; both 0 where there is no reference, or one without spaces between words.

    Examples:
        >>> word_errors(pl.Series(["Well done!", None]), pl.Series(["well gone", "hm"])).rows()
        [(1, 2), (0, 0)]
    """
    return _counted(references, transcripts, WORDS, normalisation)


def character_errors(
    references: pl.Series, transcripts: pl.Series, normalisation: str = PLAIN
) -> pl.DataFrame:
    """Errors and characters of each row whose language has no spaces between words.

    Args:
        references: (rows,) what was said.
        transcripts: (rows,) what was recognised; null counts as nothing.
        normalisation: of both, see :func:`emobatch.evaluation.normalisation.normalised`.

    Returns:
        A row for each: ``errors``, characters substituted, deleted or inserted, and ``characters``
        of the reference, normalised as for words and without spaces; both 0 for other rows.

    Examples:
        >>> character_errors(pl.Series(["你好 吗?", "so so"]), pl.Series(["你号吗", "so"])).rows()
        [(1, 3), (0, 0)]
    """
    return _counted(references, transcripts, CHARACTERS, normalisation)


def _counted(
    references: pl.Series, transcripts: pl.Series, unit: str, normalisation: str
) -> pl.DataFrame:
    import jiwer

    align: Any = jiwer.process_characters if unit == CHARACTERS else jiwer.process_words
    pairs = normalised(pl.DataFrame({"said": references, "heard": transcripts}), normalisation)
    unspaced = is_unspaced(pl.col("said"))
    spoken = pairs.with_row_index("row").filter(
        pl.col("said") != "", unspaced if unit == CHARACTERS else ~unspaced
    )
    if unit == CHARACTERS:
        # Where spaces stand is a matter of taste there.
        spoken = spoken.with_columns(pl.col("said", "heard").str.replace_all(" ", ""))
    counts = {"row": spoken["row"], "errors": [0] * len(spoken), unit: [0] * len(spoken)}
    if len(spoken):
        aligned = align(spoken["said"].to_list(), spoken["heard"].to_list())
        counts["errors"] = [sum(map(_errors, chunks)) for chunks in aligned.alignments]
        counts[unit] = [len(units) for units in aligned.references]
    counted = pl.DataFrame(counts, schema_overrides={"errors": pl.Int64, unit: pl.Int64})
    return (
        pairs.with_row_index("row")
        .join(counted, on="row", how="left", maintain_order="left")
        .select(pl.col("errors", unit).fill_null(0))
    )


def _errors(chunk: Any) -> int:
    if chunk.type == "equal":
        return 0
    said, heard = chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
    return int(max(said, heard))
