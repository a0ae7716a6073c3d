"""What the text branch would get right alone, where its model gives emotions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from emobatch.evaluation.bootstrap import units
from emobatch.evaluation.figure import Figure
from emobatch.evaluation.intervals import intervals
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import HEADLINE, class_indices, metrics
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.tasks.label_columns import canonical

COLUMN = "text_emotion"
REMEDY = "score again with a model of these classes"


class Text(Measure):
    """UA, WA and macro F1 of the text branch alone, over the rows of which it says something."""

    name = "text"
    title = "text branch alone"
    columns = (COLUMN,)
    of_text = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the text branch's emotions."""
        rows, classes = sample.scored, sample.task.classes
        if COLUMN not in rows.columns:
            return
        rows = rows.with_columns(canonical(rows[COLUMN], sample.task.labels, remedy=REMEDY))
        rows = rows.filter(pl.col(COLUMN).is_not_null())
        if rows.is_empty():
            return
        bounds = {}
        if sample.resamples:
            label, said = (class_indices(rows[name], classes) for name in ("label", COLUMN))
            bounds = intervals(label, {self.name: said}, classes, units(rows), sample.resamples)
        for name, value in metrics(rows["label"], rows[COLUMN], classes).items():
            low, high = bounds.get((self.name, name, None), (None, None))
            yield Figure(name, value, low, high, len(rows), stage=self.name)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the figures with the rows, and their bounds."""
        figures = evaluation.of(self.name, group)
        if not figures:
            return {}
        values = {figure.name: figure.value for figure in figures}
        document: dict[str, Any] = {self.name: {**values, "rows": figures[0].rows}}
        if evaluation.drawn is not None:
            document["text_intervals"] = {figure.name: figure.bounds for figure in figures}
        return document

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Name the figures and how many rows they are of."""
        figures = evaluation.of(self.name)
        if not figures:
            return ()
        texts = [f"{name} {evaluation.text(name, stage=self.name)}" for name in HEADLINE]
        return (f"{self.title}, of {figures[0].rows} rows that have text, %: {', '.join(texts)}",)
