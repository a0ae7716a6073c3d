"""Hugging Face's audiofolder: metadata.csv, .jsonl or .parquet with ``file_name``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from emobatch.errors import ManifestError, TableError
from emobatch.manifests.readers.reader import Reader
from emobatch.tables import reading
from emobatch.tables.places import Places
from emobatch.tables.text_format import no_numbers
from emobatch.tasks.labels import nearest

FILES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
FILE_NAME = "file_name"
# The library takes both.
FILE_NAMES = (FILE_NAME, "audio_file_name")
# What the library's documentation calls them, where a table has none of ours.
COLUMNS = {"transcription": "transcript", "text": "transcript"}
# Folders of its splits, by what it calls them; they may be in a folder of this name.
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "dev", "val"), "val"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
DATA = "data"


@dataclass(frozen=True)
class _Part:
    name: str
    rows: pl.LazyFrame
    places: Places


class AudioFolderReader(Reader):
    """Reads a folder's metadata, or that of the folders in it, as of its splits."""

    _parts: Sequence[_Part] = ()  # of what was scanned last

    def takes(self, source: str) -> bool:
        """Whether there is a file of metadata.

        Args:
            source: a folder, or such a file itself.

        Returns:
            True where there is.
        """
        path = Path(source)
        if path.name in FILES:
            return path.is_file() and _has_names(path)
        if not path.is_dir():
            return False
        return _own(path) is not None or any(map(_has_names, _metadata(path).values()))

    def scan(self, source: str) -> pl.LazyFrame:
        """Open the files of metadata.

        Args:
            source: a folder, or such a file itself.

        Returns:
            Their rows; ``split`` where each split has a file of its own.

        Raises:
            ManifestError: if there is none, or it has no ``file_name``.
        """
        path = Path(source)
        files = _metadata(path) if path.is_dir() else {"": path}
        if not files:
            raise ManifestError(f"no {', '.join(FILES)} in it, or in a folder of it as train")
        self._parts = [_table(file, folder) for folder, file in files.items()]
        parts = [part.rows for part in self._parts]
        return parts[0] if len(parts) == 1 else pl.concat(parts, how="diagonal_relaxed")

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: a folder, or a file of metadata.

        Returns:
            The folder.
        """
        return Path(source) if Path(source).is_dir() else Path(source).parent

    def place(self, source: str, row: int) -> str:
        """Say where a row is, for a message.

        Args:
            source: a folder, or a file of metadata, that was scanned.
            row: the row's number, from 0.

        Returns:
            The file and its line.
        """
        for part in self._parts:
            length = part.rows.select(pl.len()).collect(engine="streaming").item()
            if row < length:
                return f"{part.name}: {part.places(row)}"
            row -= length
        return super().place(source, row)


def _own(folder: Path) -> Path | None:
    own = [folder / name for name in FILES if (folder / name).is_file()]
    if len(own) > 1:
        raise ManifestError(f"{own[0]} and {own[1].name}: name the one that is meant")
    return own[0] if own else None


def _metadata(folder: Path) -> dict[str, Path]:
    own = _own(folder)
    if own is not None:
        return {"": own}
    names = [*_folders(folder), *(f"{DATA}/{name}" for name in _folders(folder / DATA))]
    return {name: file for name in sorted(names, key=_order) if (file := _own(folder / name))}


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except OSError:
        return []


def _order(name: str) -> tuple[int, str]:
    split = name.rpartition("/")[2]
    return [*SPLITS].index(split) if split in SPLITS else len(SPLITS), name


def _has_names(file: Path) -> bool:
    try:
        names = reading.scan(str(file), no_numbers, lossy=True).collect_schema().names()
        return not set(FILE_NAMES).isdisjoint(names)
    except Exception:
        return False


@contextmanager
def _named(file: Path, name: str) -> Iterator[None]:
    try:
        with reading.explained(str(file)):
            yield
    except TableError as error:
        raise ManifestError(f"{name}: {str(error).removeprefix(f'{file}: ')}") from error


def _table(file: Path, folder: str) -> _Part:
    name = f"{folder}/{file.name}" if folder else file.name
    with _named(file, name):
        rows, places = reading.scan_with_places(str(file), no_numbers, lossy=True)
        # Read once now: what is wrong with it later on would be said without the file's name.
        rows.select(pl.all().null_count()).collect(engine="streaming")
    names = rows.collect_schema().names()
    file_name = next((each for each in FILE_NAMES if each in names), None)
    if file_name is None:
        near = nearest(FILE_NAME, names)
        meant = f"did you mean {near!r}? " if near else ""
        raise ManifestError(
            f"{name}: no column {FILE_NAME!r}; {meant}its columns are {', '.join(names)}"
        )
    if "path" in names:
        raise ManifestError(f"{name}: columns 'path' and {file_name!r}; rename or drop the first")
    renamed = {file_name: "path"}
    for theirs, ours in COLUMNS.items():
        if theirs in names and ours not in names and ours not in renamed.values():
            renamed[theirs] = ours
    rows = rows.rename(renamed)
    if folder:
        rows = rows.with_columns(path=pl.lit(f"{folder}/") + pl.col("path"))
        split = SPLITS.get(Path(folder).name)
        if "split" not in names and split is not None:
            rows = rows.with_columns(split=pl.lit(split))
    return _Part(name, rows, places)
