"""Chunks in processes of this machine, each with models of its own and a share of the cores."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import Queue
from threading import Lock, Thread
from typing import Any

from emobatch.errors import WorkerError
from emobatch.processes import Child
from emobatch.scoring.progress import Progress
from emobatch.scoring.runners.threads import in_order
from emobatch.scoring.runners.worker import (
    AT_ONCE,
    ENTRY,
    Advanced,
    Failed,
    Noted,
    Orders,
    Ready,
)
from emobatch.scoring.work import Chunk, Work

log = logging.getLogger(__name__)
LOST = (
    "a process that scores ended with {}; with SIGKILL it was short of memory: give fewer "
    "--workers. The same command goes on from what is saved"
)


def scored_in_processes(work: Work, firsts: Iterable[int], count: int) -> Iterator[Chunk]:
    """Score chunks in several processes.

    Args:
        work: what is to be scored.
        firsts: number of each chunk's first row.
        count: processes.

    Yields:
        The chunks in order.

    Raises:
        EmobatchError: if models can't be loaded, or a process is lost.
    """
    threads = max(1, work.recipe.device.workers // count)
    orders = Orders(work.recipe, threads, log.getEffectiveLevel())
    with ExitStack() as running:
        workers: list[Worker] = []
        for _ in range(count):
            worker = Worker(Child.start(ENTRY, settings(threads)), work.progress)
            running.callback(worker.child.end)
            worker.begin(orders)
            workers.append(worker)
        workers[0].ready.result()  # so that what is wrong with all of them is said at once
        work.progress.begin()
        free: Queue[Worker] = Queue()
        for worker in workers * AT_ONCE:
            free.put(worker)

        def score(first: int) -> Chunk:
            worker = free.get()
            try:
                return worker.score(work.chunk(first))
            finally:
                free.put(worker)

        at_once = count * AT_ONCE
        yield from in_order(score, firsts, at_once, at_once)


def settings(threads: int) -> dict[str, str]:
    """Say how many threads the libraries of a process may have.

    Args:
        threads: cores that it has.

    Returns:
        Settings of its environment.
    """
    return {"POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}


@dataclass
class Worker:
    """A process that scores chunks, as seen from here; used from several threads.

    Attributes:
        child: the process.
        progress: told what it says of its own.
        ready: done once its models are loaded.
    """

    child: Child
    progress: Progress
    ready: Future[None] = field(default_factory=Future)
    _asked: dict[int, Future[Chunk]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _lost: Exception | None = None

    def begin(self, orders: Orders) -> None:
        """Have its models loaded.

        Args:
            orders: what it is to do.
        """
        self._send(orders)
        Thread(target=self._listen, daemon=True).start()

    def score(self, chunk: Chunk) -> Chunk:
        """Have a chunk scored, and wait for it.

        Args:
            chunk: of the manifest.

        Returns:
            Its rows of the score table.

        Raises:
            EmobatchError: if it can't be, or the process is lost.
        """
        self.ready.result()
        answer: Future[Chunk] = Future()
        with self._lock:
            if self._lost is not None:
                raise self._lost
            self._asked[chunk.first] = answer
        self._send(chunk)
        return answer.result()

    def _send(self, message: object) -> None:
        try:
            with self._lock:
                self.child.line.send(message)
        except OSError:
            pass  # it is gone, as whoever listens to it is told

    def _listen(self) -> None:
        try:
            while True:
                self._heard(self.child.line.recv())
        except Exception as error:
            if not isinstance(error, EOFError | OSError):
                log.debug("what a process said makes no sense: %s", error)
            self._lose(WorkerError(LOST.format(self.child.end())))

    def _heard(self, message: Any) -> None:
        if isinstance(message, Advanced):
            self.progress.advance(**message.counts)
        elif isinstance(message, Noted):
            logging.getLogger(message.logger).log(message.level, "%s", message.text)
        elif isinstance(message, Ready):
            self.ready.set_result(None)
        elif isinstance(message, Failed) and message.first is None:
            self._lose(message.error)
        elif isinstance(message, Failed | Chunk):
            with self._lock:
                answer = self._asked.pop(message.first or 0)
            if isinstance(message, Failed):
                answer.set_exception(message.error)
            else:
                answer.set_result(message)

    def _lose(self, error: Exception) -> None:
        with self._lock:
            self._lost = self._lost or error
            asked, self._asked = self._asked, {}
        if not self.ready.done():
            self.ready.set_exception(error)
        for answer in asked.values():
            answer.set_exception(error)
