"""How right the predictions are of the rows that the speech branch is surest of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from emobatch.evaluation.figure import BEFORE, Figure
from emobatch.evaluation.layout import Table
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.reliability import risk_coverage, risk_coverage_area
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample

AREA = "risk_coverage_area"
KEPT = "WA"
COVERAGES = range(100, 0, -10)


class RiskCoverage(Measure):
    """Accuracy by the share of rows kept, those of least entropy, and the area of risk."""

    name = "risk_coverage"
    title = "accuracy of the surest rows"
    columns = ("entropy",)

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the accuracy of ever fewer rows."""
        if sample.scored.is_empty() or BEFORE not in sample.stages:
            return
        entropy = sample.scored["entropy"].to_numpy()
        for stage in sample.stages:
            right = sample.predictions[stage] == sample.labels
            area = round(risk_coverage_area(entropy, right), 2)
            yield Figure(AREA, area, rows=len(right), stage=stage)
            curve = risk_coverage(entropy, right)
            shares = curve["coverage"].to_numpy()
            # As few of the most certain rows as make at least that share; equal ones stay together.
            least = np.array(COVERAGES) / 100 - 1e-12
            for at in dict.fromkeys(np.searchsorted(shares, least).tolist()):
                share, accuracy = curve.row(at)
                kept = round(share * len(right))
                value, coverage = round(100 * accuracy, 2), round(100 * share, 2)
                yield Figure(KEPT, value, rows=kept, stage=stage, coverage=coverage)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the areas, and the accuracy of each stage by coverage."""
        if not evaluation.of(self.name, group):
            return {}
        stages = evaluation.stages
        areas = {stage: evaluation.value(AREA, stage=stage) for stage in stages}
        points = [
            {
                "coverage": at,
                **{stage: evaluation.value(KEPT, stage=stage, coverage=at) for stage in stages},
            }
            for at in _coverages(evaluation)
        ]
        return {self.name: {"by": "entropy", "area": areas, "points": points}}

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show accuracy by coverage."""
        if not evaluation.of(self.name):
            return ()
        coverages = _coverages(evaluation)
        headings = [f"{coverage:.0f}" for coverage in coverages]
        rows = []
        for stage in evaluation.stages:
            values = [evaluation.value(KEPT, stage=stage, coverage=at) for at in coverages]
            rows.append((f"{KEPT} {stage}", *(f"{value:.1f}" for value in values)))
        return (Table(("rows of least\nentropy, %", *headings), tuple(rows)),)


def _coverages(evaluation: Evaluation) -> list[float]:
    figures = evaluation.of("risk_coverage")
    return list(dict.fromkeys(each.coverage for each in figures if each.coverage is not None))
