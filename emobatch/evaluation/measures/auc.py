"""Area under the ROC curve of each class against the rest, and their mean (Pepino et al., 2020)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.evaluation.figure import AFTER, BEFORE, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import Indices
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.tables.score_columns import FINAL

AREA = "AUC"


class Area(Measure):
    """Mean area under the ROC curve, one class against the rest, where there are probabilities."""

    name = "auc"
    title = "area under the ROC curve, one class against the rest"

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the probabilities of each stage that has them in all rows."""
        columns = {
            BEFORE: sample.task.speech_columns,
            AFTER: [f"{FINAL}{name}" for name in sample.task.classes],
        }
        for stage, names in columns.items():
            rows = sample.scored
            if stage not in sample.stages or not set(names) <= set(rows.columns):
                continue
            if rows.is_empty() or rows.select(names).null_count().sum_horizontal().item():
                continue
            areas = class_areas(rows.select(names).to_numpy(), sample.labels)
            known = [area for area in areas if area is not None]
            mean = round(float(np.mean(known)), 2) if known else None
            yield Figure(AREA, mean, rows=len(rows), stage=stage)
            for name, area in zip(sample.task.classes, areas, strict=True):
                value = None if area is None else round(area, 2)
                yield Figure(AREA, value, rows=len(rows), stage=stage, of_class=name)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the mean and each class's area by stage."""
        found: dict[str, Any] = {}
        for figure in evaluation.of(self.name, group):
            stage = found.setdefault(str(figure.stage), {"classes": {}})
            if figure.of_class is None:
                stage["mean"] = figure.value
            else:
                stage["classes"][figure.of_class] = figure.value
        return {self.name: found} if found else {}

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Name the mean of each stage."""
        means = [each for each in evaluation.of(self.name) if each.of_class is None]
        texts = ", ".join(f"{each.stage} {each.text()}" for each in means)
        return (f"{AREA}, one class against the rest, %: {texts}",) if means else ()


def class_areas(probabilities: NDArray[np.float64], labels: Indices) -> list[float | None]:
    """Area under the ROC curve of each class against the rest.

    It is the chance that a row of the class has a higher probability of it than one of the rest;
    of equals, half.

    Args:
        probabilities: (rows, classes).
        labels: (rows,) index of each row's class.

    Returns:
        In percent, None for a class that no row or every row has.

    Examples:
        >>> class_areas(np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]), np.array([0, 1, 1]))
        [100.0, 100.0]
    """
    from sklearn.metrics import roc_auc_score

    found: list[float | None] = []
    for number, column in enumerate(probabilities.T):
        mine = labels == number
        is_both = mine.any() and not mine.all()
        found.append(100 * float(roc_auc_score(mine, column)) if is_both else None)
    return found
