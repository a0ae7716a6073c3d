"""Which emotions fusion changed into which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from emobatch.evaluation.figure import AFTER, BEFORE, ROWS, STAGES, Figure
from emobatch.evaluation.layout import Table, short
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.evaluation.transitions import transitions

COUNTS = ("rows", "better", "worse", "neither")
PREFIX = "transition_"
# Of many classes; the table of figures has them all.
MOST_SHOWN = 20


class Transitions(Measure):
    """Rows by what their emotion was changed from and to, and whether for the better."""

    name = "transitions"
    title = "changes"

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Count the changes that occur."""
        rows = sample.scored
        if rows.is_empty() or len(sample.stages) < len(STAGES):
            return
        before, after = rows[STAGES[BEFORE]], rows[STAGES[AFTER]]
        counts = transitions(rows["label"], before, after, sample.task.classes)
        for change in counts.iter_rows(named=True):
            for name in COUNTS:
                yield Figure(
                    PREFIX + name, change[name], rows=change["rows"], of_class=change["from"],
                    to=change["to"], unit=ROWS,
                )  # fmt: skip

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the changes in order of the classes."""
        if len(evaluation.stages) < len(STAGES) or not evaluation.rows:
            return {}
        return {self.name: changes(evaluation)}

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show a line for each change, of very many the largest."""
        every = changes(evaluation)
        if not every:
            return ()
        shown = every
        if len(every) > MOST_SHOWN:
            shown = sorted(every, key=lambda change: -change["rows"])[:MOST_SHOWN]
        others = len(every) - len(shown)
        left = sum(change["rows"] for change in every) - sum(change["rows"] for change in shown)
        rows = [
            (
                f"{short(change['from'])} → {short(change['to'])}",
                *(str(change[name]) for name in COUNTS),
            )
            for change in shown
        ]
        note = f"and {others} other changes, of {left} rows" if others else ""
        return (Table(("changed", *COUNTS), tuple(rows), note),)


def changes(evaluation: Evaluation) -> list[dict[str, Any]]:
    """What was changed into what.

    Args:
        evaluation: what was measured.

    Returns:
        For each change ``from``, ``to``, ``rows``, ``better``, ``worse`` and ``neither``.
    """
    pairs = groupby(evaluation.of("transitions"), key=lambda each: (each.of_class, each.to))
    return [
        {"from": pair[0], "to": pair[1]}
        | {figure.name.removeprefix(PREFIX): figure.value for figure in figures}
        for pair, figures in pairs
    ]
