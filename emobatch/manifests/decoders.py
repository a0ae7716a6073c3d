"""Processes that decode files: one that crashes or hangs costs its own file, and is replaced."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Self

from emobatch.processes import Child, can_start

log = logging.getLogger(__name__)

ENTRY = "emobatch.manifests.decoder:serve"
# More than a few starve the models of cores; and one does for the first orders.
MOST, ORDERS_EACH = 4, 8
# Seconds that one may take to import what it needs, on a machine that has much else to do.
START_SECONDS = 300.0
# Seconds to wait for more of a file, where the user doesn't say.
PATIENCE = 120.0


@dataclass(eq=False)
class Turn:
    """A place among those who wait for a process.

    Attributes:
        child: the process, while they have it.
        is_cancelled: whether it is wanted no more.
    """

    child: Child | None = None
    is_cancelled: bool = False

    def holds(self, child: Child | None) -> Child | None:
        """Note which process it is.

        Args:
            child: the process.

        Returns:
            The same.
        """
        self.child = child
        return child


class Decoders:
    """A few processes that read files, shared by all chunks of a run.

    Who waits gets one in the order in which they asked. A chunk asks for its files in their own
    order, so that the one whose windows it waits for always has one.
    """

    def __init__(self, cores: int, entry: str | None = None) -> None:
        """Start none before it is wanted.

        Args:
            cores: that there are to decode on.
            entry: what such a process does, None for what it usually does.
        """
        self.is_broken = not can_start()
        self.is_closed = False
        self._most = max(1, min(MOST, cores))
        self._entry = entry or ENTRY
        self._all: set[Child] = set()
        self._free: list[Child] = []
        self._done = 0
        self._waiting: deque[Turn] = deque()
        self._change = Condition()
        self._is_starting = False

    def __enter__(self) -> Self:
        """Keep them."""
        return self

    def __exit__(self, *raised: object) -> None:
        """End them."""
        self.close()

    def get_ready(self) -> Self:
        """Have the first one started, meanwhile.

        Returns:
            The same.
        """
        with self._change:
            if not (self.is_broken or self._is_starting or self._all):
                self._is_starting = True
                Thread(target=self.started, args=(None,), daemon=True).start()
        return self

    def wait_for_one(self) -> None:
        """Wait until one is ready, or it is known that there will be none."""
        self.get_ready()
        with self._change:
            self._change.wait_for(lambda: not self._is_starting)

    def queue(self, turn: Turn) -> None:
        """Let somebody wait for a process.

        Args:
            turn: before those that come later.
        """
        with self._change:
            self._waiting.append(turn)

    def close(self) -> None:
        """End all of them, whatever they do."""
        with self._change:
            self.is_closed = True
            free, self._free = self._free, []
            for child in self._all.difference(free):
                child.process.kill()  # seen by the thread that waits for it
            self._change.notify_all()
        for child in free:
            child.end()

    def take(self, turn: Turn) -> Child | None:
        """Wait for a process.

        Args:
            turn: whose it must be.

        Returns:
            A process; None where there are none, or where nobody wants it any more.
        """
        with self._change:
            self._change.wait_for(lambda: self._is_turn(turn))
            self._waiting.remove(turn)
            self._change.notify_all()
            if self.is_closed or self.is_broken or turn.is_cancelled:
                return None
            if self._free:
                return turn.holds(self._free.pop())
            self._is_starting = True
        return self.started(turn)

    def started(self, turn: Turn | None) -> Child | None:
        """Start one more.

        Args:
            turn: to hold it, None where it is for whoever comes.

        Returns:
            A process that is ready; None where none can be started.
        """
        child = self._begun()
        with self._change:
            self._is_starting = False
            self._change.notify_all()
            if child is None:
                self.is_broken = True
                return None
            self._all.add(child)
            if self.is_closed:
                child.process.kill()
            elif turn is None:
                self._free.append(child)
            return child if turn is None else turn.holds(child)

    def give_back(self, child: Child, turn: Turn, *, is_idle: bool) -> str | None:
        """Let a process go.

        Args:
            child: the process.
            turn: that had it.
            is_idle: whether it can do something else.

        Returns:
            How it ended, None where it hasn't.
        """
        with self._change:
            turn.holds(None)
            self._done += 1
            keep = is_idle and not self.is_closed and len(self._all) <= self._most
            if keep:
                self._free.append(child)
            else:
                self._all.discard(child)
            self._change.notify_all()
        return None if keep else child.end()

    def cancel(self, turn: Turn) -> None:
        """Let a process go that is wanted no more, whatever it does.

        Args:
            turn: of who had it, or waits for it.
        """
        with self._change:
            turn.is_cancelled = True
            if turn.child is not None:
                turn.child.process.kill()
            self._change.notify_all()

    def _is_turn(self, turn: Turn) -> bool:
        if self.is_closed or self.is_broken or turn.is_cancelled:
            return True
        wanted = len(self._all) < min(self._most, 1 + self._done // ORDERS_EACH)
        is_one = bool(self._free) or (wanted and not self._is_starting)
        return is_one and self._waiting[0] is turn

    def _begun(self) -> Child | None:
        try:
            child = Child.start(self._entry)
        except OSError as error:
            log.warning("note: files are decoded in this process: %s", error)
            return None
        try:
            if child.line.poll(START_SECONDS):
                child.line.recv()
                return child
        except (EOFError, OSError):
            pass
        log.warning("note: files are decoded in this process: none to decode them in could start")
        child.end()
        return None
