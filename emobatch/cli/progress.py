"""How far a run is: a progress bar on a terminal; elsewhere notes say it."""

from __future__ import annotations

import sys
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from emobatch.cli.console import console
from emobatch.cli.verbosity import is_quiet


class Shown:
    """What is shown on standard error while a command works, if that is a terminal."""

    def __init__(self, text: str, **fields: Any) -> None:
        """Begin at nothing.

        Args:
            text: after how many of how many are done, with ``{task.fields[NAME]}``.
            fields: what these are in the beginning.
        """
        self.is_shown = sys.stderr.isatty()
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(text),
            TimeRemainingColumn(),
            console=console(stderr=True),
            disable=is_quiet() or not self.is_shown,
        )
        self._task = self._bar.add_task("preparing", total=None, **fields)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the bar as it is."""
        self._bar.stop()


class Bar(Shown):
    """Shows rows, audio and errors.

    It is an :class:`emobatch.scoring.progress.Progress`.
    """

    def __init__(self) -> None:
        """Begin at nothing."""
        super().__init__(
            "rows, {task.fields[errors]} errors, {task.fields[speed]}", speed="", errors=0
        )
        self._began = monotonic()
        self._rows = 0
        self._errors = 0
        self._seconds = 0.0
        self._lock = Lock()

    def start(self, rows: int, done: int = 0) -> None:
        """Show that models are being loaded.

        Args:
            rows: how many there are.
            done: how many of them an earlier run has done.
        """
        self._rows = done
        self._bar.reset(self._task, total=rows, description="loading models", completed=done)

    def begin(self) -> None:
        """Begin to measure speed, now that models are loaded."""
        self._began = monotonic()
        self._bar.reset(self._task, description="scoring", completed=self._rows)

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
            elapsed = max(monotonic() - self._began, 1e-9)
            self._bar.update(
                self._task,
                completed=self._rows,
                speed=f"{self._seconds / elapsed:.1f} h audio/h, left",
                errors=self._errors,
            )
