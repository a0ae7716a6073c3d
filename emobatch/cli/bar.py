"""What all progress bars share."""

from __future__ import annotations

import sys
from typing import Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from emobatch.cli.console import console
from emobatch.cli.verbosity import is_quiet


class TerminalBar:
    """A bar on standard error, if that is a terminal.

    Attributes:
        is_shown: whether it is.
    """

    def __init__(self, words: str, **fields: Any) -> None:
        """Begin at nothing.

        Args:
            words: behind the count of what is done, a format of ``task.fields``.
            fields: those, at the beginning.
        """
        self.is_shown = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(words),
            TimeRemainingColumn(),
            console=console(stderr=True),
            disable=is_quiet() or not self.is_shown,
        )
        self._task = self._bar.add_task("preparing", total=None, **fields)

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        """Leave the bar as it is."""
        self._bar.stop()
