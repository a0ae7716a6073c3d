"""Signals by which a scheduler or a user ends a run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from emobatch.errors import Interrupted

# Slurm warns with SIGUSR1 or SIGUSR2 where told to, and SIGTERM comes before SIGKILL.
NAMES = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2")


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn signals into :class:`Interrupted` while the block runs.

    Afterwards SIGUSR1 and SIGUSR2 are ignored: a scheduler's warning that comes when the work is
    done must not end the process with an error.

    Yields:
        Nothing.

    Raises:
        Interrupted: when a signal comes.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(f"interrupted by {signal.Signals(number).name}")

    # Windows knows two of them.
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            late = handler == signal.SIG_DFL and number not in (signal.SIGINT, signal.SIGTERM)
            signal.signal(number, signal.SIG_IGN if late else handler)
