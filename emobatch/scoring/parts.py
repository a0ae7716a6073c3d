"""Saved work: finished chunks of a score table, kept beside it until it is whole."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import polars as pl
from polars.exceptions import PolarsError

from emobatch.errors import ResumeError, first_line
from emobatch.tables import reading, writing
from emobatch.tables.provenance import differences

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

RUN_FILE = "run.json"
LOCK_FILE = "lock"
# There once the table is whole: what is left of the folder is rubbish.
WHOLE_FILE = "whole"


@dataclass(frozen=True)
class Parts:
    """A folder ``TABLE.parts`` of chunks, each a Parquet file named by its first row.

    Attributes:
        target: the score table to be.
        folder: where its chunks are.
        run: manifest, models and options, for which alone the chunks are good.
        lock: held as long as this run writes there.
    """

    target: Path
    folder: Path
    run: Mapping[str, Any]
    lock: IO[str] | None

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
        ours = {LOCK_FILE, RUN_FILE, WHOLE_FILE}
        with reading.explained(str(folder)):
            folder.mkdir(exist_ok=True)
            found = {file.name for file in folder.iterdir()}
            if not found <= ours and RUN_FILE not in found and WHOLE_FILE not in found:
                raise ResumeError(f"{folder}: is in the way and not emobatch's; move it elsewhere")
            parts = cls(target, folder, run, _lock(folder))
            try:
                if restart or WHOLE_FILE in found:
                    parts.clear()
                saved = parts._saved_run()
                if saved is not None:
                    refuse_other(folder, saved, run)
            except BaseException:
                parts._release()
                raise
        return parts

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
        with reading.explained(str(self.folder)):
            if not self._files():
                self.clear()
                self._release()
                (self.folder / LOCK_FILE).unlink(missing_ok=True)
                self.folder.rmdir()
        self._release()

    def has(self, first: int) -> bool:
        """Whether a chunk is saved.

        Args:
            first: number of its first row.

        Returns:
            True where it is.
        """
        return self._file(first).exists()

    def add(self, first: int, frame: pl.DataFrame) -> None:
        """Save a chunk, wholly or not at all.

        Args:
            first: number of its first row.
            frame: its rows.

        Raises:
            TableError: if it can't be written.
        """
        file = self.folder / RUN_FILE
        if not file.exists():
            writing.write_text(file, json.dumps(self.run, indent=1))
        with writing.replacing(self._file(first)) as partial:
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

    def finish(self, provenance: Mapping[str, Any], before: pl.LazyFrame | None = None) -> None:
        """Make the table of its chunks and drop them.

        Args:
            provenance: to be stored with the table.
            before: the table as it was, of which these rows are scored again.

        Raises:
            TableError: if the table can't be written; its chunks then stay.
        """
        with self._readable():
            rows = pl.scan_parquet(self._files(), glob=False)
            if before is not None:
                rows = rows.cast(dict(before.collect_schema()))  # type: ignore[arg-type]
                rows = before.update(rows, on="id", how="left", include_nulls=True)
            writing.write(rows, self.target, provenance)
        (self.folder / WHOLE_FILE).touch()
        self.clear()

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
        aside = self.target.parent.glob(f".{glob.escape(self.target.name)}.*.tmp")
        for file in [*self._files(), *self.folder.glob(".*.tmp"), *aside]:
            file.unlink(missing_ok=True)
        for name in (RUN_FILE, WHOLE_FILE):
            (self.folder / name).unlink(missing_ok=True)

    def _saved_run(self) -> dict[str, Any] | None:
        file = self.folder / RUN_FILE
        if not file.exists():
            return None
        try:
            saved = json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
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

    def _release(self) -> None:
        if self.lock is not None:
            self.lock.close()

    def _file(self, first: int) -> Path:
        # Twelve digits: sorted by name is sorted by row.
        return self.folder / f"{first:012d}.parquet"

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.parquet"))


def refuse_other(where: Path, saved: Mapping[str, Any], run: Mapping[str, Any]) -> None:
    """Refuse to go on with the work of another run.

    Args:
        where: the work is.
        saved: manifest, models and options that it was done with.
        run: those wanted now.

    Raises:
        ResumeError: names what differs.
    """
    # Through JSON and back, so that tuples and lists don't differ.
    if differing := differences(saved, json.loads(json.dumps(run))):
        raise ResumeError(
            f"{where}: holds work of a run that differs in {', '.join(differing)}; give back what "
            "it had, name another -o, or throw it away with --restart"
        )


def _lock(folder: Path) -> IO[str] | None:
    if fcntl is None:
        return None
    handle = (folder / LOCK_FILE).open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise ResumeError(
            f"{folder}: another run is writing there; wait for it, or give this one another -o"
        ) from error
    except OSError:
        pass  # a file system that knows no locks
    return handle
