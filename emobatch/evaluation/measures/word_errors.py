"""Word error rate of the transcripts, and character error rate of those without spaces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl

from emobatch.evaluation.bootstrap import interval, resampled_sums, units
from emobatch.evaluation.figure import Figure
from emobatch.evaluation.layout import Table
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.normalisation import NORMALISATIONS, WORDS
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.evaluation.word_error_rate import character_errors, rate, word_errors


class WordErrors(Measure):
    """Word error rate over all rows that have a reference, scored or not.

    Rows of languages that put no spaces between words are those of :class:`CharacterErrors`.

    Attributes:
        short: what the rate is called in a column.
        written: how its rows are written.
    """

    name = "wer"
    title = "word error rate (WER)"
    columns = ("reference", "transcript")
    of_text = True
    by_group = True
    short: ClassVar[str] = "WER"
    written: ClassVar[str] = "with spaces between words"
    needs_labels = False

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure transcripts against references."""
        if not set(self.columns) <= set(sample.rows.columns):
            return
        said, heard = (sample.rows[name] for name in self.columns)
        counts = self._counts(said, heard, sample.normalisation)
        spoken = counts.to_series(1) > 0
        bounds = None
        if sample.resamples and spoken.any():
            values = counts.filter(spoken).to_numpy().astype(np.int64)
            drawn = units(sample.rows.filter(spoken))
            sums = resampled_sums(values, drawn, sample.resamples)
            bounds = interval(100 * sums[:, 0] / sums[:, 1])
        low, high = bounds or (None, None)
        yield Figure(self.name, rate(counts), low, high, rows=int(spoken.sum()))

    def _counts(
        self, references: pl.Series, transcripts: pl.Series, normalisation: str
    ) -> pl.DataFrame:
        return word_errors(references, transcripts, normalisation)

    def _said(self, evaluation: Evaluation) -> str:
        # What was done to texts, without which the rate means nothing.
        return NORMALISATIONS[evaluation.normalisation]

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the rate and its rows, and what it means and its interval for all rows together."""
        figure = evaluation.get(self.name, group=group)
        if figure is None:
            return {}
        document: dict[str, Any] = {self.name: figure.value}
        if figure.value is not None:
            document[f"{self.name}_rows"] = figure.rows
            if group is None:
                document[f"{self.name}_normalisation"] = self._said(evaluation)
        return document | ({f"{self.name}_interval": figure.bounds} if figure.bounds else {})

    def is_listed(self, figure: Figure) -> bool:
        """Leave out what no row has a reference for."""
        return figure.value is not None

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Name the rate with its normalisation, and its rows where others have another rate."""
        figure = evaluation.get(self.name)
        if figure is None or figure.value is None:
            return ()
        rates = [evaluation.value(each.name) for each in (WordErrors, CharacterErrors)]
        rows = "1 row" if figure.rows == 1 else f"{figure.rows} rows"
        of = "" if None in rates else f" of {rows} written {self.written}:"
        between = f", 95 % {figure.span()}" if figure.bounds else ""
        return (f"{self.title}{of} {figure.text()} %{between} ({self._said(evaluation)})",)

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show nothing beside the remark."""
        return ()

    def by_groups(self, evaluation: Evaluation) -> Sequence[tuple[str, Sequence[str]]]:
        """Give the rate of each group, where one has a rate."""
        texts = [evaluation.text(self.name, group=group) for group in evaluation.groups or ()]
        return [(self.short, texts)] if any(text != "-" for text in texts) else []


class CharacterErrors(WordErrors):
    """Character error rate over the rows whose reference is written without spaces.

    A word error rate of these would be 0 or 100 for each row.
    """

    name = "cer"
    title = "character error rate (CER)"
    short = "CER"
    written = "without spaces between words"

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure transcripts against references, if any is of such a language."""
        return (figure for figure in super().figures(sample) if figure.value is not None)

    def _counts(
        self, references: pl.Series, transcripts: pl.Series, normalisation: str
    ) -> pl.DataFrame:
        return character_errors(references, transcripts, normalisation)

    def _said(self, evaluation: Evaluation) -> str:
        if evaluation.normalisation == WORDS:
            return "lower case, punctuation, symbols and spaces removed"
        return f"{super()._said(evaluation)}, spaces removed"
