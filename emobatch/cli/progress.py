"""How far `score` is: a progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Lock
from time import monotonic
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from emobatch.cli.console import console
from emobatch.scoring.utterances import Utterance, Window


class Progress:
    """Counts rows, audio and errors, and shows them on standard error if that is a terminal.

    Attributes:
        errors: rows that failed so far.
    """

    def __init__(self, rows: int) -> None:
        """Begin at nothing.

        Args:
            rows: how many there are.
        """
        self._began = monotonic()
        self._seconds = 0.0
        self.errors = 0
        self._rows = 0
        self._through: set[int] = set()
        self._lock = Lock()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows, {task.fields[errors]} errors, {task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("loading models", total=rows, speed="", errors=0)

    def __enter__(self) -> Progress:
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

    def begin(self, rows: int = 0) -> None:
        """Begin to measure speed, now that models are loaded.

        Args:
            rows: how many an earlier run has done.
        """
        self._began = monotonic()
        self._rows = rows
        self._bar.reset(self._task, description="scoring", completed=rows)

    def advance(self, windows: Sequence[Window]) -> None:
        """Count windows that are through both branches, and rows whose last window that is.

        Args:
            windows: a batch, of any of the chunks that are being scored.
        """
        with self._lock:
            for window in windows:
                self._seconds += window.seconds
                window.utterance.windows_left -= 1
                if window.utterance.decoded and window.utterance.windows_left == 0:
                    self._through.add(id(window.utterance))
        self._show()

    def finished(self, utterances: Sequence[Utterance]) -> None:
        """Count a chunk's rows, scored or failed.

        Args:
            utterances: all of the chunk.
        """
        with self._lock:
            self._rows += len(utterances)
            self._through -= {id(utterance) for utterance in utterances}
        self.errors += sum(utterance.error is not None for utterance in utterances)
        self._show()

    def _show(self) -> None:
        elapsed = max(monotonic() - self._began, 1e-9)
        self._bar.update(
            self._task,
            completed=self._rows + len(self._through),
            speed=f"{self._seconds / elapsed:.1f} h audio/h, left",
            errors=self.errors,
        )
