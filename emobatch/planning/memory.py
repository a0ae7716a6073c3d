"""How much memory a run takes at most: this process and all that it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

# Seconds between two looks.
EVERY = 0.2


class Peak:
    """Looks at memory from time to time, in a thread; pages that processes share count once.

    Attributes:
        looks: how often it has looked.
    """

    def __init__(self, system: Path = Path("/proc")) -> None:
        """Begin at what this process has taken so far.

        Args:
            system: where Linux tells of processes.
        """
        self._system = system
        self._most = 0
        self.looks = 0
        self._enough = Event()
        self._looking = Thread(target=self._look, daemon=True)

    def __enter__(self) -> Peak:
        """Begin to look."""
        self._looking.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """Look no more."""
        self._enough.set()
        self._looking.join()

    @property
    def most(self) -> int:
        """Bytes, at most; never less than the peak of this process alone."""
        return max(self._most, _own_peak())

    def now(self) -> int:
        """Bytes that are taken now; 0 where the system doesn't tell."""
        family = _family(os.getpid(), self._system)
        return sum(_taken(self._system / pid) for pid in family)

    def _look(self) -> None:
        while True:
            self._most = max(self._most, self.now())
            self.looks += 1
            if self._enough.wait(EVERY):
                return


def _own_peak() -> int:
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _family(pid: int, system: Path) -> Iterator[str]:
    # This process and those that come from it.
    parents: dict[str, str] = {}
    for folder in system.glob("[0-9]*"):
        with suppress(OSError, IndexError):  # it has just ended
            # After the name in brackets, which may have any character in it: state and parent.
            parents[folder.name] = (folder / "stat").read_text().rpartition(")")[2].split()[1]
    for name in parents:
        ancestor: str | None = name
        while ancestor not in (None, str(pid)):
            ancestor = parents.get(str(ancestor))
        if ancestor is not None:
            yield name


def _taken(folder: Path) -> int:
    with suppress(OSError, ValueError, StopIteration):
        lines = (folder / "smaps_rollup").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return 0
