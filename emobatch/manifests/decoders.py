"""Processes that decode files: one that crashes or hangs costs its own file, and is replaced."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from threading import Condition, Thread
from typing import Any, Generic, Self

from emobatch.errors import AudioError
from emobatch.manifests.clip import Clip
from emobatch.manifests.decoder import END, Found, Measure, Task
from emobatch.processes import Child, can_start

log = logging.getLogger(__name__)

ENTRY = "emobatch.manifests.decoder:serve"
# More than a few starve the models of cores; and one does for the first orders.
MOST, ORDERS_EACH = 4, 8
# A process may have been killed for what others do; a file that ends two of them did it.
ATTEMPTS = 2
# Seconds that one may take to import what it needs, on a machine that has much else to do.
START_SECONDS = 300.0
NOTHING_MORE = "nothing more could be read of it in {:g} s"
CRASHED = "its decoder ended with {}; convert the file to another format"


class Decoders:
    """A few processes that read files, shared by all chunks of a run.

    Files get one in the order in which they were ordered. A chunk orders its files in their own
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
        self._waiting: deque[Order[Any]] = deque()
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

    def order(self, task: Task[Found], time_limit: float) -> Order[Found]:
        """Order something, to be done when it is its turn.

        Args:
            task: what is to be done.
            time_limit: seconds to wait for what is found next.

        Returns:
            What gives what is found.
        """
        order = Order(self, task, time_limit)
        with self._change:
            self._waiting.append(order)
        return order

    def lengths(self, clips: Sequence[Clip], time_limit: float) -> Iterator[float | str]:
        """Have it read by their headers how long files are.

        Args:
            clips: of files here.
            time_limit: seconds to wait for any of them.

        Yields:
            Seconds of each file, in order, or why it can't be read. Nothing more once these
            processes are closed.
        """
        done = 0
        while done < len(clips) and not self.is_closed:
            order = self.order(Measure(tuple(clips[done:])), time_limit)
            try:
                results = order.results()
                for found in results:
                    done += 1
                    if done == len(clips):
                        # Who asks for no more than there is would leave the process at work.
                        deque(results, maxlen=0)
                    yield found
            except AudioError as error:  # of the first of which nothing was found
                done += 1
                yield str(error)
            finally:
                order.cancel()

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

    def take(self, order: Order[Any]) -> Child | None:
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

    def started(self, order: Order[Any] | None) -> Child | None:
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

    def give_back(self, child: Child, order: Order[Any], *, is_idle: bool) -> str | None:
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

    def cancel(self, order: Order[Any]) -> None:
        """Want something no more.

        Args:
            order: as it was made.
        """
        with self._change:
            order.is_cancelled = True
            if order.child is not None:
                order.child.process.kill()
            self._change.notify_all()

    def _is_turn(self, order: Order[Any]) -> bool:
        if self.is_closed or self.is_broken or order.is_cancelled:
            return True
        wanted = len(self._all) < min(self._most, 1 + self._done // ORDERS_EACH)
        is_one = bool(self._free) or (wanted and not self._is_starting)
        return is_one and self._waiting[0] is order

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


class Order(Generic[Found]):
    """Something that a process is to do."""

    def __init__(self, decoders: Decoders, task: Task[Found], time_limit: float) -> None:
        """See :meth:`Decoders.order`."""
        self.is_cancelled = False
        self.child: Child | None = None
        self._decoders, self._task, self._time_limit = decoders, task, time_limit
        self._is_idle = False

    def holds(self, child: Child | None) -> Child | None:
        """Note which process does it.

        Args:
            child: the process.

        Returns:
            The same.
        """
        self.child = child
        return child

    def cancel(self) -> None:
        """Want it no more."""
        self._decoders.cancel(self)

    def results(self) -> Iterator[Found]:
        """Have it done.

        Yields:
            What the task gives, in order.

        Raises:
            AudioError: if the task can't go on, or its process crashed or hung.
        """
        child = self._decoders.take(self)
        if child is None and not self._is_over():
            yield from self._task.run(one_by_one=True)
            return
        seen, ended = 0, None
        for attempt in range(ATTEMPTS):
            if child is None or self._is_over():
                break
            self._is_idle = False
            try:
                for number, found in enumerate(self._answers(child, one_by_one=attempt > 0)):
                    if number >= seen:  # else it was handed on before
                        seen += 1
                        yield found
                return
            except (EOFError, OSError):
                log.debug("%s: its decoder ended, for the %d. time", self._task, attempt + 1)
            finally:
                ended = self._decoders.give_back(child, self, is_idle=self._is_idle)
            if attempt + 1 < ATTEMPTS and not self._is_over():
                child = self._decoders.started(self)
        if not self._is_over():
            raise AudioError(CRASHED.format(ended))

    def _answers(self, child: Child, *, one_by_one: bool) -> Iterator[Found]:
        child.line.send((self._task, one_by_one))
        while child.line.poll(self._time_limit):
            content = child.line.recv_bytes()
            if content != END:
                yield self._task.unpacked(content)
                continue
            cause = child.line.recv()
            self._is_idle = True
            if cause is not None:
                raise cause
            return
        raise AudioError(NOTHING_MORE.format(self._time_limit))

    def _is_over(self) -> bool:
        return self.is_cancelled or self._decoders.is_closed
