"""What readers of JSON Lines have in common: a row of the manifest of each line's object."""

from __future__ import annotations

import gzip
import math
import zlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, TextIO

import polars as pl

from emobatch.errors import ManifestError, TableError
from emobatch.manifests.readers.reader import Reader, where_first_is
from emobatch.manifests.readers.spool import spooled
from emobatch.tables import json_lines
from emobatch.tasks.labels import nearest

FIRST = ("path", "id", "start", "end", "label", "speaker", "transcript")
# A line of more characters is no row of a manifest.
LONGEST = 1 << 24


class JsonReader(Reader):
    """Reads files that have an object for each clip, or several clips, on each line.

    Attributes:
        marks: keys that the first object has, by which the form is known.
        endings: of files' names.
        path_key: the key of the audio file.
    """

    marks: ClassVar[tuple[str, ...]]
    endings: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json")
    path_key: ClassVar[str]

    @abstractmethod
    def rows(self, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Make the manifest's rows of one object.

        Args:
            found: the object of a line.

        Yields:
            Values by column.

        Raises:
            ManifestError: if it makes no sense; the line is named by the caller.
        """

    def takes(self, source: str) -> bool:
        """Whether the first object has the keys of this form.

        Args:
            source: a file's name.

        Returns:
            True where it has.
        """
        if not source.lower().endswith(self.endings) or not Path(source).is_file():
            return False
        try:
            return set(self.marks) <= self._first(source).keys()
        except (TableError, OSError, UnicodeError):
            return False  # what is wrong with it is said by whoever reads it

    def scan(self, source: str) -> pl.LazyFrame:
        """Read the file.

        Args:
            source: its name.

        Returns:
            Its rows.

        Raises:
            TableError: if it can't be read; names the line.
        """
        if not Path(source).is_file():
            raise ManifestError("is a folder" if Path(source).is_dir() else "no such file")
        with _opened(source) as lines:
            return spooled((row for _, row in self._all_rows(lines)), FIRST)

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: the file's name.

        Returns:
            The file's own folder, or the working folder where the first path is only there.
        """
        return where_first_is(source, self._first_path(source), [Path(source).parent])

    def place(self, source: str, row: int) -> str:
        """Say where a row is, for a message.

        Args:
            source: the file's name.
            row: the row's number, from 0.

        Returns:
            The line whose object it is of.
        """
        with _opened(source) as lines:
            number, _ = next(islice(self._all_rows(lines), row, None))
        return f"line {number}"

    def _first_path(self, source: str) -> str | None:
        try:
            path = next(self.rows(self._first(source)))["path"]
        except (TableError, OSError, StopIteration):
            return None
        return str(path)

    def _first(self, source: str) -> dict[str, Any]:
        with _opened(source) as lines:
            return next((found for _, found in json_lines.objects(_checked(lines))), {})

    def _all_rows(self, lines: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
        # With the line's number.
        for number, found in json_lines.objects(_checked(lines)):
            try:
                for row in self.rows(found):
                    yield number, row
            except ManifestError as error:
                raise ManifestError(f"line {number}: {error}") from error


def _checked(lines: TextIO) -> Iterator[str]:
    while line := lines.readline(LONGEST):
        if len(line) == LONGEST:
            raise ManifestError("a line of more than 16 million characters; is it JSON Lines?")
        yield line


@contextmanager
def _opened(source: str) -> Iterator[TextIO]:
    opened = gzip.open if source.lower().endswith(".gz") else open
    try:
        with opened(source, "rt", encoding="utf-8", errors="replace") as lines:
            yield lines
    except (EOFError, zlib.error) as error:
        raise ManifestError(f"damaged: {error}; write it again") from error


def text(found: Mapping[str, Any], key: str) -> str:
    """Look up text that has to be there.

    Args:
        found: an object.
        key: what to look up.

    Returns:
        The text.

    Raises:
        ManifestError: if it isn't there, or is no text; names the nearest key.

    Examples:
        >>> text({"audio_file": "a.wav"}, "audio_filepath")
        Traceback (most recent call last):
        emobatch.errors.ManifestError: no 'audio_filepath'; did you mean 'audio_file'? its keys \
are audio_file
    """
    if key not in found:
        near = nearest(key, found)
        meant = f"did you mean {near!r}? " if near else ""
        raise ManifestError(f"no {key!r}; {meant}its keys are {', '.join(found) or 'none'}")
    value = found[key]
    if not isinstance(value, str):
        raise ManifestError(f"{key!r} is {value!r}, no text"[:200])
    return value


def seconds(found: Mapping[str, Any], key: str) -> float | None:
    """Look up a time.

    Args:
        found: an object.
        key: what to look up.

    Returns:
        Seconds, None where there are none.

    Raises:
        ManifestError: if it is no number.

    Examples:
        >>> seconds({"offset": 2}, "offset"), seconds({"offset": None}, "offset")
        (2.0, None)
    """
    value = found.get(key)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or abs(value) > 1e12 or not math.isfinite(value):
        raise ManifestError(f"{key!r} is {str(value)[:40]!r}, no number of seconds")
    return float(value)


def others(found: Mapping[str, Any], taken: set[str], row: Mapping[str, Any]) -> dict[str, Any]:
    """What is carried through under its own name.

    Args:
        found: an object.
        taken: keys that were read.
        row: columns that have a value already, or none that a key of that name may take.

    Returns:
        The others by name.
    """
    return {key: value for key, value in found.items() if key not in taken and key not in row}


def ended(start: float | None, duration: float | None) -> float | None:
    """Where a segment ends.

    Args:
        start: seconds, None for the file's beginning.
        duration: seconds, None for all the rest.

    Returns:
        Seconds, to a tenth of a millisecond's tenth, so that ids are short.

    Examples:
        >>> ended(0.1, 0.2)
        0.3
    """
    return None if duration is None else round((start or 0.0) + duration, 5)
