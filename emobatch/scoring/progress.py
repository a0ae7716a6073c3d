"""How far a run is: told by whoever scores, shown by whoever likes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from emobatch.scoring.utterances import Utterance, Window


class Progress(Protocol):
    """Is told how far a run is, from several threads."""

    @property
    def is_shown(self) -> bool:
        """Whether somebody sees it: where nobody does, a run notes each minute how far it is."""

    def start(self, rows: int, done: int = 0) -> None:
        """Models are about to be loaded.

        Args:
            rows: how many there are.
            done: how many of them an earlier run has done.
        """

    def begin(self) -> None:
        """Models are loaded, and scoring begins."""

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        """More is done.

        Args:
            rows: that are through.
            errors: rows that failed.
            seconds: of audio that is through.
        """


class Silent:
    """Tells nobody, nor does the run, but once."""

    is_shown = True

    def start(self, rows: int, done: int = 0) -> None:
        """Hear of a run."""

    def begin(self) -> None:
        """Hear of its models."""

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        """Hear of its rows."""


@dataclass
class Count:
    """Adds up what it is told, so that another process or machine can hand it back.

    Attributes:
        rows: that are through.
        errors: rows that failed.
        seconds: of audio that is through.
    """

    is_shown: ClassVar[bool] = True
    rows: int = 0
    errors: int = 0
    seconds: float = 0.0

    def start(self, rows: int, done: int = 0) -> None:
        """Hear of a run."""

    def begin(self) -> None:
        """Hear of its models."""

    def advance(self, *, rows: int = 0, errors: int = 0, seconds: float = 0.0) -> None:
        """Add to what there is."""
        self.rows += rows
        self.errors += errors
        self.seconds += seconds

    def pass_on(self, progress: Progress) -> None:
        """Tell another all of it, at once.

        Args:
            progress: is told.
        """
        progress.advance(rows=self.rows, errors=self.errors, seconds=self.seconds)


class Tally:
    """Counts what of a chunk is through; used from one thread."""

    def __init__(self, progress: Progress) -> None:
        """Begin at nothing.

        Args:
            progress: is told of it.
        """
        self._progress = progress
        self._rows = 0

    def through(self, windows: Sequence[Window]) -> None:
        """Count windows with which nothing is to be done any more but to judge the text.

        Args:
            windows: of the chunk.
        """
        rows, seconds = 0, 0.0
        for window in windows:
            seconds += window.seconds
            window.utterance.windows_left -= 1
            rows += window.utterance.decoded and window.utterance.windows_left == 0
        self._rows += rows
        self._progress.advance(rows=rows, seconds=seconds)

    def finished(self, utterances: Sequence[Utterance]) -> None:
        """Count all of the chunk's rows that weren't before: those that failed early among them.

        Args:
            utterances: all of the chunk.
        """
        errors = sum(utterance.error is not None for utterance in utterances)
        self._progress.advance(rows=len(utterances) - self._rows, errors=errors)
        self._rows = len(utterances)
