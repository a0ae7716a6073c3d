"""Late fusion by a weighted mean of log-probabilities: a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from emobatch.errors import ThresholdsError
from emobatch.evaluation.metrics import metrics
from emobatch.fusion import evidence
from emobatch.fusion.checks import check_names, is_number
from emobatch.fusion.description import Section, Table, Value
from emobatch.fusion.evidence import LEAST, Floats
from emobatch.fusion.pooling import Pooling
from emobatch.tasks.task import Task

# Of the text branch.
WEIGHTS = tuple(round(0.05 * step, 2) for step in range(21))


@dataclass(frozen=True)
class Average(Pooling):
    """Takes the class of the highest weighted mean of both branches' log-probabilities.

    Attributes:
        task: the classes.
        weight: of the text branch, 0 to 1; the speech branch has the rest.
    """

    name = "average"
    header = (
        "Each class has (1 - weight) ln p(speech) + weight ln p(text); the likeliest one is taken."
    )
    task: Task
    weight: float = 0.5

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Choose the weight of the highest UA; of equals the one that trusts text least.

        Args:
            rows: labelled and scored.
            task: the classes.
            options: none.

        Returns:
            The method.
        """
        speech, text = evidence.speech(rows, task), evidence.text_of_classes(rows, task)
        names = np.array(task.classes, dtype=object)

        def average_recall(weight: float) -> float:
            found = cls(task, weight).pooled(speech, text).argmax(axis=1)
            emotions = pl.Series(names[found].tolist(), dtype=pl.String)
            return metrics(rows["label"], emotions, task.classes)["UA"]

        return cls(task, max(WEIGHTS, key=average_recall))

    def pool(self, speech: Floats, text: Floats) -> Floats:
        """Take the weighted geometric mean of each class's probabilities.

        Args:
            speech: (rows, known classes).
            text: (rows, known classes).

        Returns:
            (rows, known classes) above 0.

        Examples:
            >>> method = Average(Task.of(["sad", "happy"]), weight=0.5)
            >>> method.pool(np.array([[0.4, 0.6]]), np.array([[0.9, 0.1]])).round(2).tolist()
            [[0.6, 0.24]]
        """
        logs = (1 - self.weight) * np.log(np.clip(speech, LEAST, None))
        return np.asarray(np.exp(logs + self.weight * np.log(np.clip(text, LEAST, None))))

    def needs_text(self) -> pl.Expr:
        """Say that any row's emotion can depend on the text branch, unless that has no weight."""
        heard = pl.col(self.task.speech_columns[0]).is_not_null()
        return heard if self.weight else pl.when(heard).then(pl.lit(False))

    def to_document(self) -> dict[str, Any]:
        """Lay the weight out."""
        return {"average": {"weight": self.weight}}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        """Read the weight.

        Args:
            document: what :meth:`to_document` gave, maybe edited by hand.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: names what is misspelt, missing or out of range.
        """
        check_names(document, ("average", "fitted"), "the file")
        section = document.get("average", {})
        check_names(section, ("weight",), "[average]")
        weight = section.get("weight")
        if not is_number(weight) or not 0 <= weight <= 1:
            raise ThresholdsError(f"average.weight is {weight!r}; a number from 0 to 1 is wanted")
        return cls(task, float(weight))

    def describe(self) -> Sequence[Section]:
        """Show the weight."""
        rows = (("text", Value(self.weight)), ("speech", Value(1 - self.weight)))
        return [Section("Weights", (Table("Of log-probabilities", ("branch", "weight"), rows),))]
