"""How often the text branch was asked, and how often it was not heard.

Of rows that a language model reviewed afterwards, this is what fusion had decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from emobatch.evaluation.figure import ROWS, STAGES, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.tables.judged import unjudged

CHANGED = "changed"


class Decided(Measure):
    """Rows that were flagged, and those of which the change is excluded."""

    name = "decided"
    title = "decisions"
    columns = ("flagged", "decided_by")

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Count flagged, changed and reverted rows, where the method flags."""
        rows = unjudged(sample.scored)
        if rows.is_empty() or rows.schema.get("flagged") != pl.Boolean:
            return
        columns = [pl.col(name) for name in STAGES.values() if name in rows.columns]
        if "decided_by" in rows.columns and columns:
            counts = {
                "flagged": pl.col("flagged"),
                CHANGED: columns[0] != columns[-1],
                "reverted": pl.col("decided_by").cast(pl.String) == "reverted",
            }
            for name, which in counts.items():
                count = rows.select(which.sum()).item()
                yield Figure(name, int(count), rows=len(rows), unit=ROWS)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give ``flagged`` and ``reverted``."""
        own = evaluation.of(self.name, group)
        return {figure.name: figure.value for figure in own if self.is_listed(figure)}

    def is_listed(self, figure: Figure) -> bool:
        """Leave out the changes, which stand among those of each class."""
        return figure.name != CHANGED

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Say how many were flagged and what came of them."""
        if not evaluation.of(self.name):
            return ()
        flagged, changed, reverted = (
            evaluation.text(name) for name in ("flagged", CHANGED, "reverted")
        )
        return (f"{flagged} rows flagged: {changed} changed, {reverted} reverted",)
