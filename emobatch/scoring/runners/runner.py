"""Where the chunks of a manifest are scored.

A new runner is a class in a file of its own and a line in
:data:`emobatch.scoring.runners.registry.RUNNERS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emobatch.scoring.work import Chunk, Work


class Runner(ABC):
    """Has chunks scored, and hands them on in order."""

    @abstractmethod
    def run(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        """Score chunks.

        Args:
            work: what is to be scored. Its recipe is opened where that happens, in another
                process or on another machine if need be; its chunks are read, and its progress is
                told, in this one.
            firsts: number of each chunk's first row.

        Yields:
            The chunks in the order of ``firsts``.

        Raises:
            EmobatchError: if models can't be loaded, or a device or a library is missing.
        """
