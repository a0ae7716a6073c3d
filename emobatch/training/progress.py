"""How far a training is: told by its course, shown by whoever likes to, ended by whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

# Names the signal that asks a training to end; None while nothing does.
Stop = Callable[[], str | None]


def never() -> str | None:
    """Say that nothing asks a training to end."""
    return None


class Progress(Protocol):
    """Told how far a training is."""

    def start(self, steps: int, done: int) -> None:
        """Begin; some steps may be done already."""

    def advance(self, loss: float) -> None:
        """Count a step."""

    def measured(self, epoch: int, name: str, value: float) -> None:
        """Show an epoch's figure."""


class Silent:
    """Shows nothing."""

    def start(self, steps: int, done: int) -> None:
        """See :class:`Progress`."""

    def advance(self, loss: float) -> None:
        """See :class:`Progress`."""

    def measured(self, epoch: int, name: str, value: float) -> None:
        """See :class:`Progress`."""
