"""The speech branch alone: what every method is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import polars as pl

from emobatch.fusion.checks import check_names
from emobatch.fusion.method import Method
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Speech(Method):
    """Takes the speech branch's emotion for every row.

    Attributes:
        task: the classes.
    """

    name = "speech"
    reads_text = False
    header = "The speech branch decides every row."
    task: Task

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit nothing.

        Args:
            rows: any.
            task: the classes.
            options: none.

        Returns:
            The method.
        """
        return cls(task)

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

    def to_document(self) -> dict[str, Any]:
        """Say what was fitted: nothing."""
        return {}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        """Read a file that names this method.

        Args:
            document: nothing but ``fitted``.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: if there is anything else in it.
        """
        check_names(document, ("fitted",), "the file")
        return cls(task)
