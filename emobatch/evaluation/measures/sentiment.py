"""Whether the text branch hears the sentiment that the label implies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from emobatch.evaluation.bootstrap import interval, resampled_counts, units
from emobatch.evaluation.figure import Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import Indices, class_indices, confusion_figures
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.tasks.label_columns import canonical
from emobatch.tasks.labels import SENTIMENT_LABELS
from emobatch.tasks.spellings import SENTIMENTS
from emobatch.tasks.task import Task

FIGURE = "sentiment_F1"
SIZE = len(SENTIMENTS)
REMEDY = "score again with a sentiment model that has these"


class Sentiment(Measure):
    """F1 of each sentiment, over the rows whose label stands for one."""

    name = "sentiment"
    title = "sentiment against labels, F1"
    columns = ("sentiment",)
    of_text = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the sentiments heard against those that labels imply."""
        rows = self._rows(sample.scored, sample.task)
        if rows.is_empty():
            return
        implied, heard = (
            class_indices(rows[name], SENTIMENTS, name) for name in ("implied", "sentiment")
        )
        values = _f1(implied, heard)
        bounds: list[list[float] | None] = [None] * SIZE
        if sample.resamples:
            cells = (implied * SIZE + heard).astype(np.int64)
            counts = resampled_counts(cells, SIZE**2, units(rows), sample.resamples)
            drawn = confusion_figures(counts.reshape(-1, SIZE, SIZE))["class F1"]
            bounds = [interval(drawn[:, number]) for number in range(SIZE)]
        for name, value, between in zip(SENTIMENTS, values, bounds, strict=True):
            # What no class stands for is never right: a 0 would look measured.
            is_implied = bool(sample.task.sentiments[name])
            low, high = (between if is_implied else None) or (None, None)
            f1 = value if is_implied else None
            yield Figure(FIGURE, f1, low, high, len(rows), of_class=name)

    def _rows(self, rows: pl.DataFrame, task: Task) -> pl.DataFrame:
        if "sentiment" not in rows.columns:
            return rows.clear()
        implied = rows["label"].replace_strict(task.sentiment_by_class, return_dtype=pl.String)
        heard = canonical(rows["sentiment"], SENTIMENT_LABELS, remedy=REMEDY)
        return rows.with_columns(heard, implied.alias("implied")).drop_nulls(
            ["sentiment", "implied"]
        )

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the figure of each sentiment with the rows, and their bounds."""
        figures = evaluation.of(self.name, group)
        if not figures:
            return {}
        values = {str(figure.of_class): figure.value for figure in figures}
        document: dict[str, Any] = {"sentiment_f1": {**values, "rows": figures[0].rows}}
        if evaluation.drawn is not None:
            bounds = {str(figure.of_class): figure.bounds for figure in figures}
            document["sentiment_intervals"] = bounds
        return document

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Name the figure of each sentiment."""
        figures = evaluation.of(self.name)
        texts = ", ".join(f"{figure.of_class} {figure.text()}" for figure in figures)
        return (f"{self.title} %: {texts}",) if figures else ()


def _f1(implied: Indices, heard: Indices) -> list[float | None]:
    from sklearn.metrics import f1_score

    values = f1_score(implied, heard, labels=range(SIZE), average=None, zero_division=np.nan)
    return [None if np.isnan(value) else round(100 * float(value), 2) for value in values]
