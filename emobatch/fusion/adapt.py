"""Adaptation to a corpus without a single label: each speaker's mean is taken away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import polars as pl

from emobatch.errors import TableError
from emobatch.fusion import evidence
from emobatch.fusion.checks import check_names
from emobatch.fusion.context import chains as dialogues
from emobatch.fusion.context.together import together
from emobatch.fusion.logistic.centring import SPEAKER, Speakers, numbered
from emobatch.fusion.logistic.regression import softmax
from emobatch.fusion.method import Method
from emobatch.fusion.pooling import CONTEXT, DECIDERS, SPEECH, decided, decision_columns
from emobatch.tasks.task import Task

DIALOGUE = "dialogue"


@dataclass(frozen=True)
class Adapted(Method):
    """Takes the speech branch's likeliest class after each speaker's mean was taken away.

    Attributes:
        task: the classes.
        context: whether the rows of a speaker in a dialogue are decided together.
    """

    name = "adapt"
    header = "The speech branch decides every row, after each speaker's mean was taken away."
    reads_text = False
    whole_table = True
    task: Task
    context: bool = False

    @cached_property
    def columns(self) -> Mapping[str, type[pl.DataType]]:  # type: ignore[override]
        """What :meth:`decide` adds, the probabilities ``final_CLASS`` among it."""
        return decision_columns(self.task)

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit nothing.

        Args:
            rows: any.
            task: the classes.
            options: ``context`` as on the command line.

        Returns:
            The method.
        """
        return cls(task, options.get("context") == DIALOGUE)

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Take the likeliest class of each row.

        Args:
            rows: a score table, whole: a speaker's mean is that of the rows that are given.

        Returns:
            The rows with ``final_CLASS``, ``emotion`` and ``decided_by``.

        Raises:
            TableError: if a column is missing.
        """
        names = rows.collect_schema().names()
        if SPEAKER not in names:
            raise TableError("no column 'speaker' to adapt to; add it to the table")
        wanted = [*self.task.speech_columns, SPEAKER]
        if self.context:
            wanted += dialogues.columns(names)
        wanted = list(dict.fromkeys(wanted))
        return evidence.with_computed(rows, wanted, self._decided, self.columns, whole=True)

    def needs_text(self) -> pl.Expr:
        """Say that no row needs the text branch."""
        return pl.when(pl.col(self.task.speech_columns[0]).is_not_null()).then(pl.lit(False))

    def to_document(self) -> dict[str, Any]:
        """Say whether rows are decided together."""
        return {self.name: {"context": self.context}}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        """Read what :meth:`to_document` gave.

        Args:
            document: the file.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: if there is anything else in it.
        """
        check_names(document, (cls.name, "fitted"), "the file")
        section = document.get(cls.name, {})
        check_names(section, ("context",), f"[{cls.name}]")
        return cls(task, section.get("context") is True)

    def _decided(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        heard = evidence.logarithms(evidence.speech(rows, self.task))
        known = evidence.known(heard)
        numbers, _ = numbered(rows["speaker"].filter(pl.Series(known)))
        speakers = Speakers.of(numbers)
        usual = speakers.means(heard[known]).mean(axis=0)
        final = np.full(heard.shape, np.nan)
        final[known] = softmax(speakers.centred(heard[known], usual))
        by = np.full(len(rows), DECIDERS.index(SPEECH))
        if self.context:
            before = np.nan_to_num(final).argmax(axis=1)
            final[known] = together(rows, final)[known]
            by[np.nan_to_num(final).argmax(axis=1) != before] = DECIDERS.index(CONTEXT)
        return decided(final, self.task, by)
