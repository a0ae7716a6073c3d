"""Files fetched, again where the cause was a passing one, and never for ever."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import sleep
from typing import TypeVar

from emobatch.errors import StorageError, first_line
from emobatch.storage.address import Address
from emobatch.storage.systems import FORBIDDEN, Systems

Result = TypeVar("Result")

# Times that a file is asked for, and seconds before the second; each further pause is twice as
# long, more or less, so that hundreds of jobs don't ask at the same moment.
ATTEMPTS, PAUSE = 5, 0.5
# What a server answers that can't answer just now.
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
# What of a file's description changes when the file does.
VERSIONS = (
    *("size", "ETag", "etag", "Last-Modified", "LastModified", "Content-MD5", "Digest"),
    *("generation", "updated", "mtime", "md5Hash", "blob_id", "xet_hash"),
)
# In the names of errors that no common class tells apart.
PASSING = ("Connect", "Timeout", "Disconnected", "Payload", "Protocol", "IncompleteRead")


class Stopped(Exception):  # noqa: N818 - nobody's error
    """Nobody wants the file any more."""


@dataclass(frozen=True)
class Described:
    """A file as its server describes it.

    Attributes:
        version: another one once the file has changed, as far as the server says.
        size: bytes, None where the server doesn't say.
    """

    version: str
    size: int | None


class Download:
    """Fetches files, until it is stopped. May be used from several threads."""

    def __init__(self, systems: Systems, most_bytes: int) -> None:
        """Fetch nothing yet.

        Args:
            systems: file systems.
            most_bytes: that a file may have.
        """
        self._systems = systems
        self._most = most_bytes
        self._stop = Event()

    def stop(self) -> None:
        """Fetch nothing more; what is being fetched is dropped."""
        self._stop.set()

    def describe(self, address: Address) -> Described:
        """Ask what a file is, without fetching it.

        Args:
            address: of the file.

        Returns:
            Its version and size.

        Raises:
            StorageError: if it isn't there, or too large.
        """
        system = self._systems.of(address)
        info = self._patiently(lambda: system.info(address.text))
        if info.get("type") == "directory":
            raise StorageError("is a folder")
        size = info.get("size")
        self._check_size(size)
        known = {name: str(info[name]) for name in VERSIONS if info.get(name) is not None}
        return Described(repr(sorted(known.items())), size)

    def fetch(self, address: Address, target: Path, size: int | None) -> None:
        """Fetch a file.

        Args:
            address: of the file.
            target: file to write.
            size: bytes that there must be, None where that isn't known.

        Raises:
            StorageError: if it can't be had; there may be a part of it then.
        """
        from fsspec.callbacks import Callback

        system = self._systems.of(address)

        def watch(_: int | None, value: int) -> None:
            self._check_size(value)
            if self._stop.is_set():
                raise Stopped

        def fetched() -> None:
            system.get_file(address.text, str(target), callback=Callback(hooks={"watch": watch}))
            came = target.stat().st_size
            if size is not None and came != size:
                raise ConnectionError(f"{came} of {size} bytes came")

        self._patiently(fetched)

    def names(self, folder: Address) -> list[str]:
        """List all files below a folder.

        Args:
            folder: its address.

        Returns:
            What follows the folder in their addresses.

        Raises:
            StorageError: if it can't be listed.
        """
        system = self._systems.of(folder)
        before = str(system._strip_protocol(folder.text)).rstrip("/") + "/"
        found = self._patiently(lambda: system.find(folder.text))
        return [str(name).removeprefix(before) for name in found]

    def _check_size(self, size: int | None) -> None:
        if size is not None and size > self._most:
            raise StorageError(
                f"is larger than the {self._most} bytes that are kept of fetched files; allow "
                "more with --cache-size"
            )

    def _patiently(self, attempt: Callable[[], Result]) -> Result:
        def wait(seconds: float) -> None:
            if self._stop.wait(seconds):
                raise Stopped

        return patiently(attempt, wait)


def patiently(
    attempt: Callable[[], Result], wait: Callable[[float], None] = sleep, *, what: str = "fetched"
) -> Result:
    """Try what a server may be too busy for, again and again, and not for ever.

    Args:
        attempt: what is tried.
        wait: for so many seconds, before the next time.
        what: is done to the file, for a message.

    Returns:
        What the attempt returns.

    Raises:
        StorageError: if it can't be done.
    """
    number = 0
    while True:
        number += 1
        try:
            return attempt()
        except (StorageError, Stopped):
            raise
        except Exception as error:  # of whatever library reads the scheme
            error = _unhidden(error)
            if number == ATTEMPTS or not _may_pass(error):
                raise StorageError(_said(error, number, what)) from error
        wait(PAUSE * 2 ** (number - 1) * random.uniform(0.5, 1.5))


def _unhidden(error: Exception) -> Exception:
    # fsspec says of any trouble with a web file that it isn't there.
    cause = error.__cause__
    is_web = type(cause).__module__.startswith("aiohttp") or isinstance(cause, TimeoutError)
    return cause if isinstance(cause, Exception) and is_web else error


def _broke_off(error: Exception) -> bool:
    # What aiohttp says of an answer that ends too soon, with a number that the server never gave.
    return type(error).__module__ == "aiohttp.http_exceptions"


def _status(error: Exception) -> int | None:
    if _broke_off(error):
        return None
    found = getattr(error, "status", None) or getattr(error, "code", None)
    found = found or getattr(getattr(error, "response", None), "status_code", None)
    return found if isinstance(found, int) else None


def _may_pass(error: Exception) -> bool:
    status = _status(error)
    if status is not None:
        return status in BUSY
    if FORBIDDEN in str(error) or isinstance(
        error, FileNotFoundError | PermissionError | IsADirectoryError
    ):
        return False
    if _broke_off(error) or isinstance(error, OSError):
        return True
    return any(part in type(error).__name__ for part in PASSING)


def _said(error: Exception, attempts: int, what: str) -> str:
    status = _status(error)
    if FORBIDDEN in str(error):
        return FORBIDDEN
    if isinstance(error, FileNotFoundError) or status == 404:
        return "no such file"
    if isinstance(error, PermissionError) or status in (401, 403):
        return f"no permission for it to be {what}"
    why = f"its server answers {status}" if status else first_line(error)
    return f"can't be {what}: {why}" + (f" ({attempts} times)" if attempts > 1 else "")
