"""What a manifest may be: the seam between forms of data sets and the job.

A new reader is a class in a file of its own and a line in
:data:`emobatch.manifests.readers.registry.READERS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import polars as pl


class Reader(ABC):
    """Reads manifests of one form.

    Attributes:
        is_of_tables: whether it reads files of rows and nothing else, so that a folder, a pattern
            or an audio file is a mistake.
    """

    is_of_tables: ClassVar[bool] = False

    @abstractmethod
    def takes(self, source: str) -> bool:
        """Whether a source looks like this form.

        Args:
            source: as the user named it: a file, a folder, or ``-``.

        Returns:
            True where :meth:`scan` should read it.
        """

    @abstractmethod
    def scan(self, source: str) -> pl.LazyFrame:
        """Open a manifest; its rows are read when they are needed.

        Args:
            source: as the user named it.

        Returns:
            Rows with ``path``, and maybe ``id``, ``start`` and ``end`` (seconds), ``transcript``,
            and whatever else is to be carried through.

        Raises:
            TableError: if it can't be read.
        """

    def root(self, source: str) -> Path:
        """Say what paths are relative to, unless the user does.

        Args:
            source: as the user named it.

        Returns:
            The folder that it is in.
        """
        return Path(source).parent
