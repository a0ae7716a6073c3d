"""Transcripts of rows: of the manifest, or as they were recognised."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import TableError
from emobatch.scorers.cleaning import clean
from emobatch.tables import reading
from emobatch.training.source import Source, Take
from emobatch.wording import counted

log = logging.getLogger(__name__)
COLUMN = "transcript"


class Texts(Source):
    """Texts, as a tokenizer cuts them."""

    unit = 1

    def __init__(self, tokens: Sequence[Sequence[int]]) -> None:
        """Take texts.

        Args:
            tokens: (rows,) ids of each, with those that stand at either end.
        """
        self._tokens = [np.asarray(each, np.int64) for each in tokens]
        self.lengths = np.array([len(each) for each in tokens], np.int64)

    def read(self, take: Take) -> NDArray[Any]:
        """Read a text; it is never cut but by its tokenizer.

        Args:
            take: which.

        Returns:
            (tokens,) ids.
        """
        return self._tokens[take.row]

    def windows(self, row: int) -> list[Take]:
        """The text as a whole.

        Args:
            row: its place.

        Returns:
            One part.
        """
        return [Take(row, 0, int(self.lengths[row]))]


def with_texts(
    rows: pl.DataFrame, scores: str | None, steps: tuple[str, ...], language: str
) -> tuple[pl.DataFrame, list[str]]:
    """Find what is said in rows.

    Args:
        rows: of a manifest.
        scores: a score table of these rows, whose transcripts are taken; None for the manifest's.
        steps: of cleaning.
        language: of the transcripts, for these steps, where a row doesn't say.

    Returns:
        The rows with a column ``text``, null where nothing is said, and the ids of those.

    Raises:
        TableError: if there is no column of transcripts, or the table is of other rows.
    """
    if scores is not None:
        rows = _recognised(rows, scores)
    if COLUMN not in rows.columns:
        raise TableError(
            f"no column {COLUMN!r} to learn from; add it to the manifest, or take recognised text "
            "with --scores TABLE"
        )
    spoken = rows["language"].to_list() if "language" in rows.columns else [None] * len(rows)
    said = rows[COLUMN].cast(pl.String).to_list()
    texts = [
        (clean(text, steps, own or language) if text else "") or None
        for text, own in zip(said, spoken, strict=True)
    ]
    silent = [name for name, text in zip(rows["id"], texts, strict=True) if text is None]
    if silent:
        log.warning("note: %s without text left out", counted(len(silent), "row"))
    return rows.with_columns(text=pl.Series(texts, dtype=pl.String)), silent


def _recognised(rows: pl.DataFrame, scores: str) -> pl.DataFrame:
    with reading.explained(scores):
        table = reading.scan(scores)
        for name in ("id", COLUMN):
            if name not in table.collect_schema():
                raise TableError(f"no column {name!r}; give --scores a table that `score` wrote")
        said = table.select(pl.col("id").cast(pl.String), pl.col(COLUMN).cast(pl.String)).collect()
        if said["id"].is_duplicated().any():
            raise TableError("an id occurs twice; give --scores a table of one row for each clip")
        joined = rows.drop(COLUMN, strict=False).join(
            said, on="id", how="left", maintain_order="left"
        )
        if joined[COLUMN].null_count() == len(joined):
            raise TableError("has a transcript of none of the manifest's rows; look at column 'id'")
    return joined
