"""Tables: CSV, TSV, Parquet or JSON Lines by extension; ``-`` is CSV on standard input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emobatch.manifests.readers.reader import Reader
from emobatch.tables import reading
from emobatch.tables.places import Places, numbered

# Columns that hold numbers: seconds.
SECONDS = ("start", "end")


class TableReader(Reader):
    """Reads tables, the columns of text formats as they are written."""

    is_of_tables = True
    _places: Places = staticmethod(numbered)  # of what was scanned last

    def takes(self, source: str) -> bool:
        """Whether the extension is a table's.

        Args:
            source: a file's name, or ``-``.

        Returns:
            True where it is.

        Examples:
            >>> TableReader().takes("clips.csv"), TableReader().takes("wav.scp")
            (True, False)
        """
        return (
            source == reading.STANDARD_STREAM or Path(source).suffix.lower() in reading.EXTENSIONS
        )

    def scan(self, source: str) -> pl.LazyFrame:
        """Open the table.

        Args:
            source: a file's name, or ``-``.

        Returns:
            Its rows; text that isn't UTF-8 has a replacement character for each wrong byte.

        Raises:
            TableError: if it can't be read, or a number in it isn't one.
        """
        rows, self._places = reading.scan_with_places(source, seconds_of, lossy=True)
        return rows

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: a file's name, or ``-``.

        Returns:
            The folder that it is in, the working folder for standard input.
        """
        return Path() if source == reading.STANDARD_STREAM else super().root(source)

    def place(self, source: str, row: int) -> str:
        """Say where a row is, for a message.

        Args:
            source: a file's name, or ``-``, that was scanned.
            row: the row's number, from 0.

        Returns:
            The line at which it begins; its number in Parquet.
        """
        return self._places(row)


def seconds_of(names: Sequence[str]) -> list[str]:
    """Say which columns of a manifest hold numbers.

    Args:
        names: of all its columns.

    Returns:
        Those that do.

    Examples:
        >>> seconds_of(["path", "end", "speaker"])
        ['end']
    """
    return [name for name in names if name in SECONDS]
