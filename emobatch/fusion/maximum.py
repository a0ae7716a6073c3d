"""Late fusion by the surer branch: a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from emobatch.fusion.checks import check_names
from emobatch.fusion.evidence import Floats
from emobatch.fusion.pooling import Pooling
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Maximum(Pooling):
    """Takes the class to which either branch gives the highest probability.

    Kittler, Hatef, Duin and Matas, *On Combining Classifiers* (1998), the max rule.

    Attributes:
        task: the classes.
    """

    name = "max"
    header = "Each class has the higher of the probabilities that the two branches give it."
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

    def pool(self, speech: Floats, text: Floats) -> Floats:
        """Take the higher probability of each class.

        Args:
            speech: (rows, known classes).
            text: (rows, known classes).

        Returns:
            (rows, known classes) between 0 and 1.

        Examples:
            >>> method = Maximum(Task.of(["sad", "happy"]))
            >>> method.pool(np.array([[0.6, 0.4]]), np.array([[0.1, 0.9]])).tolist()
            [[0.6, 0.9]]
        """
        return np.maximum(speech, text)

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
