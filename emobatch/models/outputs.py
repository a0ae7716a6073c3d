"""What a model's outputs stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Outputs:
    """A model's outputs, each of which stands for a class or an attribute, or is dropped.

    Attributes:
        classes: (outputs,) index of the class of each output, None where it is none.
        count: number of classes.
        attributes: places of outputs that are read as they are, as attributes.
    """

    classes: Sequence[int | None]
    count: int
    attributes: tuple[int, ...] = ()

    @property
    def reached(self) -> set[int]:
        """Indices of the classes that some output stands for.

        Examples:
            >>> sorted(Outputs([2, None, 0], 4).reached)
            [0, 2]
        """
        return {place for place in self.classes if place is not None}
