"""A folder that one run at a time writes to, and nobody else: in a place where others may write.

Who may write beside a table could put a folder there, or links into it. Nothing that is a link or
another user's is read, followed, or written through.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from emobatch.errors import HeldError, ResumeError
from emobatch.storage import locks

log = logging.getLogger(__name__)

LOCK_FILE = "lock"
# A link planted just now isn't followed either; Windows has no such flag, and no lock here.
FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True)
class HeldFolder:
    """A folder, and the lock that keeps other runs out of it.

    Attributes:
        path: the folder.
        handle: of the file that is locked, None where there are no locks.
    """

    path: Path
    handle: int | None

    @classmethod
    def take(cls, path: Path, check: Callable[[Path], None]) -> HeldFolder:
        """Make a folder, or take the one that is there, and lock it.

        Args:
            path: the folder.
            check: raises where it isn't one to write to; called before anything is made in it.

        Returns:
            The folder, held.

        Raises:
            HeldError: if another run holds it.
            ResumeError: if it is another user's.
            OSError: if it can't be made.
        """
        while True:
            with suppress(FileExistsError):
                path.mkdir()
            try:
                refuse_foreign(path)
                check(path)
                handle = _lock(path / LOCK_FILE)
            except FileNotFoundError:
                continue  # whoever held it has just removed it
            if handle is None or locks.is_at(handle, path / LOCK_FILE, follow_links=False):
                return cls(path, handle)
            os.close(handle)  # a lock that was removed as we waited keeps nobody out

    def release(self, *, remove: bool = False) -> None:
        """Let another run write there.

        Args:
            remove: the folder too, where nothing is left in it.
        """
        if remove:
            # Before the lock is let go: afterwards it may be another run's.
            (self.path / LOCK_FILE).unlink(missing_ok=True)
            with suppress(OSError):  # another run has come already
                self.path.rmdir()
        if self.handle is not None:
            os.close(self.handle)


def refuse_foreign(path: Path) -> None:
    """Refuse what another user, or a link, put where this user's own work should be.

    Args:
        path: a file or a folder.

    Raises:
        ResumeError: says what it is.
        FileNotFoundError: if there is nothing.
    """
    found = path.lstat()
    if S_ISLNK(found.st_mode):
        raise ResumeError(
            f"{path}: is a link, which saved work never is; remove it, or name another -o"
        )
    if not (S_ISDIR(found.st_mode) or S_ISREG(found.st_mode)):
        raise ResumeError(f"{path}: is in the way and not emobatch's; move it elsewhere")
    if not _is_mine(found, path.parent):
        raise ResumeError(
            f"{path}: belongs to another user, whose work isn't taken for yours; name another -o"
        )


def _is_mine(found: os.stat_result, folder: Path) -> bool:
    if not hasattr(os, "geteuid") or found.st_uid == os.geteuid():
        return True
    # Some network file systems give all that a user makes to another: ask what a new file is.
    with tempfile.TemporaryFile(dir=folder) as probe:
        return found.st_uid == os.fstat(probe.fileno()).st_uid


def _lock(file: Path) -> int | None:
    if not locks.ARE_KNOWN:
        return None
    with suppress(FileNotFoundError):
        refuse_foreign(file)
    handle = os.open(file, FLAGS, 0o666)
    mine = locks.locked(handle)
    if mine is False:
        os.close(handle)
        raise HeldError(
            f"{file.parent}: another run is writing there; wait for it, or give this one another -o"
        )
    if mine is None:
        log.warning("note: %s: no locks here; let no other run write there", file.parent)
    return handle
