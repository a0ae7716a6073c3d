"""How fast a run is, and when it may be done: said after a minute, and each minute if need be."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from threading import Lock
from time import monotonic

from emobatch.scoring.progress import Progress
from emobatch.wording import lasting

log = logging.getLogger(__name__)

# Seconds of scoring after which what is left is estimated, and again where no bar shows it.
EVERY = 60.0


class Pace:
    """Measures a run, and hands on what it is told; a :class:`~emobatch.scoring.progress.Progress`.

    Models that are being loaded, and rows of an earlier run, count for nothing.
    """

    def __init__(self, shown: Progress, clock: Callable[[], float] = monotonic) -> None:
        """Begin at nothing.

        Args:
            shown: is told all that this is told.
            clock: seconds from any beginning.
        """
        self._shown = shown
        self._clock = clock
        self._lock = Lock()
        self._rows = self._errors = self._todo = 0
        self._seconds = 0.0
        self._began: float | None = None
        self._next_look = EVERY

    @property
    def is_shown(self) -> bool:
        """Whether somebody sees how far the run is."""
        return self._shown.is_shown

    def start(self, rows: int, done: int = 0) -> None:
        """Models are about to be loaded.

        Args:
            rows: how many there are.
            done: how many of them an earlier run has done.
        """
        self._todo = rows - done
        self._shown.start(rows, done)

    def begin(self) -> None:
        """Models are loaded, and scoring begins."""
        self._began = self._clock()
        self._shown.begin()

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        """More is done.

        Args:
            rows: that are through.
            errors: rows that failed.
            seconds: of audio that is through.
        """
        self._shown.advance(rows=rows, errors=errors, seconds=seconds)
        with self._lock:
            self._rows += rows
            self._errors += errors
            self._seconds += seconds
            elapsed = self._elapsed()
            # Without a row, as in a file of hours, nothing can be said yet; of the last, no more.
            if elapsed < self._next_look or not 0 < self._rows < self._todo:
                return
            self._next_look = math.inf if self.is_shown else (elapsed // EVERY + 1) * EVERY
            left = elapsed * (self._todo - self._rows) / self._rows
            said = f"{self._rows} of {self._todo} rows in {lasting(elapsed)}"
            said += f", {self._errors} failed" if self._errors else ""
        said += f", {speed}" if (speed := self.speed()) else ""
        log.info("note: %s; about %s left", said, lasting(left))

    def speed(self) -> str:
        """Say how fast the run was so far.

        Returns:
            How many times faster or slower than the audio is long; empty where nothing was scored.
        """
        elapsed = self._elapsed()
        if not (elapsed and self._seconds):
            return ""
        factor = self._seconds / elapsed
        kind = "faster" if factor >= 1 else "slower"
        return f"{max(factor, 1 / factor):.1f} times {kind} than real time"

    def _elapsed(self) -> float:
        return 0.0 if self._began is None else self._clock() - self._began
