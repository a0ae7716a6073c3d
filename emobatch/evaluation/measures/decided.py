"""How often the text branch was asked, and how often it was not heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from emobatch.evaluation.figure import ROWS, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample


class Decided(Measure):
    """Rows that were flagged, and those of which the change is excluded."""

    name = "decided"
    title = "decisions"
    columns = ("flagged", "decided_by")

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Count flagged and reverted rows, where the method flags."""
        rows = sample.scored
        if rows.is_empty() or rows.schema.get("flagged") != pl.Boolean:
            return
        if "decided_by" in rows.columns:
            reverted = rows["decided_by"].cast(pl.String) == "reverted"
            yield Figure("flagged", int(rows["flagged"].sum()), rows=len(rows), unit=ROWS)
            yield Figure("reverted", int(reverted.sum()), rows=len(rows), unit=ROWS)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give ``flagged`` and ``reverted``."""
        return {figure.name: figure.value for figure in evaluation.of(self.name, group)}

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Say how many were flagged and what came of them."""
        if not evaluation.of(self.name):
            return ()
        changes = evaluation.of("transitions")
        changed = sum(each.value or 0 for each in changes if each.name == "transition_rows")
        flagged, reverted = (evaluation.text(name) for name in ("flagged", "reverted"))
        return (f"{flagged} rows flagged: {changed} changed, {reverted} reverted",)
