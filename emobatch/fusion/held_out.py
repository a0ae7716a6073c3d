"""Rows held out of a fit, to test methods on; nothing of their labels reaches a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from emobatch.fusion.method import Method
from emobatch.tasks.labels_read import LABEL
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class HeldOut:
    """The rows of one table: those that methods are fitted on, those that test, and the others.

    Attributes:
        fitted_on: labelled and scored.
        tested: the same, of other rows.
        others: scored rows that are neither.
    """

    fitted_on: pl.DataFrame
    tested: pl.DataFrame
    others: pl.DataFrame

    @cached_property
    def unlabelled(self) -> pl.DataFrame:
        """All rows but those that are fitted on, without labels; first those that test."""
        return _without_labels(pl.concat([self.tested, self.others]))

    def fit(self, kind: type[Method], task: Task, options: Mapping[str, Any]) -> Method:
        """Fit a method.

        Args:
            kind: the method; one that uses unlabelled rows gets all others without labels.
            task: the classes.
            options: of the method.

        Returns:
            The method, fitted.

        Raises:
            CalibrationError: if it can't be fitted on these rows.
        """
        rows = self.fitted_on
        if kind.uses_unlabelled:
            rows = pl.concat([rows, self.unlabelled])
        return kind.fit(rows, task, **options)

    def decide(self, method: Method) -> pl.DataFrame:
        """Decide the rows that test.

        Args:
            method: as fitted; one whose rows depend on each other decides the whole table.

        Returns:
            The rows that test, in order, with what the method adds and without labels.
        """
        test = len(self.tested)
        if not method.whole_table:
            return method.decide(self.unlabelled[:test].lazy()).collect()
        whole = pl.concat([self.unlabelled, _without_labels(self.fitted_on)])
        return method.decide(whole.lazy()).collect()[:test]


def _without_labels(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.lit(None, rows.schema[LABEL]).alias(LABEL))
