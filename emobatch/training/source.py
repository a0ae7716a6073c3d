"""Where a model's examples come from: rows of a length, read in parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.int64]


class Take(NamedTuple):
    """A part of a row.

    Attributes:
        row: its place.
        first: where the part begins, in samples or tokens.
        length: how long it is.
    """

    row: int
    first: int
    length: int


class Source(ABC):
    """Rows of one split, as examples for a model.

    Attributes:
        lengths: (rows,) samples or tokens.
        unit: how many of them are one of what ``--batch`` counts.
    """

    lengths: Lengths
    unit: int

    @abstractmethod
    def read(self, take: Take) -> NDArray[Any]:
        """Read a part of a row; called from several threads.

        Args:
            take: which.

        Returns:
            (count,) samples or tokens.
        """

    @abstractmethod
    def windows(self, row: int) -> list[Take]:
        """Cut a row as `score` does.

        Args:
            row: its place.

        Returns:
            All of it, in order.
        """

    def cropped(self, most: float) -> Lengths:
        """Say how long examples are that training is given.

        Args:
            most: units of a row that a step is given.

        Returns:
            (rows,) samples or tokens.
        """
        return np.minimum(self.lengths, round(most * self.unit))

    def crop(self, row: int, most: float, seed: tuple[int, int]) -> Take:
        """Take as much of a row as training is given, from a place drawn at random.

        Args:
            row: its place.
            most: units of it.
            seed: of the run, and the epoch's number: each epoch hears another part of a long row,
                whatever was drawn for others.

        Returns:
            A part of it.
        """
        length, count = int(self.lengths[row]), int(self.cropped(most)[row])
        left = length - count
        first = int(np.random.default_rng([*seed, row]).integers(left + 1)) if left else 0
        return Take(row, first, count)
