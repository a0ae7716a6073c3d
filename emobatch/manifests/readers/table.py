"""Tables: CSV, TSV, Parquet or JSON Lines by extension; ``-`` is CSV on standard input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emobatch.manifests.readers.reader import Reader
from emobatch.tables import reading

# Columns that hold numbers: seconds.
SECONDS = ("start", "end")


class TableReader(Reader):
    """Reads tables, the columns of text formats as they are written."""

    is_of_tables = True

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
        return reading.scan(source, seconds_of, lossy=True)

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: a file's name, or ``-``.

        Returns:
            The folder that it is in, the working folder for standard input.
        """
        return Path() if source == reading.STANDARD_STREAM else super().root(source)


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
