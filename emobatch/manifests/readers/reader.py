"""What a manifest may be: the seam between forms of data sets and the job.

A new reader is a class in a file of its own and a line in
:data:`emobatch.manifests.readers.registry.READERS`.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from emobatch.tables.places import numbered

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)


class Reader(ABC):
    """Reads manifests of one form.

    Attributes:
        is_of_tables: whether it reads files of rows, so that all else is a mistake.
    """

    is_of_tables: ClassVar[bool] = False

    def __init__(self, pattern: str | None = None) -> None:
        """Read as the user says.

        Args:
            pattern: which files of a folder, where the form goes by files.
        """
        self.pattern = pattern

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

    def place(self, source: str, row: int) -> str:
        """Say where a row is, for a message.

        Args:
            source: as the user named it, after :meth:`scan` has opened it.
            row: the row's number, from 0.

        Returns:
            Its line, with the file where there are several; its number where it has no line.
        """
        return numbered(row)


def where_first_is(source: str, path: str | None, folders: Sequence[Path]) -> Path:
    """Find the folder that a manifest's paths are relative to, where its form doesn't say.

    Args:
        source: the manifest, for a note.
        path: the first of its paths, None where there is none.
        folders: that it may be in, the likeliest first; the working folder comes last.

    Returns:
        The first of them that has the file. Where none has, the first of all.
    """
    if path is None or Path(path).is_absolute():
        return folders[0]
    for folder in (*folders, Path()):
        try:
            is_there = (folder / path).exists()
        except (OSError, ValueError):  # a name that none can have
            return folders[0]
        if is_there:
            if folder != folders[0]:
                where = "the working folder" if folder == Path() else folder
                log.info("note: %s: paths are relative to %s, where the first is", source, where)
            return folder
    return folders[0]
