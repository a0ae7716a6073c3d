"""What methods have in common that fit nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import polars as pl

from emobatch.fusion.checks import check_names
from emobatch.fusion.method import Method
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Unfitted(Method):
    """A method that is the same whatever rows it is given to be fitted on.

    Attributes:
        task: the classes.
    """

    task: Task

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit nothing.

        Args:
            rows: any.
            task: the classes.
            options: none.

        Returns:
            The method.
        """
        return cls(task)

    def to_document(self) -> dict[str, Any]:
        """Say what was fitted: nothing."""
        return {}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        """Read a file that names this method.

        Args:
            document: nothing but ``fitted``.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: if there is anything else in it.
        """
        check_names(document, ("fitted",), "the file")
        return cls(task)
