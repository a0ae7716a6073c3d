"""The speech branch alone: what every method is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from emobatch.fusion.unfitted import Unfitted


@dataclass(frozen=True)
class Speech(Unfitted):
    """Takes the speech branch's emotion for every row.

    Attributes:
        task: the classes.
    """

    name = "speech"
    reads_text = False
    header = "The speech branch decides every row."

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Take the speech branch's emotion.

        Args:
            rows: with ``speech_emotion``.

        Returns:
            The rows with ``emotion`` and ``decided_by``.
        """
        emotion = pl.col("speech_emotion")
        decided_by = pl.when(emotion.is_not_null()).then(pl.lit("speech"))
        return rows.with_columns(emotion=emotion, decided_by=decided_by)

    def needs_text(self) -> pl.Expr:
        """Say that no row needs the text branch."""
        return pl.when(pl.col("speech_emotion").is_not_null()).then(pl.lit(False))
