"""Word error rate of the transcripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from emobatch.evaluation.bootstrap import interval, resampled_sums, units
from emobatch.evaluation.figure import Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.evaluation.word_error_rate import rate, word_errors
from emobatch.tables.words import NORMALISATION


class WordErrors(Measure):
    """Word error rate over all rows that have a reference, scored or not."""

    name = "wer"
    title = "word error rate"
    columns = ("reference", "transcript")
    of_text = True
    by_group = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure transcripts against references."""
        if not set(self.columns) <= set(sample.rows.columns):
            return
        counts = word_errors(sample.rows["reference"], sample.rows["transcript"])
        spoken = counts["words"] > 0
        bounds = None
        if sample.resamples and spoken.any():
            values = counts.filter(spoken).to_numpy().astype(np.int64)
            drawn = units(sample.rows.filter(spoken))
            sums = resampled_sums(values, drawn, sample.resamples)
            bounds = interval(100 * sums[:, 0] / sums[:, 1])
        low, high = bounds or (None, None)
        yield Figure(self.name, rate(counts), low, high, rows=int(spoken.sum()))

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give ``wer``, and what it means and its interval for all rows together."""
        figure = evaluation.get(self.name, group=group)
        if figure is None:
            return {}
        document: dict[str, Any] = {"wer": figure.value}
        if figure.value is not None and group is None:
            document["wer_normalisation"] = NORMALISATION
        return document | ({"wer_interval": figure.bounds} if figure.bounds else {})

    def is_listed(self, figure: Figure) -> bool:
        """Leave out what no row has a reference for."""
        return figure.value is not None

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Name the rate with its normalisation, without which it means nothing."""
        figure = evaluation.get(self.name)
        if figure is None or figure.value is None:
            return ()
        between = f", 95 % {figure.span()}" if figure.bounds else ""
        return (f"word error rate {figure.text()} %{between} ({NORMALISATION})",)

    def tables(self, evaluation: Evaluation) -> Sequence[Any]:
        """Show nothing beside the remark."""
        return ()

    def by_groups(self, evaluation: Evaluation) -> Sequence[tuple[str, Sequence[str]]]:
        """Give the rate of each group, where one has a rate."""
        texts = [evaluation.text(self.name, group=group) for group in evaluation.groups or ()]
        return [("WER", texts)] if any(text != "-" for text in texts) else []
