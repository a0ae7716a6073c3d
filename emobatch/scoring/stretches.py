"""Files of saved work: each a stretch of chunks that follow each other.

A chunk is a file of its own when it is saved. Files that follow each other are joined once they
have ``JOINED_ROWS`` rows: a hundred million rows are some 1,500 files then, and not 1.6 million.
What is there is listed once; afterwards it is known.
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from emobatch.errors import ResumeError, first_line
from emobatch.scoring.folder import refuse_foreign
from emobatch.tables.replacing import replacing
from emobatch.tables.writing import group_rows

# Rows of files that are joined into one.
JOINED_ROWS = 1 << 16
# Numbers of the first row and of the row after the last; earlier versions named the first alone.
NAME = re.compile(r"(\d{12,})(?:-(\d{12,}))?\.parquet")


@dataclass(frozen=True, order=True)
class Stretch:
    """Rows that follow each other, in one file.

    Attributes:
        first: number of the first of them.
        end: number of the row after the last.
        file: where they are.
    """

    first: int
    end: int
    file: Path = field(compare=False)

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.end - self.first


class Stretches:
    """The files of a folder that one run holds; used from one thread.

    A file whose rows another file has as well is left over from a run that was killed as it joined
    or split files, and is dropped. So at any instant every saved row counts once.
    """

    def __init__(self, folder: Path) -> None:
        """Know of nothing yet.

        Args:
            folder: where the files are.
        """
        self.folder = folder
        self._known: list[Stretch] | None = None
        self._added = JOINED_ROWS  # so that a folder of many files is joined at once

    @property
    def rows(self) -> int:
        """How many rows are saved."""
        return sum(stretch.rows for stretch in self._listed())

    def has(self, first: int) -> bool:
        """Whether a row is saved.

        Args:
            first: its number.

        Returns:
            True where it is.
        """
        known = self._listed()
        place = bisect_right(known, first, key=lambda stretch: stretch.first)
        return place > 0 and first < known[place - 1].end

    def add(self, first: int, frame: pl.DataFrame) -> None:
        """Save rows, wholly or not at all.

        Args:
            first: number of the first of them.
            frame: the rows.

        Raises:
            OutputError: if they can't be written.
            ResumeError: if a file that they are to be joined with is damaged.
        """
        known = self._listed()
        stretch = self._at(first, first + len(frame))
        with _written(stretch.file) as partial:
            frame.write_parquet(partial)
        insort(known, stretch)
        self._added += len(frame)
        if self._added >= JOINED_ROWS:
            self._added = 0
            for together in _to_be_joined(known):
                self._join(together)

    def files(self) -> list[Path]:
        """Name the files.

        Returns:
            All of them in order, none of them a link or another user's.
        """
        files = [stretch.file for stretch in self._listed()]
        for file in files:
            refuse_foreign(file)
        return files

    def drop_failed(self, chunk_rows: int) -> None:
        """Drop the chunks that have failed rows.

        Args:
            chunk_rows: rows to a chunk.

        Raises:
            OutputError: if what stays can't be written.
            ResumeError: if a file is damaged.
        """
        kept: list[Stretch] = []
        for stretch in self._listed():
            with readable(self.folder):
                failed = pl.read_parquet(stretch.file, columns=["status"])["status"] == "error"
            bad = sorted({row // chunk_rows for row in failed.arg_true().to_list()})
            kept += self._without(stretch, bad, chunk_rows) if bad else [stretch]
        self._known = kept

    def clear(self) -> None:
        """Drop all that is there, unfinished files too."""
        for file in self.folder.glob("[0-9]*.parquet"):
            refuse_foreign(file)
        for pattern in ("[0-9]*.parquet", ".*.tmp"):
            for file in self.folder.glob(pattern):
                file.unlink(missing_ok=True)
        self._known = []

    def _listed(self) -> list[Stretch]:
        if self._known is None:
            self._known = self._list()
        return self._known

    def _list(self) -> list[Stretch]:
        found: list[Stretch] = []
        for file in self.folder.iterdir():
            if name := NAME.fullmatch(file.name):
                refuse_foreign(file)
                first = int(name[1])
                end = int(name[2]) if name[2] else first + self._height(file)
                found.append(Stretch(first, end, file))
        found.sort(key=lambda stretch: (stretch.first, -stretch.end))
        known: list[Stretch] = []
        for stretch in found:
            reached = known[-1].end if known else 0
            if stretch.first >= reached:
                known.append(stretch)
            elif stretch.end <= reached:
                stretch.file.unlink()
            else:
                raise ResumeError(
                    f"{stretch.file}: has some rows of {known[-1].file.name}, so that chunks were "
                    "changed or put there; begin anew with --restart"
                )
        return known

    def _height(self, file: Path) -> int:
        with readable(self.folder):
            return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())

    def _at(self, first: int, end: int) -> Stretch:
        # Twelve digits: sorted by name is sorted by row.
        return Stretch(first, end, self.folder / f"{first:012d}-{end:012d}.parquet")

    def _join(self, together: Sequence[Stretch]) -> None:
        known = self._listed()
        joined = self._at(together[0].first, together[-1].end)
        for stretch in together:
            refuse_foreign(stretch.file)
        rows = pl.scan_parquet([stretch.file for stretch in together], glob=False)
        with readable(self.folder), _written(joined.file) as partial, partial.open("wb") as handle:
            rows.sink_parquet(handle, row_group_size=group_rows(rows.collect_schema()))
        if self._height(joined.file) != joined.rows:
            joined.file.unlink()
            raise ResumeError(
                f"{self.folder}: chunks are cut or were changed; begin anew with --restart"
            )
        place = bisect_right(known, joined.first - 1, key=lambda stretch: stretch.first)
        known[place : place + len(together)] = [joined]
        for stretch in together:
            stretch.file.unlink()

    def _without(self, stretch: Stretch, bad: Sequence[int], chunk_rows: int) -> list[Stretch]:
        # A file of what is between the bad chunks each; killed here, the whole file still counts.
        kept = []
        for before, after in pairwise([-1, *bad, -(-stretch.rows // chunk_rows)]):
            first, end = (before + 1) * chunk_rows, min(after * chunk_rows, stretch.rows)
            if first < end:
                part = self._at(stretch.first + first, stretch.first + end)
                with readable(self.folder), _written(part.file) as partial:
                    rows = pl.scan_parquet(stretch.file, glob=False).slice(first, end - first)
                    rows.collect().write_parquet(partial)
                kept.append(part)
        stretch.file.unlink()
        return kept


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Say what to do about saved work that can't be read.

    Args:
        folder: where it is.

    Yields:
        While it is read.

    Raises:
        ResumeError: in place of what Polars says of a damaged file.
    """
    try:
        yield
    except PolarsError as error:
        raise ResumeError(
            f"{folder}: a saved chunk is damaged: {first_line(error)}; begin anew with --restart"
        ) from error


def _to_be_joined(known: Sequence[Stretch]) -> list[list[Stretch]]:
    # Runs of small files without a gap, each of as many as make JOINED_ROWS.
    runs: list[list[Stretch]] = []
    run: list[Stretch] = []
    for stretch in known:
        if stretch.rows >= JOINED_ROWS or (run and run[-1].end != stretch.first):
            run = []
        if stretch.rows < JOINED_ROWS:
            run.append(stretch)
        if run and run[-1].end - run[0].first >= JOINED_ROWS:
            runs.append(run)
            run = []
    return runs


@contextmanager
def _written(file: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        refuse_foreign(file)  # else a link that was planted would be written through
    with replacing(file) as partial:
        yield partial
