"""Whether predictions after fusion are better than before on the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from emobatch.evaluation.figure import AFTER, BEFORE, PLAIN, ROWS, STAGES, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.paired_test import TEST, mcnemar
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample

PREFIX = "mcnemar_"


class PairedTest(Measure):
    """McNemar's test of after against before."""

    name = "paired_test"
    title = "paired test"
    beside_headline = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Test the predictions of both stages against each other."""
        if sample.scored.is_empty() or len(sample.stages) < len(STAGES):
            return
        before, after = (sample.predictions[stage] == sample.labels for stage in (BEFORE, AFTER))
        tested = mcnemar(before, after)
        pairs = int(tested["better"] + tested["worse"])
        for name, value in tested.items():
            unit, rows = (PLAIN, len(sample.scored)) if name == "p" else (ROWS, None)
            yield Figure(PREFIX + name, value, rows=pairs if rows is None else rows, unit=unit)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the test's name and what came of it."""
        figures = evaluation.of(self.name, group)
        values = {figure.name.removeprefix(PREFIX): figure.value for figure in figures}
        return {self.name: {"name": TEST, **values}} if values else {}

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Say how many rows got better and worse, and how likely that is by chance."""
        if not evaluation.of(self.name):
            return ()
        better, worse, p = (evaluation.value(PREFIX + name) for name in ("better", "worse", "p"))
        return (f"{TEST}: {better} better, {worse} worse, p = {p:.3g} (takes rows as independent)",)
