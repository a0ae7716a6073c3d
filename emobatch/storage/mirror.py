"""A folder on this machine that is kept in step with one in object storage."""

from __future__ import annotations

import json
import logging
import os
import platform
import secrets
from _thread import interrupt_main
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from emobatch.errors import HeldError, StorageError
from emobatch.storage.address import Address
from emobatch.storage.download import patiently
from emobatch.storage.systems import Systems

log = logging.getLogger(__name__)

# Seconds between two looks at the folder, at most so many are lost where a machine is.
PERIOD = 10.0
# Seconds between two signs of life, and after how many without one a run is taken for gone.
BEAT, GONE = 30.0, 300.0
LOCK_FILE = "lock"


@dataclass(frozen=True)
class Stored:
    """A folder of objects, of which one run at a time may write."""

    system: Any
    folder: Address

    def names(self, folder: str) -> list[str]:
        """Name the objects in a folder of it.

        Args:
            folder: its name.

        Returns:
            What follows that in their addresses, sorted.
        """
        place = self._at(folder)
        before = str(self.system._strip_protocol(place)).rstrip("/") + "/"
        found = patiently(lambda: self.system.find(place))
        return sorted(str(name).removeprefix(before) for name in found)

    def among(self, names: Iterable[str]) -> list[str]:
        """Say which objects there are.

        Args:
            names: of some.

        Returns:
            Those of them, sorted.
        """
        return sorted(
            name
            for name in names
            if patiently(lambda name=name: self.system.exists(self._at(name)))
        )

    def get(self, name: str, target: Path) -> None:
        """Fetch an object.

        Args:
            name: below the folder.
            target: file to write.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        patiently(lambda: self.system.get_file(self._at(name), str(target)))

    def put(self, name: str, source: Path) -> None:
        """Store a file, wholly or not at all.

        Args:
            name: below the folder.
            source: the file.
        """
        patiently(lambda: self.system.put_file(str(source), self._at(name)), what="stored")

    def write(self, name: str, content: bytes) -> None:
        """Store an object.

        Args:
            name: below the folder.
            content: what is in it.
        """
        patiently(lambda: self.system.pipe_file(self._at(name), content), what="stored")

    def create(self, name: str, content: bytes) -> bool:
        """Store an object where there is none.

        Args:
            name: below the folder.
            content: what is to be in it.

        Returns:
            Whether it was stored.
        """

        def attempt() -> bool:
            try:
                self.system.pipe_file(self._at(name), content, mode="create")
            except Exception:
                # However the service says that there is one: no common class tells it.
                if self.read(name) is None:
                    raise
                return self.read(name) == content  # stored by an attempt that seemed to fail
            return True

        return patiently(attempt, what="stored")

    def read(self, name: str) -> bytes | None:
        """Read an object.

        Args:
            name: below the folder.

        Returns:
            What is in it, None where there is none.
        """

        def attempt() -> bytes | None:
            try:
                return bytes(self.system.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

        return patiently(attempt)

    def age(self, name: str) -> float:
        """Say for how long an object has been as it is.

        Args:
            name: below the folder.

        Returns:
            Seconds, by this machine's clock and the service's.
        """
        written: datetime = patiently(lambda: self.system.modified(self._at(name)))
        return (datetime.now(UTC) - written).total_seconds()

    def remove(self, name: str) -> None:
        """Remove an object, if it is there.

        Args:
            name: below the folder.
        """

        def attempt() -> None:
            with suppress(FileNotFoundError):
                self.system.rm_file(self._at(name))

        patiently(attempt, what="removed")

    def _at(self, name: str) -> str:
        return f"{self.folder.text}/{name}"


@dataclass
class Hold:
    """Says to others that a run writes to a folder of objects."""

    stored: Stored
    name: str
    token: bytes = field(
        default_factory=lambda: json.dumps(
            {"host": platform.node(), "process": os.getpid(), "run": secrets.token_hex(8)}
        ).encode()
    )

    def take(self) -> None:
        """Hold it.

        Raises:
            HeldError: if another run does.
        """
        if self.stored.create(self.name, self.token):
            return
        other, age = self.stored.read(self.name), self.stored.age(self.name)
        if other is not None and age < GONE:
            raise HeldError(
                f"{self.stored.folder}/{self.name}: another run is writing there, "
                f"{_who(other)}; where that was killed, this one may begin {GONE - age:.0f} s "
                "from now, else give it another -o"
            )
        self.stored.remove(self.name)
        if not self.stored.create(self.name, self.token):
            raise HeldError(f"{self.stored.folder}/{self.name}: another run has just begun there")

    def renew(self) -> bool:
        """Give a sign of life.

        Returns:
            False where another run took this one for gone.
        """
        if self.stored.read(self.name) != self.token:
            return False
        self.stored.write(self.name, self.token)
        return True

    def release(self) -> None:
        """Let others write there."""
        if self.stored.read(self.name) == self.token:
            self.stored.remove(self.name)


def _who(content: bytes) -> str:
    try:
        said = json.loads(content)
        return f"process {said['process']} on {said['host']}"
    except (ValueError, LookupError, TypeError):
        return "nobody knows which"


@dataclass(frozen=True)
class Concerns:
    """Which files of a folder are a run's.

    Attributes:
        files: names of those in the folder itself.
        folder: name of one in it, all of whose files are, but for hidden ones and those left out.
        left_out: names of files in that.
        rubbish: name of a file in that; where it is, the others are no longer needed.
    """

    files: frozenset[str]
    folder: str
    left_out: frozenset[str]
    rubbish: str

    def __contains__(self, name: str) -> bool:
        """Whether a file is the run's.

        Args:
            name: relative to the folder.

        Returns:
            True where it is.
        """
        folder, _, rest = name.rpartition("/")
        if folder != self.folder:
            return name in self.files
        return rest not in self.left_out and not rest.startswith(".")

    def is_in_folder(self, name: str) -> bool:
        """Whether a file is in the folder's folder.

        Args:
            name: relative to the folder.

        Returns:
            True where it is.
        """
        return name.startswith(f"{self.folder}/")


class Mirror:
    """Keeps objects in step with the files of a run.

    What is new here is stored before what is gone here is removed there. So at any instant what
    is stored is enough to go on from.
    """

    def __init__(self, systems: Systems, folder: Address, here: Path, concerns: Concerns) -> None:
        """Do nothing yet.

        Args:
            systems: file systems.
            folder: address of the objects.
            here: the folder on this machine.
            concerns: which files.
        """
        self.stored = Stored(systems.of(folder), folder)
        self.here = here
        self._concerns = concerns
        self._known: dict[str, tuple[int, int]] = {}
        self._stop = Event()

    def fetch(self) -> None:
        """Have here what is stored."""
        for name in [*self.stored.among(self._concerns.files), *self._in_folder()]:
            if name in self._concerns:
                self.stored.get(name, self.here / name)
                self._known[name] = _version(self.here / name)

    def store(self) -> None:
        """Have stored what is here, and nothing else."""
        files = self._files()
        for name, version in files.items():
            if self._known.get(name) == version:
                continue
            try:
                self.stored.put(name, self.here / name)
            except StorageError:
                if (self.here / name).exists():
                    raise
                continue  # gone: joined with others, which are stored next time
            self._known[name] = version
        # Files that came meanwhile may have in them what was in those that are gone.
        if self._files().keys() <= files.keys():
            self._remove([name for name in self._known if name not in files], files)

    def _remove(self, gone: list[str], files: Iterable[str]) -> None:
        rubbish = f"{self._concerns.folder}/{self._concerns.rubbish}"
        all_gone = gone and not any(map(self._concerns.is_in_folder, files))
        if all_gone:
            # Some of it may be left if this process is killed now, and is not to be gone on from.
            self.stored.write(rubbish, b"")
        for name in gone:
            self.stored.remove(name)
            del self._known[name]
        if all_gone:
            self.stored.remove(rubbish)

    def _in_folder(self) -> list[str]:
        return [
            f"{self._concerns.folder}/{name}" for name in self.stored.names(self._concerns.folder)
        ]

    def keep(self, hold: Hold) -> Thread:
        """Store what comes, from now on, in a thread of its own.

        Args:
            hold: of the folder; where it is lost, the run is interrupted.

        Returns:
            The thread.
        """
        thread = Thread(target=self._keep, args=(hold,), name="mirror", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Store nothing more by itself."""
        self._stop.set()

    def _keep(self, hold: Hold) -> None:
        waited = 0.0
        while not self._stop.wait(PERIOD):
            waited += PERIOD
            try:
                if waited >= BEAT:
                    waited = 0.0
                    if not hold.renew():
                        interrupt_main()
                        return
                self.store()
            except StorageError as error:
                log.warning("note: %s; tried again in %g s", error, PERIOD)

    def _files(self) -> dict[str, tuple[int, int]]:
        found = {}
        for file in sorted(self.here.rglob("*")):
            name = file.relative_to(self.here).as_posix()
            if name in self._concerns and file.is_file():
                try:
                    found[name] = _version(file)
                except FileNotFoundError:
                    continue
        return found


def _version(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size
