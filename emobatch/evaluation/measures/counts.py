"""How many rows the figures stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from emobatch.evaluation.figure import ROWS, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample


class Counts(Measure):
    """Labelled rows that have predictions, and those that were left out for want of them."""

    name = "counts"
    title = "rows"
    by_group = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Count the rows."""
        measured = len(sample.scored)
        yield Figure("rows", measured, unit=ROWS)
        if measured < len(sample.rows):
            yield Figure("left_out", len(sample.rows) - measured, unit=ROWS)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give ``rows``, and of all rows together how many were ``left_out``."""
        found = {figure.name: figure.value for figure in evaluation.of(self.name, group)}
        return found | {"left_out": found.get("left_out", 0)} if found and group is None else found

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Say nothing: the counts stand in the heading."""
        return ()

    def tables(self, evaluation: Evaluation) -> Sequence[Any]:
        """Show nothing: the counts stand in the heading."""
        return ()

    def by_groups(self, evaluation: Evaluation) -> Sequence[tuple[str, Sequence[str]]]:
        """Give the rows of each group."""
        groups = evaluation.groups or ()
        if not evaluation.of(self.name):
            return []
        return [("rows", [evaluation.text("rows", group=group) for group in groups])]
