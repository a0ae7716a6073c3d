"""Saved work: finished chunks of a score table, kept beside it until it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import polars as pl
from polars.exceptions import PolarsError

from emobatch import outputs, tables
from emobatch.errors import ResumeError
from emobatch.manifest import Manifest

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

RUN_FILE = "run.json"
LOCK_FILE = "lock"


@dataclass(frozen=True)
class Parts:
    """A folder ``TABLE.parts`` of chunks, each a Parquet file named by its first row.

    Attributes:
        target: the score table to be.
        folder: where its chunks are.
        lock: held as long as this run writes there.
    """

    target: Path
    folder: Path
    lock: IO[str] | None

    @classmethod
    def open(
        cls, target: Path, manifest: Manifest, provenance: Mapping[str, Any], *, restart: bool
    ) -> Parts:
        """Begin a run, or go on with one that was interrupted.

        Args:
            target: the score table to be.
            manifest: its rows.
            provenance: of the run; chunks of another run are refused.
            restart: throw saved work away.

        Returns:
            The saved work, of which there may be none.

        Raises:
            ResumeError: if the work saved is of another manifest, model or option.
            TableError: if the folder can't be written to.
        """
        folder = target.with_name(target.name + ".parts")
        run = {"manifest": manifest.digest(), **provenance}
        with tables.explained(str(folder)):
            folder.mkdir(exist_ok=True)
            foreign = [file for file in folder.iterdir() if file.name != LOCK_FILE]
            if foreign and not (folder / RUN_FILE).exists():
                raise ResumeError(f"{folder}: is in the way and not emobatch's; move it elsewhere")
            parts = cls(target, folder, _lock(folder))
            try:
                parts._begin(run, restart=restart)
            except BaseException:
                parts.close()
                raise
        return parts

    def _begin(self, run: dict[str, Any], *, restart: bool) -> None:
        if restart:
            self._drop()
        if (self.folder / RUN_FILE).exists():
            _check_same(_read_run(self.folder), run, self.folder)
        else:
            outputs.write_text(self.folder / RUN_FILE, json.dumps(run, indent=1))

    def close(self) -> None:
        """Let another run write here."""
        if self.lock is not None:
            self.lock.close()

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
        file = self._file(first)
        with outputs.replacing(file) as partial:
            frame.write_parquet(partial)

    def rows_done(self) -> int:
        """Number of rows that are saved."""
        with self._readable():
            return sum(pl.read_parquet(file, columns=["id"]).height for file in self._files())

    def finish(self, provenance: Mapping[str, Any]) -> int:
        """Make the table of its chunks and drop them.

        Args:
            provenance: to be stored with the table.

        Returns:
            How many rows failed.

        Raises:
            TableError: if the table can't be written; its chunks then stay.
        """
        with self._readable():
            whole = pl.scan_parquet(self._files(), glob=False)
            outputs.write(whole, self.target, provenance)
            errors = whole.select((pl.col("status") == "error").sum()).collect().item()
        self._drop()
        self.close()
        (self.folder / LOCK_FILE).unlink(missing_ok=True)
        self.folder.rmdir()
        return int(errors)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except PolarsError as error:
            raise ResumeError(
                f"{self.folder}: a saved chunk is damaged: {tables.first_line(error)}; "
                "score all anew with --restart"
            ) from error

    def _drop(self) -> None:
        # Only what is ours: nobody's folder is ever removed with something else in it.
        for file in [*self._files(), *self.folder.glob(".*.tmp"), self.folder / RUN_FILE]:
            file.unlink(missing_ok=True)

    def _file(self, first: int) -> Path:
        # Twelve digits: sorted by name is sorted by row.
        return self.folder / f"{first:012d}.parquet"

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.parquet"))


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


def _read_run(folder: Path) -> dict[str, Any]:
    try:
        run = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except ValueError:
        run = None
    if not isinstance(run, dict):
        raise ResumeError(f"{folder / RUN_FILE}: damaged; score all anew with --restart")
    return run


def _check_same(saved: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    # Through JSON and back, so that tuples and lists don't differ.
    wanted = json.loads(json.dumps(wanted))
    differing = []
    for key in wanted:
        mine, theirs = wanted[key], saved.get(key)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            names = [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]
            differing += [f"{key}.{name}" for name in names]
        elif mine != theirs:
            differing.append(key)
    if differing:
        raise ResumeError(
            f"{folder}: holds work of a run that differs in {', '.join(differing)}; "
            "give back what it had, or throw it away with --restart"
        )
