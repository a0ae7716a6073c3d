"""How far a review is, on a terminal."""

from __future__ import annotations

from emobatch.cli.bar import TerminalBar


class JudgingBar(TerminalBar):
    """Shows rows, errors and tokens spent.

    It is an :class:`emobatch.judging.progress.Progress`.
    """

    def __init__(self) -> None:
        """Begin at nothing."""
        words = "rows, {task.fields[errors]} errors, {task.fields[tokens]:,} tokens, left"
        super().__init__(words, errors=0, tokens=0)
        self._errors = 0

    def start(self, rows: int, done: int = 0) -> None:
        """Begin to count.

        Args:
            rows: that are asked about.
            done: those whose answer is kept.
        """
        self._bar.reset(self._task, total=rows, description="asking", completed=done)

    def begin(self) -> None:
        """Begin to ask."""

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        """Count what is answered.

        Args:
            rows: that are through.
            errors: rows that failed.
            seconds: of audio, which nobody heard.
        """
        self._errors += errors
        self._bar.update(self._task, advance=rows, errors=self._errors)

    def spend(self, tokens: int) -> None:
        """Show what was spent.

        Args:
            tokens: so far.
        """
        self._bar.update(self._task, tokens=tokens)
