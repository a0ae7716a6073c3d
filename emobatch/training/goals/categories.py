"""The class of a row."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import LabelError, ManifestError
from emobatch.evaluation.metrics import class_indices, metrics
from emobatch.tasks.label_columns import read_labels
from emobatch.tasks.labels import parse_label_map
from emobatch.tasks.task import Task
from emobatch.training.goals.goal import Goal

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
LABEL = "label"
# What to do about labels outside the classes, beside mapping them.
OTHERS = (
    "leave rows out with --train-where and --val-where, name another column with --label-column, "
    "or give --classes that has them"
)
LEAST_PROBABILITY = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Categories(Goal):
    """A class of a task.

    Attributes:
        task: the classes.
        column: of labels.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
    """

    kind: ClassVar[str] = "single_label_classification"
    task: Task
    column: str = LABEL
    label_map: Sequence[str] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """The classes."""
        return tuple(self.task.classes)

    @property
    def columns(self) -> tuple[str, ...]:
        """The class, whatever the labels' column is called."""
        return (LABEL,)

    def read(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Read labels as every command does.

        Args:
            rows: of a manifest.

        Returns:
            The rows with ``label``, a class or null.

        Raises:
            ManifestError: if there is no such column.
            LabelError: if a label is outside the classes.
        """
        if self.column not in rows.columns:
            raise ManifestError(
                f"no column {self.column!r} of labels; name it with --label-column; the columns "
                f"are {', '.join(rows.columns)}"
            )
        labels = self.task.labels
        pairs = parse_label_map(self.label_map, labels)
        found, read = read_labels(rows[self.column], labels, pairs, OTHERS)
        log.warning("note: %s", read.note())
        return rows.with_columns(found.alias(LABEL))

    def counts(self, rows: pl.DataFrame) -> dict[str, int]:
        """How many rows there are of each class.

        Args:
            rows: with ``label``.

        Returns:
            By class, in order.
        """
        return {name: int((rows[LABEL] == name).sum()) for name in self.outputs}

    def told(self, rows: pl.DataFrame) -> str:
        """The number of rows of each class.

        Args:
            rows: with ``label``.

        Returns:
            As ``angry 3, sad 2``.
        """
        return ", ".join(f"{name} {count}" for name, count in self.counts(rows).items())

    def check(self, train: pl.DataFrame, val: pl.DataFrame) -> None:
        """Refuse classes of which there is no row; val may lack some.

        Args:
            train: rows that are trained on.
            val: rows that validate.

        Raises:
            LabelError: names the classes.
        """
        if missing := [name for name, count in self.counts(train).items() if not count]:
            raise LabelError(
                f"no row to train on is {' or '.join(missing)}; add some, or name the classes that "
                "there are with --classes"
            )

    def targets(self, rows: pl.DataFrame) -> NDArray[np.int64]:
        """Places of the labels among the classes.

        Args:
            rows: with ``label``.

        Returns:
            (rows,).
        """
        return class_indices(rows[LABEL], self.outputs, "labels").astype(np.int64)

    def results(self, logits: torch.Tensor) -> NDArray[np.float64]:
        """Probabilities: those that `score` gives.

        Args:
            logits: (rows, classes).

        Returns:
            (rows, classes); each row sums to one.
        """
        from emobatch.models.classifiers import class_probabilities

        count = len(self.outputs)
        return class_probabilities(logits, range(count), count)

    def figures(self, results: NDArray[np.float64], targets: NDArray[Any]) -> dict[str, float]:
        """UA, WA and macro F1 in percent, and the mean of -log p in nats.

        Args:
            results: (rows, classes) probabilities.
            targets: (rows,) places of classes.

        Returns:
            By name.

        Examples:
            >>> goal = Categories(Task.of(["happy", "sad"]))
            >>> goal.figures(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]))
            {'val_loss': 0.34657359027997264, 'UA': 100.0, 'WA': 100.0, 'F1': 100.0}
        """
        right = np.maximum(results[np.arange(len(targets)), targets], LEAST_PROBABILITY)
        labels, said = (
            pl.Series([self.outputs[place] for place in places])
            for places in (targets, results.argmax(axis=1))
        )
        return {"val_loss": float(-np.log(right).mean()), **metrics(labels, said, self.outputs)}

    def as_dict(self) -> dict[str, Any]:
        """The task."""
        return {"task": self.task.as_dict()}
