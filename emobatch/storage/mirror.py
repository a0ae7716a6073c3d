"""A folder on this machine that is kept in step with one in object storage."""

from __future__ import annotations

import logging
from _thread import interrupt_main
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from emobatch.errors import StorageError
from emobatch.storage.address import Address
from emobatch.storage.hold import Hold
from emobatch.storage.objects import Objects
from emobatch.storage.systems import Systems

log = logging.getLogger(__name__)

# Seconds between two looks at the folder: what a run finished in the last of them is lost where
# its machine is.
PERIOD = 10.0
# Seconds between two signs of life.
BEAT = 30.0


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
        self.objects = Objects(systems.of(folder), folder)
        self.here = here
        self._concerns = concerns
        self._known: dict[str, tuple[int, int]] = {}
        self._stop = Event()

    def fetch(self) -> None:
        """Have here what is stored."""
        for name in [*self.objects.among(self._concerns.files), *self._in_folder()]:
            if name in self._concerns:
                self.objects.get(name, self.here / name)
                self._known[name] = _version(self.here / name)

    def store(self) -> None:
        """Have stored what is here, and nothing else."""
        files = self._files()
        for name, version in files.items():
            if self._known.get(name) == version:
                continue
            try:
                self.objects.put(name, self.here / name)
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
            self.objects.write(rubbish, b"")
        for name in gone:
            self.objects.remove(name)
            del self._known[name]
        if all_gone:
            self.objects.remove(rubbish)

    def _in_folder(self) -> list[str]:
        return [
            f"{self._concerns.folder}/{name}" for name in self.objects.names(self._concerns.folder)
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
