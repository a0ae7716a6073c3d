"""Locks on open files: they keep other processes out, and go with whoever holds them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

ARE_KNOWN = fcntl is not None


def locked(handle: int) -> bool | None:
    """Lock a file for nobody else, without waiting.

    Args:
        handle: of the file, open.

    Returns:
        Whether it is locked now; False where another has it, None where there are no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def share(handle: int) -> None:
    """Lock a file together with others that share it, once nobody has it alone.

    Args:
        handle: of the file, open; where there are no locks nothing is done.
    """
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH)


def is_at(handle: int, path: Path, *, follow_links: bool = True) -> bool:
    """Whether an open file still has its name: it may have been removed, or replaced.

    Args:
        handle: of the file.
        path: its name.
        follow_links: take a link to it for it.

    Returns:
        True where it has.
    """
    try:
        return os.path.samestat(os.fstat(handle), path.stat(follow_symlinks=follow_links))
    except FileNotFoundError:
        return False
