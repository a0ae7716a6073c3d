"""Tar archives of audio, as WebDataset writes them: a row for each audio file in them."""

from __future__ import annotations

import glob
import json
import logging
import posixpath
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import AudioError, ManifestError
from emobatch.manifests.archives import Archives, Index, Part
from emobatch.manifests.mistaken import AUDIO
from emobatch.manifests.readers.reader import Reader
from emobatch.manifests.readers.spool import spooled

log = logging.getLogger(__name__)

ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
FIRST = ("path", "label", "transcript")
# What stands beside an audio file, under its name with another ending, and the column that it is.
TEXTS = {".txt": "transcript", ".cls": "label"}
# Of one of these; more is no transcript.
MOST_BYTES = 1 << 20


class ArchiveReader(Reader):
    """Reads archives; of what is beside an audio file, ``.txt``, ``.cls`` and ``.json``."""

    def takes(self, source: str) -> bool:
        """Whether it is called as an archive is, or a pattern of archives.

        Args:
            source: as the user named it.

        Returns:
            True where it is, and not a folder.
        """
        return source.lower().endswith(ENDINGS) and not Path(source).is_dir()

    def scan(self, source: str) -> pl.LazyFrame:
        """List the audio files in it.

        Args:
            source: the archive, or a pattern of archives.

        Returns:
            Rows with ``path``, as ``archive.tar!member.wav``, in the archives' order.

        Raises:
            ManifestError: if it can't be read, or there is no audio in it.
        """
        return spooled(self._all_rows(source), FIRST)

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: as the user named it.

        Returns:
            The folder that it is in; of a pattern, the folder before its first part that is one.
        """
        folder = Path(source).parent
        while glob.has_magic(str(folder)) and not folder.exists():
            folder = folder.parent
        return folder

    def place(self, source: str, row: int) -> str:
        """Say where a row is, for a message.

        Args:
            source: the archive, or a pattern of archives.
            row: the row's number, from 0.

        Returns:
            The audio file in the archive.
        """
        return str(next(islice(self._all_rows(source), row, None))["path"])

    def _all_rows(self, source: str) -> Iterator[dict[str, Any]]:
        files = [Path(source)]
        if not files[0].exists() and glob.has_magic(source):
            files = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207
        if not files or not files[0].is_file():
            raise ManifestError("no such file")
        for file in files:
            yield from _rows(file, self.root(source))


def _rows(file: Path, root: Path) -> Iterator[dict[str, Any]]:
    try:
        index = Archives().index(file)
    except AudioError as error:
        raise ManifestError(f"{file}: {error}") from error
    if index.trouble is not None:
        raise ManifestError(
            f"{file}: is {index.trouble} after {len(index.members)} files; fetch or write it again"
        )
    audio = [name for name in index.members if _ending(name) in AUDIO]
    if not audio:
        raise ManifestError(f"{file}: no audio files in it ({', '.join(AUDIO[:6])} and the like)")
    _note(file, index)
    before = file.relative_to(root).as_posix()
    for name in audio:
        yield {"path": f"{before}!{name}", **_beside(file, index, name)}


def _beside(file: Path, index: Index, name: str) -> dict[str, Any]:
    key, found = _key(name), {}
    for ending, column in TEXTS.items():
        if key + ending in index.members:
            content = _content(file, index.members[key + ending])
            found[column] = content.decode("utf-8", "replace").strip() or None
    if key + ".json" in index.members:
        found |= {
            column: value
            for column, value in _object(file, index, key + ".json").items()
            if column not in ("path", *found)
        }
    return found


def _object(file: Path, index: Index, name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(_content(file, index.members[name]))
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{file}: {name} is no JSON: {error}; mend it") from error
    if not isinstance(found, dict):
        raise ManifestError(f"{file}: {name} is no JSON object; mend it, or take it out")
    return found


def _content(file: Path, place: tuple[int, int]) -> bytes:
    if place[1] > MOST_BYTES:
        raise ManifestError(
            f"{file}: what stands beside an audio file has {place[1]} bytes; {MOST_BYTES} are read"
        )
    with Part(file, *place).open() as content:
        return content.read()


def _note(file: Path, index: Index) -> None:
    left = [name for name, kind in index.others.items() if kind != "a folder"]
    if left:
        log.info("note: %s: %d members that are no plain files left out", file, len(left))
    if index.doubled:
        log.info(
            "note: %s: %d files left out that others of their names follow", file, index.doubled
        )


def _key(name: str) -> str:
    # WebDataset's: the name up to the first point after the last folder.
    folder, base = posixpath.split(name)
    return posixpath.join(folder, base.partition(".")[0])


def _ending(name: str) -> str:
    return posixpath.splitext(name)[1].lower()
