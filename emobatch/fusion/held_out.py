"""Rows held out of a fit, to test methods on; nothing of their labels reaches a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from emobatch.fusion import fit_and_decide
from emobatch.fusion.method import Method
from emobatch.splits.roles import TrainedOn
from emobatch.tasks.labels_read import LABEL
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class HeldOut:
    """The rows of one table: those that methods are fitted on, those that test, and the others.

    Attributes:
        fitted_on: labelled and scored.
        tested: the same, of other rows.
        others: scored rows that are neither; labels that they have are not looked at.
        trained_on: splits that the speech model was trained on; None where that is not known.
    """

    fitted_on: pl.DataFrame
    tested: pl.DataFrame
    others: pl.DataFrame
    trained_on: TrainedOn | None = None

    def fit(self, kind: type[Method], task: Task, options: Mapping[str, Any]) -> Method:
        """Fit a method.

        Args:
            kind: the method; one that goes by unlabelled rows gets those that test as such, too.
            task: the classes.
            options: of the method.

        Returns:
            The method, fitted.

        Raises:
            CalibrationError: if it can't be fitted on these rows.
        """
        others = pl.concat([self.tested, self.others])
        known = self.trained_on
        return fit_and_decide.fit(kind, self.fitted_on, others, task, trained_on=known, **options)

    def decide(self, method: Method) -> pl.DataFrame:
        """Decide the rows that test.

        Args:
            method: as fitted; one whose rows depend on each other is given the whole table.

        Returns:
            The rows that test, in order and without labels, with what the method adds.
        """
        others = pl.concat([self.fitted_on, self.others]).drop(LABEL)
        return fit_and_decide.decide(method, self.tested.drop(LABEL), others)
