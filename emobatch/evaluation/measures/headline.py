"""UA, WA and macro F1, before and after fusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from emobatch.evaluation.figure import AFTER, BEFORE, BY_JUDGE, DIFFERENCE, FUSED, STAGES, Figure
from emobatch.evaluation.layout import Table, under
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import HEADLINE, metrics
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample

# From the speech branch to the final emotion, and from fusion to the review.
MOVED = (DIFFERENCE, BY_JUDGE)


class Headline(Measure):
    """The figures that predictions are judged by, and how far fusion moved them."""

    name = "headline"
    title = "UA, WA and macro F1"
    by_group = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the predictions of each stage."""
        rows = sample.scored
        if rows.is_empty():
            return
        by_stage = {
            stage: metrics(rows["label"], rows[column], sample.task.classes)
            for stage, column in sample.stages.items()
        }
        if len(by_stage) == len(STAGES) and sample.group is None:
            # Of the figures as they are printed, so that a reader who subtracts them agrees.
            by_stage[DIFFERENCE] = {
                name: round(by_stage[AFTER][name] - by_stage[BEFORE][name], 2) for name in HEADLINE
            }
        for stage, values in by_stage.items():
            for name, value in values.items():
                yield Figure(name, value, *sample.between(stage, name), len(rows), stage)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the figures by stage, and their bounds under ``intervals``."""
        stages: dict[str, dict[str, Any]] = {stage: {} for stage in evaluation.stages}
        bounds: dict[str, dict[str, Any]] = {}
        for figure in evaluation.of(self.name, group):
            stage = str(figure.stage)
            stages.setdefault(stage, {})[figure.name] = figure.value
            bounds.setdefault(stage, {})[figure.name] = figure.bounds
        shown = evaluation.drawn is not None and group is None
        return {**stages, **({"intervals": bounds} if shown else {})}

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show the figures by stage, each with its interval beneath."""
        rows = []
        for stage in (BEFORE, FUSED, AFTER, *MOVED):  # two of them only where it is judged
            figures = [evaluation.get(name, stage=stage) for name in HEADLINE]
            known = [figure for figure in figures if figure is not None]
            if known:
                shape = "+.2f" if stage in MOVED else ".2f"
                rows.append((stage, *(format(figure.value, shape) for figure in known)))
                if evaluation.drawn is not None:
                    rows.append(("  95 %", *(figure.span() for figure in known)))
        return (Table(("%", *HEADLINE), tuple(rows)),) if evaluation.stages else ()

    def by_groups(self, evaluation: Evaluation) -> Sequence[tuple[str, Sequence[str]]]:
        """Give each figure before and after, side by side."""
        groups, stages = evaluation.groups or (), evaluation.stages
        return [
            (heading, [evaluation.text(name, stage=stage, group=group) for group in groups])
            for name in HEADLINE
            for heading, stage in zip(under(name, stages), stages, strict=True)
        ]
