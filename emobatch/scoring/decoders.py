"""Processes that decode files: one that crashes or hangs costs its own file, and is replaced."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from threading import Condition, Thread

import numpy as np

from emobatch.errors import AudioError
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clip import Clip, read
from emobatch.manifests.decoder import END
from emobatch.processes import Child, can_start

log = logging.getLogger(__name__)

ENTRY = "emobatch.manifests.decoder:serve"
# More than a few starve the models of cores; and one does for the first files.
MOST, FILES_EACH = 4, 8
# A process may have been killed for what others do; a file that ends two of them did it.
ATTEMPTS = 2
# Seconds that one may take to import what it needs, on a machine that has much else to do.
START_SECONDS = 300.0
NOTHING_MORE = "nothing more could be read of it in {:g} s"
CRASHED = "its decoder ended with {}; convert the file to another format"


class Decoders:
    """A few processes that decode files, shared by all chunks of a run.

    Files get one in the order in which they were ordered. A chunk orders its files in their own
    order, so that the one whose windows it waits for always has one.
    """

    def __init__(self, cores: int, entry: str | None = None) -> None:
        """Let one get ready.

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
        self._waiting: deque[Order] = deque()
        self._change = Condition()
        self._is_starting = not self.is_broken
        if self._is_starting:
            Thread(target=self._start_first, daemon=True).start()

    def order(self, clip: Clip, most_seconds: float, time_limit: float) -> Order:
        """Order a file, to be decoded when it is its turn.

        Args:
            clip: in a file.
            most_seconds: of audio that may be decoded of it.
            time_limit: seconds to wait for its next window.

        Returns:
            What gives its windows.
        """
        order = Order(self, clip, most_seconds, time_limit)
        with self._change:
            self._waiting.append(order)
        return order

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

    def take(self, order: Order) -> Child | None:
        """Wait for a process.

        Args:
            order: whose turn it must be.

        Returns:
            A process; None where there are none, or where nobody wants it any more.
        """
        with self._change:
            self._change.wait_for(lambda: self._is_turn(order))
            self._waiting.remove(order)
            self._change.notify_all()
            if self.is_closed or self.is_broken or order.is_cancelled:
                return None
            if self._free:
                return order.holds(self._free.pop())
            self._is_starting = True
        return self.started(order)

    def started(self, order: Order | None) -> Child | None:
        """Start one more.

        Args:
            order: to hold it, None where it is for whoever comes.

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
            elif order is None:
                self._free.append(child)
            return child if order is None else order.holds(child)

    def give_back(self, child: Child, order: Order, *, is_idle: bool) -> str | None:
        """Let a process go.

        Args:
            child: the process.
            order: that had it.
            is_idle: whether it can do something else.

        Returns:
            How it ended, None where it hasn't.
        """
        with self._change:
            order.holds(None)
            self._done += 1
            keep = is_idle and not self.is_closed and len(self._all) <= self._most
            if keep:
                self._free.append(child)
            else:
                self._all.discard(child)
            self._change.notify_all()
        return None if keep else child.end()

    def cancel(self, order: Order) -> None:
        """Decode a file no more.

        Args:
            order: as it was made.
        """
        with self._change:
            order.is_cancelled = True
            if order.child is not None:
                order.child.process.kill()
            self._change.notify_all()

    def _is_turn(self, order: Order) -> bool:
        if self.is_closed or self.is_broken or order.is_cancelled:
            return True
        wanted = len(self._all) < min(self._most, 1 + self._done // FILES_EACH)
        is_one = bool(self._free) or (wanted and not self._is_starting)
        return is_one and self._waiting[0] is order

    def _start_first(self) -> None:
        self.started(None)

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


class Order:
    """A file that a process is to decode."""

    def __init__(
        self, decoders: Decoders, clip: Clip, most_seconds: float, time_limit: float
    ) -> None:
        """See :meth:`Decoders.order`."""
        self.is_cancelled = False
        self.child: Child | None = None
        self._decoders = decoders
        self._clip, self._most_seconds, self._time_limit = clip, most_seconds, time_limit
        self._is_idle = False

    def holds(self, child: Child | None) -> Child | None:
        """Note which process decodes it.

        Args:
            child: the process.

        Returns:
            The same.
        """
        self.child = child
        return child

    def cancel(self) -> None:
        """Decode it no more."""
        self._decoders.cancel(self)

    def windows(self) -> Iterator[Samples]:
        """Have it decoded.

        Yields:
            (samples,) float32, mono, 16 kHz: what :func:`emobatch.manifests.clip.read` gives.

        Raises:
            AudioError: if it can't be read, or its process crashed or hung.
        """
        child = self._decoders.take(self)
        seen = 0
        for attempt in range(ATTEMPTS):
            if self._is_over():
                return
            if child is None:
                yield from read(self._clip, self._most_seconds)
                return
            self._is_idle, ended = False, None
            try:
                for number, window in enumerate(self._answers(child)):
                    if number >= seen:  # else it was handed on before
                        seen += 1
                        yield window
                return
            except (EOFError, OSError):
                log.debug("%s: its decoder ended, for the %d. time", self._clip.path, attempt + 1)
            finally:
                ended = self._decoders.give_back(child, self, is_idle=self._is_idle)
            if attempt + 1 < ATTEMPTS and not self._is_over():
                child = self._decoders.started(self)
        if not self._is_over():
            raise AudioError(CRASHED.format(ended))

    def _answers(self, child: Child) -> Iterator[Samples]:
        child.line.send((self._clip, self._most_seconds))
        while child.line.poll(self._time_limit):
            content = child.line.recv_bytes()
            if content != END:
                yield np.frombuffer(content, np.float32).copy()  # to be written to, as any other
                continue
            cause = child.line.recv()
            self._is_idle = True
            if cause is not None:
                raise cause
            return
        raise AudioError(NOTHING_MORE.format(self._time_limit))

    def _is_over(self) -> bool:
        return self.is_cancelled or self._decoders.is_closed
