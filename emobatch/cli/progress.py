"""How far a run is: a progress bar on a terminal; elsewhere notes say it."""

from __future__ import annotations

from threading import Lock
from time import monotonic

from emobatch.cli.bar import TerminalBar


class Bar(TerminalBar):
    """Shows rows, audio and errors on standard error if that is a terminal.

    It is an :class:`emobatch.scoring.progress.Progress`.
    """

    def __init__(self, before: str = "loading models", then: str = "scoring") -> None:
        """Begin at nothing.

        Args:
            before: what is done before the first row.
            then: what is done to rows.
        """
        words = "rows, {task.fields[errors]} errors, {task.fields[speed]}"
        super().__init__(words, speed="", errors=0)
        self._before, self._then = before, then
        self._began = monotonic()
        self._rows = self._known = 0  # known: of an earlier run
        self._errors = 0
        self._seconds = 0.0
        self._lock = Lock()

    def start(self, rows: int, done: int = 0) -> None:
        """Show what is done before the first row.

        Args:
            rows: how many there are.
            done: how many of them an earlier run has done.
        """
        self._rows = self._known = done
        self._bar.reset(self._task, total=rows, description=self._before, completed=done)

    def begin(self) -> None:
        """Begin to measure speed, now that rows are worked on."""
        self._began = monotonic()
        self._bar.reset(self._task, description=self._then, completed=self._rows)

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        """Count what is through.

        Args:
            rows: that are through.
            errors: rows that failed.
            seconds: of audio.
        """
        with self._lock:
            self._rows += rows
            self._errors += errors
            self._seconds += seconds
            self._bar.update(
                self._task,
                completed=self._rows,
                speed=f"{self._speed()}, left",
                errors=self._errors,
            )

    def _speed(self) -> str:
        elapsed = max(monotonic() - self._began, 1e-9)
        if self._seconds:
            return f"{self._seconds / elapsed:.1f} h audio/h"
        return f"{(self._rows - self._known) / elapsed:.1f} rows/s"
