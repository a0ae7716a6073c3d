"""Saved work: finished chunks of a score table, kept beside it until it is whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch import outputs, tables
from emobatch.errors import ResumeError
from emobatch.manifest import Manifest

RUN_FILE = "run.json"


@dataclass(frozen=True)
class Parts:
    """A folder ``TABLE.parts`` of chunks, each a Parquet file named by its first row.

    Attributes:
        target: the score table to be.
        folder: where its chunks are.
    """

    target: Path
    folder: Path

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
            if restart:
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            known = folder / RUN_FILE
            if known.exists():
                _check_same(json.loads(known.read_text(encoding="utf-8")), run, folder)
            else:
                outputs.write_text(known, json.dumps(run, indent=1))
        return cls(target, folder)

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
        whole = pl.scan_parquet(self._files(), glob=False)
        outputs.write(whole, self.target, provenance)
        errors = whole.select((pl.col("status") == "error").sum()).collect().item()
        shutil.rmtree(self.folder)
        return int(errors)

    def _file(self, first: int) -> Path:
        # Twelve digits: sorted by name is sorted by row.
        return self.folder / f"{first:012d}.parquet"

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.parquet"))


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
