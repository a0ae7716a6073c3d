"""Saved work: finished chunks of a score table, kept beside it until it is whole."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl
from polars import selectors
from polars.exceptions import PolarsError

from emobatch.errors import ResumeError, first_line
from emobatch.scoring.folder import LOCK_FILE, HeldFolder, refuse_foreign
from emobatch.scoring.made_with import refuse_other
from emobatch.tables import content, reading, writing
from emobatch.tables.content import CONTENT
from emobatch.tables.replacing import replacing

RUN_FILE = "run.json"
# There once the table is whole: what is left of the folder is rubbish.
WHOLE_FILE = "whole"
CHUNKS = "[0-9]*.parquet"


@dataclass(frozen=True)
class Parts:
    """A folder ``TABLE.parts`` of chunks, each a Parquet file named by its first row.

    Attributes:
        target: the score table to be.
        held: where its chunks are, locked as long as this run writes there.
        run: manifest, models and options, for which alone the chunks are good.
    """

    target: Path
    held: HeldFolder
    run: Mapping[str, Any]

    @classmethod
    def open(cls, target: Path, run: Mapping[str, Any], *, restart: bool) -> Parts:
        """Begin a run, or go on with one that was interrupted.

        Args:
            target: the score table to be.
            run: manifest, models and options.
            restart: throw saved work away.

        Returns:
            The saved work, of which there may be none.

        Raises:
            ResumeError: if the work saved is of another manifest, model or option.
            TableError: if the folder can't be written to.
        """
        folder = target.with_name(target.name + ".parts")
        with reading.explained(str(folder)):
            parts = cls(target, HeldFolder.take(folder, _check_ours), run)
            try:
                if restart or (folder / WHOLE_FILE).exists():
                    parts.clear()
                saved = parts._saved_run()
                if saved is not None:
                    refuse_other(folder, saved, run)
            except BaseException:
                parts.held.release()
                raise
        return parts

    @property
    def folder(self) -> Path:
        """Where the chunks are."""
        return self.held.path

    def __enter__(self) -> Parts:
        """Hold the lock."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let another run write here; a folder without saved work goes."""
        empty = False
        try:
            with reading.explained(str(self.folder)):
                empty = not self._files()
                if empty:
                    self.clear()
        finally:
            self.held.release(remove=empty)

    def has(self, first: int) -> bool:
        """Whether a chunk is saved.

        Args:
            first: number of its first row.

        Returns:
            True where it is.
        """
        return _is_there(self._file(first))

    def add(self, first: int, frame: pl.DataFrame) -> None:
        """Save a chunk, wholly or not at all.

        Args:
            first: number of its first row.
            frame: its rows.

        Raises:
            TableError: if it can't be written.
        """
        file = self.folder / RUN_FILE
        if not _is_there(file):
            writing.write_text(file, json.dumps(self.run, indent=1))
        chunk = self._file(first)
        _is_there(chunk)  # else a link that was planted would be written through
        with replacing(chunk) as partial:
            frame.write_parquet(partial)

    def rows_done(self) -> int:
        """Number of rows that are saved."""
        with self._readable():
            return sum(pl.read_parquet(file, columns=["id"]).height for file in self._files())

    def forget_errors(self) -> None:
        """Drop the chunks that have failed rows, so that they are scored again."""
        with self._readable():
            for file in self._files():
                if (pl.read_parquet(file, columns=["status"])["status"] == "error").any():
                    file.unlink()

    def finish(
        self,
        provenance: Mapping[str, Any],
        scored: Mapping[str, Any],
        wanted: Mapping[str, Any],
        before: pl.LazyFrame | None = None,
    ) -> None:
        """Make the table of its chunks and drop them.

        Args:
            provenance: to be stored with the table.
            scored: types of the columns that were scored.
            wanted: what :func:`emobatch.tables.content.describe` says of the manifest's ids.
            before: the table as it was, of which these rows are scored again.

        Raises:
            ResumeError: if the chunks aren't the manifest's rows.
            TableError: if the table can't be written; its chunks then stay.
        """
        numbers = [name for name, kind in scored.items() if kind == pl.Float64]
        texts = [name for name, kind in scored.items() if kind == pl.String]
        with self._readable():
            rows = pl.scan_parquet(self._files(), glob=False)
            if before is not None:
                rows = _replaced(before, rows)
            holds = content.describe(rows, numbers, texts)
            if not content.same_ids(holds, wanted):
                raise ResumeError(
                    f"{self.folder}: its rows aren't the manifest's, for chunks are lost or were "
                    "put there; score all anew with --restart"
                )
            writing.write(rows, self.target, {**provenance, CONTENT: holds})
        (self.folder / WHOLE_FILE).touch()
        self.clear()

    @property
    def is_retry(self) -> bool:
        """Whether these are chunks of rows of a whole table that are scored again."""
        return "retry" in (self._saved_run() or {})

    def for_retry(self, digest: str) -> Parts:
        """Chunks of nothing but the rows of a whole table that are scored again.

        Args:
            digest: of those rows.

        Returns:
            The same folder, without chunks of anything else.
        """
        saved = self._saved_run()
        if saved is not None and saved.get("retry") != digest:
            self.clear()
        return replace(self, run={**self.run, "retry": digest})

    def clear(self) -> None:
        """Drop all that is saved."""
        # Only what is ours: nobody's folder is ever removed with something else in it. The mark
        # goes last, so that a run that is killed here leaves nothing that seems worth resuming.
        for file in [*self._files(), *self.folder.glob(".*.tmp")]:
            file.unlink(missing_ok=True)
        for file in self.target.parent.glob(f".{glob.escape(self.target.name)}.*.tmp"):
            with suppress(OSError):  # another user's, or no file: whoever put it there sees to it
                file.unlink()
        for name in (RUN_FILE, WHOLE_FILE):
            (self.folder / name).unlink(missing_ok=True)

    def _saved_run(self) -> dict[str, Any] | None:
        file = self.folder / RUN_FILE
        if not file.exists():
            return None
        try:
            saved = json.loads(file.read_text(encoding="utf-8"))
        except (ValueError, RecursionError):
            saved = None
        if not isinstance(saved, dict):
            raise ResumeError(f"{file}: damaged; score all anew with --restart")
        return saved

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except PolarsError as error:
            raise ResumeError(
                f"{self.folder}: a saved chunk is damaged: {first_line(error)}; "
                "score all anew with --restart"
            ) from error

    def _file(self, first: int) -> Path:
        # Twelve digits: sorted by name is sorted by row.
        return self.folder / f"{first:012d}.parquet"

    def _files(self) -> list[Path]:
        files = sorted(self.folder.glob(CHUNKS))
        for file in files:
            refuse_foreign(file)
        return files


