"""What was found in one fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emobatch.crossval.outcomes import Outcomes
from emobatch.evaluation.metrics import Metrics
from emobatch.fusion.method import Method


@dataclass(frozen=True)
class FoldFigures:
    """One fold.

    Attributes:
        rows: how many test.
        fitted_on: how many rows the methods were fitted on.
        outcomes: what each method made of the rows that test.
        methods: as fitted, by name.
        ids: which rows they were fitted on, None where rows have no ids.
        in_sample: how many rows that test have the id of one that was fitted on, None as well.
        shuffled: figures with text shuffled, by method and draw, where these were asked for.
    """

    rows: int
    fitted_on: int
    outcomes: Outcomes
    methods: Mapping[str, Method]
    ids: Mapping[str, Any] | None = None
    in_sample: int | None = None
    shuffled: Mapping[str, Sequence[Metrics]] = field(default_factory=dict)

    @property
    def figures(self) -> Mapping[str, Metrics]:
        """UA, WA and F1 in percent on the rows that test, by method."""
        return self.outcomes.figures

    @property
    def flagged(self) -> Mapping[str, int | None]:
        """How many of these rows each method flags, None for one that flags none."""
        return self.outcomes.flagged
