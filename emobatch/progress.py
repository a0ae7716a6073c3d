"""How far `score` is: a progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from time import monotonic
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from emobatch.console import console
from emobatch.utterances import Utterance, Window


class Progress:
    """Counts rows, audio and errors, and shows them on standard error if that is a terminal."""

    def __init__(self, rows: int) -> None:
        """Begin at nothing.

        Args:
            rows: how many there are.
        """
        self._began = monotonic()
        self._seconds = 0.0
        self._errors = 0
        self._rows = 0
        self._bar = Bar(
            TextColumn("scoring"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("rows, {task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("left, {task.fields[errors]} errors"),
            console=console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=rows, speed="- h of audio per hour", errors=0)

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

    def start_at(self, rows: int) -> None:
        """Count rows that an earlier run has done.

        Args:
            rows: how many.
        """
        self._rows = rows
        self._show(rows)

    def advance(self, windows: Sequence[Window]) -> None:
        """Count windows that are through both branches, and rows whose last window that is.

        Args:
            windows: a batch.
        """
        shown = self._rows
        for window in windows:
            self._seconds += window.seconds
            window.utterance.windows_left -= 1
            shown += window.utterance.decoded and window.utterance.windows_left == 0
        self._show(shown)

    def finished(self, utterances: Sequence[Utterance]) -> None:
        """Count a chunk's rows, scored or failed.

        Args:
            utterances: all of the chunk.
        """
        self._rows += len(utterances)
        self._errors += sum(utterance.error is not None for utterance in utterances)
        self._show(self._rows)

    def _show(self, rows: int) -> None:
        elapsed = max(monotonic() - self._began, 1e-9)
        self._bar.update(
            self._task,
            completed=rows,
            speed=f"{self._seconds / elapsed:.1f} h of audio per hour",
            errors=self._errors,
        )