def _replaced(before: pl.LazyFrame, rows: pl.LazyFrame) -> pl.LazyFrame:
    # A column of JSON Lines without any value has no type; in new rows it may have one.
    old, new = before.collect_schema(), rows.collect_schema()
    before = before.cast({name: new[name] for name, kind in old.items() if kind == pl.Null})
    # Tables of before lack columns.
    later = [pl.lit(None, kind).alias(name) for name, kind in new.items() if name not in old]
    if later:
        before = before.with_columns(later).select(selectors.by_name(*new))
    rows = rows.cast(dict(before.collect_schema()))  # type: ignore[arg-type]
    return before.update(rows, on="id", how="left", include_nulls=True)


def _is_there(file: Path) -> bool:
    try:
        refuse_foreign(file)
    except FileNotFoundError:
        return False
    return True


def _check_ours(folder: Path) -> None:
    ours = {LOCK_FILE, RUN_FILE, WHOLE_FILE}
    found = {file.name for file in folder.iterdir()}
    if not found <= ours and RUN_FILE not in found and WHOLE_FILE not in found:
        raise ResumeError(f"{folder}: is in the way and not emobatch's; move it elsewhere")
    for name in found & ours:
        refuse_foreign(folder / name)
    for file in folder.glob(CHUNKS):
        refuse_foreign(file)
