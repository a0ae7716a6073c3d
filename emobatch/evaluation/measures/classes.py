"""Precision, recall and F1 of each class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from emobatch.evaluation.figure import DIFFERENCE, ROWS, STAGES, Figure
from emobatch.evaluation.layout import Table, short, under
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import OF_CLASSES, Metrics, per_class
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample

SUPPORT = "support"


class Classes(Measure):
    """What each class is recognised with, and how often it is labelled."""

    name = "classes"
    title = "figures of each class"

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the classes in the predictions of each stage."""
        rows, classes = sample.scored, sample.task.classes
        if rows.is_empty():
            return
        for stage, column in sample.stages.items():
            by_class = per_class(rows["label"], rows[column], classes)
            predicted = np.bincount(sample.predictions[stage], minlength=len(classes))
            for name, count in zip(classes, predicted.tolist(), strict=True):
                yield from self._of_class(sample, stage, name, by_class[name], count)
        if len(sample.stages) == len(STAGES):
            for (stage, name, of_class), (low, high) in sample.bounds.items():
                if stage == DIFFERENCE and of_class is not None:
                    yield Figure(name, None, low, high, stage=stage, of_class=of_class)

    def _of_class(
        self, sample: Sample, stage: str, name: str, values: Metrics, predicted: int
    ) -> Iterator[Figure]:
        # Where nothing was divided by these counts a 0 is a convention, and not measured.
        support = int(values[SUPPORT])
        counts = {"precision": predicted, "recall": support, "F1": predicted + support}
        for figure in OF_CLASSES:
            low, high = sample.between(stage, figure, name)
            yield Figure(figure, values[figure], low, high, counts[figure], stage, name)
        yield Figure(SUPPORT, support, stage=stage, of_class=name, unit=ROWS)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the figures by stage and class, and their bounds under ``intervals``."""
        own = evaluation.of(self.name, group)
        if not own:
            return {}
        values: dict[str, dict[str, Any]] = {}
        for figure in own:
            if figure.stage != DIFFERENCE:
                stage = values.setdefault(str(figure.stage), {})
                stage.setdefault(str(figure.of_class), {})[figure.name] = figure.value
        document: dict[str, Any] = {"classes": values}
        if evaluation.drawn is not None:
            stages = (*evaluation.stages, DIFFERENCE) if len(values) > 1 else evaluation.stages
            document["intervals"] = {
                stage: {"classes": _bounds(evaluation, stage)} for stage in stages
            }
        return document

    def is_listed(self, figure: Figure) -> bool:
        """Leave the differences out, of which only the bounds are known."""
        return figure.stage != DIFFERENCE

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show a line for each class."""
        if not evaluation.of(self.name):
            return ()
        stages = evaluation.stages
        headings = [heading for stage in stages for heading in under(stage, [*OF_CLASSES])]
        rows = []
        for name in evaluation.task.classes:
            cells = [
                evaluation.text(figure, stage=stage, of_class=name)
                for stage in stages
                for figure in OF_CLASSES
            ]
            support = evaluation.value(SUPPORT, stage=stages[0], of_class=name)
            rows.append((short(name), *cells, str(support)))
        return (Table(("%", *headings, "rows"), tuple(rows)),)


def _bounds(evaluation: Evaluation, stage: str) -> Mapping[str, Any]:
    def bounds(name: str, of_class: str) -> list[float] | None:
        figure = evaluation.get(name, stage=stage, of_class=of_class)
        return None if figure is None else figure.bounds

    classes = evaluation.task.classes
    return {of_class: {name: bounds(name, of_class) for name in OF_CLASSES} for of_class in classes}
