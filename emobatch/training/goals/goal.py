"""What every goal is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


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
        """Columns of rows that targets are made of, once they are read."""

    @abstractmethod
    def read(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Read what is to be learned of rows.

        Args:
            rows: of a manifest.

        Returns:
            The rows with :attr:`columns`, null where a row doesn't say.

        Raises:
            EmobatchError: if a column is missing, or holds what makes no sense.
        """

    def counts(self, rows: pl.DataFrame) -> dict[str, int]:
        """How many rows there are of each class.

        Args:
            rows: as :meth:`read` gave them.

        Returns:
            By class, in order; nothing where no classes are learned.
        """
        return {}

    @abstractmethod
    def told(self, rows: pl.DataFrame) -> str:
        """Say in short what is to be learned of rows.

        Args:
            rows: as :meth:`read` gave them.

        Returns:
            Part of a line.
        """

    @abstractmethod
    def check(self, train: pl.DataFrame, val: pl.DataFrame) -> None:
        """Refuse rows of which nothing can be learned, or by which no epoch is the best.

        Args:
            train: rows that are trained on, as :meth:`read` gave them.
            val: rows that validate.

        Raises:
            LabelError: says what is missing.
        """

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
