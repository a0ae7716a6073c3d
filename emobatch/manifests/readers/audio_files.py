"""Audio itself: a folder, a pattern of files' names, or one file; a row for each file, sorted."""

from __future__ import annotations

import glob
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from emobatch.errors import ManifestError
from emobatch.manifests.mistaken import AUDIO
from emobatch.manifests.readers.reader import Reader

log = logging.getLogger(__name__)

# Kinds of other files that a note names.
NAMED = 4


class AudioReader(Reader):
    """Reads folders, patterns and files of audio.

    With a pattern it takes whatever files of a folder have such names; else those that are called
    as audio is.
    """

    def takes(self, source: str) -> bool:
        """Whether it is a folder, an audio file by its name, or a pattern.

        Args:
            source: as the user named it.

        Returns:
            True where it is.
        """
        path = Path(source)
        if path.is_dir():
            return True
        if path.is_file():
            return path.suffix.lower() in AUDIO
        return "://" not in source and glob.has_magic(source)

    def scan(self, source: str) -> pl.LazyFrame:
        """List the files.

        Args:
            source: as the user named it.

        Returns:
            ``path``, sorted. A name that isn't UTF-8 has a replacement character for each wrong
            byte.

        Raises:
            ManifestError: if there is none.
        """
        path, root = Path(source), self.root(source)
        if path.is_file():
            names = [path.name]
        elif self.pattern is not None:
            _refuse_file(path)
            names = _matches(self.pattern, path)
        elif path.is_dir():
            names = audio_of(source, [*_walk(path)])
        elif glob.has_magic(source):
            matches = _matches(source, Path())
            names = audio_of(source, [os.path.relpath(name, root) for name in matches])
        else:
            raise ManifestError("no such file or folder")
        if not names:
            wanted = self.pattern or ", ".join(AUDIO[:6]) + " and the like"
            raise ManifestError(f"no audio files in it ({wanted}); say which with --glob '*.EXT'")
        shown = sorted(os.fsencode(name).decode("utf-8", "replace") for name in names)
        return pl.LazyFrame({"path": shown})

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: as the user named it.

        Returns:
            The folder; of a pattern, the folder before its first part that is one; of a file, its
            folder.
        """
        path = Path(source)
        if path.is_dir():
            return path
        if path.exists() or not glob.has_magic(source):
            return path.parent
        before = [*path.parts[:-1]]
        while any(glob.has_magic(part) for part in before):
            before.pop()
        return Path(*before)


def _refuse_file(path: Path) -> None:
    if not path.is_dir():
        raise ManifestError("no folder, and --glob says which files of one to take")


def _matches(pattern: str, folder: Path) -> list[str]:
    if Path(pattern).is_absolute() and folder != Path():
        raise ManifestError(f"--glob {pattern}: give a pattern below the folder, as '**/*.wav'")
    found = glob.iglob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - below a folder
    return [name for name in found if (folder / name).is_file()]


def _walk(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        # Hidden: what systems keep for themselves, as ._a.wav beside a.wav on a Mac's disk.
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                yield os.path.relpath(os.path.join(place, name), folder)  # noqa: PTH118 - many


def audio_of(source: str, names: Sequence[str]) -> list[str]:
    """Take those files that are called as audio is, and say how many are left out.

    Args:
        source: where they are, for a note.
        names: of files.

    Returns:
        Those names.
    """
    kinds = Counter(Path(name).suffix.lower() for name in names)
    others = [(count, kind) for kind, count in kinds.items() if kind not in AUDIO]
    if others and len(names) > sum(count for count, _ in others):
        listed = ", ".join(kind or "no ending" for _, kind in sorted(others, reverse=True)[:NAMED])
        total = sum(count for count, _ in others)
        log.info(
            "note: %s: %d files that aren't audio by their names (%s) left out",
            source,
            total,
            listed,
        )
    return [name for name in names if Path(name).suffix.lower() in AUDIO]
