"""The files of a corpus, found wherever below its folder they are."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.mistaken import AUDIO
from emobatch.tables.decoded import decoded
from emobatch.tasks.labels import nearest


class Files:
    """All files below a folder, walked once.

    Attributes:
        folder: of the corpus; an owner's archive may have one more in it, or lack one.
    """

    def __init__(self, folder: Path) -> None:
        """Look at a corpus.

        Args:
            folder: its folder.
        """
        self.folder = folder

    @cached_property
    def names(self) -> list[str]:
        """Paths relative to the folder, with / between folders, sorted; hidden files left out."""
        found = []
        for place, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(place).relative_to(self.folder).as_posix()
            before = "" if below == "." else f"{below}/"
            found += [before + name for name in files if not name.startswith(".")]
        return sorted(found)

    @cached_property
    def audio(self) -> list[str]:
        """Those that are called as audio is."""
        return [name for name in self.names if Path(name).suffix.lower() in AUDIO]

    @cached_property
    def by_stem(self) -> dict[str, str]:
        """Audio by its name without folder and ending; the first where there are several."""
        found: dict[str, str] = {}
        for name in self.audio:
            found.setdefault(Path(name).stem, name)
        return found

    def called(self, *names: str) -> list[str]:
        """Find files by name.

        Args:
            names: in any case, without folders.

        Returns:
            Their paths.
        """
        wanted = {name.lower() for name in names}
        return sorted(path for name in wanted for path in self._by_name.get(name, ()))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        # A corpus of conversations asks for the transcript of each.
        found: dict[str, list[str]] = {}
        for path in self.names:
            found.setdefault(path.rpartition("/")[2].lower(), []).append(path)
        return found

    def one(self, *names: str) -> str:
        """Find the one file that a corpus goes by.

        Args:
            names: it may have, in any case.

        Returns:
            Its path.

        Raises:
            ManifestError: if there is none.
        """
        found = self.called(*names)
        if not found:
            raise ManifestError(f"no {' or '.join(names)} in it; give the corpus's own folder")
        return found[0]

    def text(self, name: str, others: Sequence[str] = ("cp1252",)) -> str:
        """Read a text file, whatever its owner wrote it with.

        Args:
            name: its path.
            others: encodings to try where it isn't UTF-8 and has no mark of UTF-16.

        Returns:
            The text; where none fits, with a replacement character for each wrong byte.
        """
        return decoded((self.folder / name).read_bytes(), others)

    def lines(self, name: str, others: Sequence[str] = ("cp1252",)) -> Iterator[tuple[int, str]]:
        """Read a text file's lines.

        Args:
            name: its path.
            others: see :meth:`text`.

        Yields:
            Those that aren't blank, with their number from 1, without blanks around them.
        """
        for number, line in enumerate(self.text(name, others).splitlines(), start=1):
            if line.strip():
                yield number, line.strip()

    def records(self, name: str, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
        """Read a CSV file's rows.

        Args:
            name: its path.
            needed: columns that it has to have.

        Yields:
            The line at which a row begins, from 1, and its values by column.

        Raises:
            ManifestError: if it is no CSV, lacks a column, or a row has fewer values than needed.
        """
        rows = csv.reader(self.text(name).splitlines(keepends=True))
        try:
            columns = next(rows, [])
            for column in needed:
                if column not in columns:
                    near = nearest(column, columns)
                    meant = f"did you mean {near!r}? " if near else ""
                    has = ", ".join(columns) or "none"
                    raise ManifestError(f"{name}: no column {column!r}; {meant}its columns: {has}")
            line = rows.line_num + 1
            for row in rows:
                found = dict(zip(columns, row, strict=False))
                missing = [column for column in needed if column not in found]
                if row and missing:
                    raise ManifestError(
                        f"{name}: line {line}: ends before {missing[0]!r}; unpack it again"
                    )
                if row:
                    yield line, found
                line = rows.line_num + 1
        except csv.Error as error:
            raise ManifestError(f"{name}: line {rows.line_num}: no CSV: {error}") from error
