"""Signals by which a scheduler or a user ends a run."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from emobatch.errors import Interrupted

# Slurm warns with SIGUSR1 or SIGUSR2 where told to, and SIGTERM comes before SIGKILL.
NAMES = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGHUP")


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn signals into :class:`Interrupted` while the block runs.

    Yields:
        Nothing.

    Raises:
        Interrupted: when a signal comes.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # once is enough: nothing disturbs the ending
        raise Interrupted(f"interrupted by {signal.Signals(number).name}")

    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread, which may not be ours
        return
    # Windows knows two of them.
    numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    # What was ignored when we came, as SIGHUP is under nohup, stays ignored.
    heeded = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore() -> None:
    """Heed no signal any more: the work is done, and a late warning must not make it a failure."""
    for name in NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
