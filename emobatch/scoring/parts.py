"""Saved work: finished chunks of a score table, kept beside it until it is whole."""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from polars import selectors

from emobatch.errors import ResumeError
from emobatch.scoring.folder import LOCK_FILE, HeldFolder, refuse_foreign
from emobatch.scoring.other_run import refuse_other
from emobatch.scoring.stretches import Stretches, readable
from emobatch.tables import content, reading, writing
from emobatch.tables.content import CONTENT

RUN_FILE = "run.json"
# There once the table is whole: what is left of the folder is rubbish.
WHOLE_FILE = "whole"


@dataclass(frozen=True)
class Parts:
    """A folder ``TABLE.parts`` of chunks.

    Attributes:
        target: the score table to be.
        held: where its chunks are, locked as long as this run writes there.
        run: manifest, models and options, for which alone the chunks are good.
        stretches: the chunks' files.
    """

    target: Path
    held: HeldFolder
    run: Mapping[str, Any]
    stretches: Stretches

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
            parts = cls(target, HeldFolder.take(folder, _check_ours), run, Stretches(folder))
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

    def __exit__(self, *raised: object) -> None:
        """Let another run write here; a folder without saved work goes."""
        empty = False
        try:
            with reading.explained(str(self.folder)):
                empty = not self.stretches.files()
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
        return self.stretches.has(first)

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
        self.stretches.add(first, frame)

    def rows_done(self) -> int:
        """Number of rows that are saved."""
        return self.stretches.rows

    def forget_errors(self, chunk_rows: int) -> None:
        """Drop the chunks that have failed rows, so that they are scored again.

        Args:
            chunk_rows: rows to a chunk.
        """
        self.stretches.drop_failed(chunk_rows)

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
        with readable(self.folder):
            rows = pl.scan_parquet(self.stretches.files(), glob=False)
            if before is not None:
                rows = _replaced(before, rows)
            holds = content.describe(rows, numbers, texts)
            if not content.same_ids(holds, wanted):
                raise ResumeError(
                    f"{self.folder}: its rows aren't the manifest's, for chunks are lost or were "
                    "put there; begin anew with --restart"
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
        self.stretches.clear()
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
            raise ResumeError(f"{file}: damaged; begin anew with --restart")
        return saved


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
    for name in found - ours:
        if name[0].isdigit():
            refuse_foreign(folder / name)
