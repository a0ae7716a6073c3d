"""What a model learns to say of a row: a class, or numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import ManifestError
from emobatch.evaluation.metrics import class_indices, metrics
from emobatch.tasks.task import Task

if TYPE_CHECKING:
    import torch

LEAST_PROBABILITY = np.finfo(np.float64).tiny


class Goal(ABC):
    """What is learned.

    Attributes:
        kind: as transformers calls it in ``config.json``.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """What the model's outputs stand for, in order."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Columns of rows that targets are made of."""

    @abstractmethod
    def targets(self, rows: pl.DataFrame) -> NDArray[Any]:
        """Make what the model should say of rows.

        Args:
            rows: with :attr:`columns`, none of them null.

        Returns:
            (rows,) or (rows, outputs).
        """

    @abstractmethod
    def results(self, logits: torch.Tensor) -> NDArray[np.float64]:
        """Make of a model's outputs what windows of a clip are averaged in.

        Args:
            logits: (rows, outputs).

        Returns:
            (rows, outputs) in double precision.
        """

    @abstractmethod
    def figures(self, results: NDArray[np.float64], targets: NDArray[Any]) -> dict[str, float]:
        """Measure what a model says.

        Args:
            results: (rows, outputs).
            targets: as of :meth:`targets`.

        Returns:
            ``val_loss``, and figures of which more is better.
        """

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """What is stored with the checkpoint."""


@dataclass(frozen=True)
class Categories(Goal):
    """A class of a task.

    Attributes:
        task: the classes.
    """

    kind: ClassVar[str] = "single_label_classification"
    task: Task

    @property
    def outputs(self) -> tuple[str, ...]:
        """The classes."""
        return tuple(self.task.classes)

    @property
    def columns(self) -> tuple[str, ...]:
        """Labels, read already."""
        return ("label",)

    def targets(self, rows: pl.DataFrame) -> NDArray[np.int64]:
        """Places of the labels among the classes.

        Args:
            rows: with ``label``.

        Returns:
            (rows,).
        """
        return class_indices(rows["label"], self.outputs, "labels").astype(np.int64)

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


@dataclass(frozen=True)
class Attributes(Goal):
    """Numbers: arousal, valence, dominance.

    Attributes:
        names: of them, which are columns of rows too.
    """

    kind: ClassVar[str] = "regression"
    names: tuple[str, ...]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The attributes."""
        return self.names

    @property
    def columns(self) -> tuple[str, ...]:
        """The attributes."""
        return self.names

    def targets(self, rows: pl.DataFrame) -> NDArray[np.float32]:
        """The numbers themselves.

        Args:
            rows: with a column for each attribute.

        Returns:
            (rows, attributes).
        """
        return rows.select(self.names).to_numpy().astype(np.float32)

    def results(self, logits: torch.Tensor) -> NDArray[np.float64]:
        """What the model says, as it is.

        Args:
            logits: (rows, attributes).

        Returns:
            (rows, attributes).
        """
        return np.asarray(logits.double().cpu().numpy(), np.float64)

    def figures(self, results: NDArray[np.float64], targets: NDArray[Any]) -> dict[str, float]:
        """The concordance of each attribute, their mean, and the sum of what they lack of 1.

        Args:
            results: (rows, attributes).
            targets: (rows, attributes).

        Returns:
            By name.
        """
        found = {
            name: concordance(results[:, place], targets[:, place].astype(np.float64))
            for place, name in enumerate(self.names)
        }
        values = list(found.values())
        each = {f"CCC_{name}": value for name, value in found.items()} if len(found) > 1 else {}
        return {
            "val_loss": float(sum(1 - value for value in values)),
            "CCC": float(np.mean(values)),
            **each,
        }

    def as_dict(self) -> dict[str, Any]:
        """The attributes."""
        return {"attributes": list(self.names)}


def concordance(said: NDArray[np.float64], wanted: NDArray[np.float64]) -> float:
    """Lin's concordance correlation coefficient, by population moments.

    Args:
        said: (rows,).
        wanted: (rows,).

    Returns:
        -1 to 1; 0 where nothing varies.

    Examples:
        >>> values = np.array([1.0, 2.0, 3.0])
        >>> round(concordance(values + 1, values), 4)
        0.5714
    """
    covariance = np.mean((said - said.mean()) * (wanted - wanted.mean()))
    whole = said.var() + wanted.var() + (said.mean() - wanted.mean()) ** 2
    return float(2 * covariance / whole) if whole else 0.0


def check_numbers(rows: pl.DataFrame, names: Sequence[str]) -> Mapping[str, pl.Series]:
    """Read columns of numbers that are learned.

    Args:
        rows: of a manifest.
        names: of the columns.

    Returns:
        By name; empty is null.

    Raises:
        ManifestError: if a column is missing, or holds what is no finite number.
    """
    found = {}
    for name in names:
        if name not in rows.columns:
            raise ManifestError(
                f"no column {name!r} to learn; the columns are {', '.join(rows.columns)}"
            )
        text = rows[name].cast(pl.String).str.strip_chars()
        values = text.replace("", None).cast(pl.Float64, strict=False)
        wrong = text.is_not_null() & (text != "") & ~values.is_finite().fill_null(value=False)
        if wrong.any():
            row = wrong.arg_max() or 0
            raise ManifestError(
                f"row {rows['id'][row]!r}: {name} is {rows[name][row]!r}, which is no finite "
                f"number; mend it, or leave it empty ({int(wrong.sum())} rows are like that)"
            )
        found[name] = values
    return found
