"""A folder of fetched files, of limited size, that several processes may share.

A file is written under another name, and gets its own once it is whole. Whoever writes it holds a
lock on it, so that others wait instead of fetching it as well; whoever reads it holds one, so that
it isn't thrown away meanwhile. A process that is killed leaves no lock behind. Where a file system
has no locks, two may fetch the same, and none reads what isn't whole.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, get_ident

from emobatch.errors import StorageError, first_line
from emobatch.storage.locks import is_at, locked, share

# How the names of files begin that are kept here; others in the folder are nobody's business.
PREFIX, PART = "emobatch-", ".part"
# Of the size allowed: what is left once something had to go, and what is added before the folder
# is looked at again, since others may write there.
LEFT, UNSEEN = 0.9, 0.05
# Where there are no locks: how long a file that was used is taken to be in use.
UNLOCKED_SECONDS = 600.0
POLL_SECONDS = 0.02
FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@dataclass
class Lease:
    """A file in the cache that stays there until it is let go.

    Attributes:
        path: the file.
        handle: that holds its lock.
    """

    path: Path
    handle: int

    def release(self) -> None:
        """Let it go; it may be thrown away from now on."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1


class Cache:
    """Fetched files by a key. May be used from several threads."""

    def __init__(self, folder: Path | None, most_bytes: int) -> None:
        """Open the cache, or make one.

        Args:
            folder: where files are kept, None for a temporary folder that goes with this.
            most_bytes: of all files in it.

        Raises:
            StorageError: if nothing can be written there.
        """
        self._own: tempfile.TemporaryDirectory[str] | None = None
        try:
            if folder is None:
                self._own = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
                folder = Path(self._own.name)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"{folder or tempfile.gettempdir()}: no folder for fetched files can be made "
                f"there: {first_line(error)}; name another with --cache"
            ) from error
        self.folder = folder
        self._most = most_bytes
        self._lock = Lock()
        self._unseen = most_bytes  # so that the folder is looked at before anything is added

    def close(self) -> None:
        """Let go of it; a temporary folder is removed."""
        if self._own is not None:
            self._own.cleanup()

    def __enter__(self) -> Cache:
        """Keep it."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Let go of it."""
        self.close()

    def get(self, key: str, suffix: str, fetch: Callable[[Path], None]) -> Lease:
        """Look a file up, and fetch it if it isn't there.

        Args:
            key: another one for each file and version.
            suffix: that its name ends with.
            fetch: writes the file.

        Returns:
            The file.

        Raises:
            StorageError: if there is no room for it.
        """
        name = PREFIX + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        path = self.folder / (name + suffix)
        try:
            while True:
                lease = _leased(path) or self._written(path, fetch)
                if lease is not None:
                    return lease
        except OSError as error:
            raise StorageError(
                f"can't be kept in {self.folder}: {first_line(error)}; name another folder with "
                "--cache"
            ) from error

    def _written(self, path: Path, fetch: Callable[[Path], None]) -> Lease | None:
        # Under a name that all share who want this file, so that one writes and the others wait.
        part = path.with_name(path.name + PART)
        handle = os.open(part, os.O_RDWR | os.O_CREAT | FLAGS, 0o666)
        try:
            # Not waited for in the lock itself: once the file is whole, its readers hold that.
            while (mine := locked(handle)) is False and not path.exists():
                time.sleep(POLL_SECONDS)
            if mine is None:
                part.unlink(missing_ok=True)
                self._fill(
                    path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}{PART}"), path, fetch
                )
            elif mine and is_at(handle, part):
                if path.exists():  # since we looked: what we made is of no use
                    part.unlink()
                    return None
                self._fill(part, path, fetch)
                share(handle)  # from writer to reader
                if is_at(handle, path):
                    handle, kept = -1, handle
                    return Lease(path, kept)
            return None  # it is there, or whoever wrote it gave up: look again
        finally:
            if handle >= 0:
                os.close(handle)

    def _fill(self, part: Path, path: Path, fetch: Callable[[Path], None]) -> None:
        try:
            fetch(part)
            self._make_room(part.stat().st_size)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._unseen += size
            if self._unseen > self._most * UNSEEN:
                self._unseen = 0
                self._throw_away()

    def _throw_away(self) -> None:
        # Those used least recently first; what is just being written counts and stays.
        kept = sorted(self._files(), key=lambda found: found[1].st_atime_ns)
        total = sum(found.st_size for _, found in kept)
        if total <= self._most:
            return
        for path, found in kept:
            if total <= self._most * LEFT:
                return
            if _removed(path, found):
                total -= found.st_size

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for entry in os.scandir(self.folder):
            if entry.name.startswith(PREFIX):
                with suppress(FileNotFoundError):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)


def _leased(path: Path) -> Lease | None:
    try:
        handle = os.open(path, os.O_RDONLY | FLAGS)
    except FileNotFoundError:
        return None
    share(handle)
    if not is_at(handle, path):  # thrown away just now
        os.close(handle)
        return None
    # When it was read last: not every file system says it by itself.
    with suppress(OSError):
        os.utime(path, ns=(time.time_ns(), os.fstat(handle).st_mtime_ns))
    return Lease(path, handle)


def _removed(path: Path, found: os.stat_result) -> bool:
    # Unless somebody reads it, or still writes it.
    try:
        handle = os.open(path, os.O_RDWR | FLAGS)
    except OSError:
        return False
    try:
        mine = locked(handle)
        if mine or (mine is None and time.time() - found.st_atime > UNLOCKED_SECONDS):
            path.unlink(missing_ok=True)
            return True
        return False
    finally:
        os.close(handle)
