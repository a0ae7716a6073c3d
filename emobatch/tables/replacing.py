"""Files that appear complete or not at all, and as readable as they should be."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import IO

from polars.exceptions import PolarsError

from emobatch.errors import OutputError, first_line

# How Polars quotes an error of the operating system.
SYSTEM_ERROR = re.compile(r"([^:]+) \(os error \d+\)")
# Bytes that a file has room for where nothing but its content was wrong.
ROOM = 1 << 20


@contextmanager
def replacing(target: Path, beside: Path | None = None) -> Iterator[Path]:
    """Give a file to write aside, which takes the target's place when all went well.

    Args:
        target: the file that shall appear complete or not at all. A link stays a link, and the
            file that it leads to is replaced.
        beside: the file that the target goes with, whose permissions it gets. Nobody names such a
            target: a link in its place was put there by somebody, and is replaced itself.

    Yields:
        A file in the same folder, gone or renamed afterwards.

    Raises:
        OutputError: in place of the operating system's errors.
    """
    if beside is None:
        target = target.resolve()  # a link stays a link
    try:
        with written_aside(target, beside) as partial:
            yield partial
    except OSError as error:
        raise OutputError(f"{target}: {first_line(error)}; mend that or choose another") from error
    except PolarsError as error:
        # What is wrong with the rows is said elsewhere, in the name of where they come from.
        cause = SYSTEM_ERROR.search(str(error))
        if cause is None:
            raise
        raise OutputError(f"{target}: {cause[1]}; mend that or choose another") from error


def no_room(file: IO[bytes]) -> OSError | None:
    """Find out why a file takes no more.

    Polars does not always say it: of a Parquet file that meets a limit it tells of a damaged one.

    Args:
        file: being written, and lost after this.

    Returns:
        What the system says, None where there is room.
    """
    try:
        file.seek(0, os.SEEK_END)
        file.write(bytes(ROOM))
        file.flush()
    except OSError as error:
        return error
    return None


@contextmanager
def written_aside(target: Path, beside: Path | None = None) -> Iterator[Path]:
    """Do what :func:`replacing` does, for those who say themselves what to do where it fails.

    Args:
        target: the file that shall appear complete or not at all; a link is replaced itself.
        beside: the file whose permissions it gets, None for those that it has.

    Yields:
        A file in the same folder, gone or renamed afterwards.

    Raises:
        OSError: if it can't be written.
    """
    mode = _mode(target if beside is None else beside)
    partial = _made_aside(target, readable=mode is None)
    try:
        yield partial
        with partial.open("rb") as handle:
            os.fsync(handle.fileno())  # on disk before it is renamed
        if mode is not None:
            partial.chmod(mode)
        partial.replace(target)
    except PolarsError as error:
        with partial.open("r+b", buffering=0) as handle:
            reason = no_room(handle)
        if reason is not None:
            raise reason from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def _mode(file: Path) -> int | None:
    # Of the file whose permissions a new one gets; None for those of any file that the user makes.
    try:
        return S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        return None


def _made_aside(target: Path, *, readable: bool) -> Path:
    # The umask is the system's to apply: to ask for it is to change it, in all threads. What
    # replaces a file is not to be read by others before it has that file's permissions.
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    os.close(os.open(partial, flags, 0o666 if readable else 0o600))
    return partial
