"""The workers of a run on a Ray cluster, and which of them scores what."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import polars as pl

from emobatch.errors import DeviceError, first_line
from emobatch.scoring.made_with import made_with, models
from emobatch.scoring.runners.attempts import Attempts, Lost, attempts
from emobatch.scoring.runners.ray_worker import RayWorker
from emobatch.scoring.work import Chunk, Work

log = logging.getLogger(__name__)

# Seconds between two looks at how many workers the cluster has room for.
LOOK = 10.0
# Seconds without any worker after which that is said, again and again.
PATIENCE = 60.0
# Workers that may be lost one after the other, as they load models or as they score, without any
# that did what it was asked: then it isn't the rows' fault.
MOST_LOST_AT_START = 3
MOST_LOST = 100


@dataclass(eq=False)
class Worker:
    """One of them.

    Attributes:
        actor: Ray's handle of its process.
        is_open: whether its models are loaded.
        is_alone: whether it has nothing but rows that may end it.
        running: what it scores, by Ray's name for the result.
    """

    actor: Any
    is_open: bool = False
    is_alone: bool = False
    running: dict[Any, Try] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Try:
    """Rows of a chunk that are scored together.

    Attributes:
        first: number of the chunk's first row.
        attempts: what is done about the chunk.
        rows: of it.
    """

    first: int
    attempts: Attempts
    rows: pl.DataFrame


class Crew:
    """Workers as many as there is room for; those that are lost are replaced."""

    def __init__(self, ray: Any, work: Work, cpus: float, gpus: float, count: int | None) -> None:
        """Plan; nothing is started yet.

        Args:
            ray: the module, joined to a cluster.
            work: what is to be scored.
            cpus: cores to a worker.
            gpus: GPUs to a worker.
            count: how many workers, None for as many as there is room for.
        """
        self._ray, self._work, self._count = ray, work, count
        recipe = work.recipe
        self._share = {"CPU": cpus, "GPU": gpus}
        self._at_a_time = 2 + recipe.device.workers // 4
        self._kind = ray.remote(RayWorker).options(
            num_cpus=cpus,
            num_gpus=gpus,
            max_restarts=0,
            max_concurrency=self._at_a_time,
        )
        self._threads = os.environ.get("OMP_NUM_THREADS", "1")
        self._recipe = ray.put(recipe)
        self._made = made_with(recipe.plan, recipe.device, recipe.gate, models(recipe.plan))
        self._workers: list[Worker] = []
        self._opening: dict[Any, Worker] = {}
        self._todo: deque[int] = deque()
        self._again: deque[Try] = deque()
        self._lost = self._lost_at_start = 0
        self._has_begun = False
        self._looked = self._heard = monotonic()

    def score(self, firsts: Iterable[int]) -> Iterator[Chunk]:
        """Score chunks.

        Args:
            firsts: number of each chunk's first row.

        Yields:
            The chunks, each as soon as it is done.

        Raises:
            EmobatchError: if workers can't be opened, or are lost whatever they score.
        """
        self._todo.extend(firsts)
        self._fill_up()
        while True:
            self._hand_out()
            refs = [ref for worker in self._workers for ref in worker.running]
            if not (refs or self._again or self._todo):
                return
            everything = [*self._opening, *refs]
            ready, _ = self._ray.wait(everything, num_returns=1, timeout=LOOK)
            # All that are there, not just the first of them.
            ready, _ = self._ray.wait(everything, num_returns=len(everything), timeout=0)
            for ref in ready:
                yield from self._take(ref)
            if monotonic() - self._looked > LOOK:
                self._fill_up()

    def dismiss(self) -> None:
        """End all workers."""
        for worker in self._workers:
            self._end(worker)
        self._workers.clear()
        self._opening.clear()

    def _begun(self, first: int) -> Try:
        trying = attempts(self._work.recipe, self._work.chunk(first).frame)
        return Try(first, trying, next(trying))

    def _fill_up(self) -> None:
        self._looked = monotonic()
        left = len(self._todo) + len(self._again) + sum(len(each.running) for each in self._workers)
        wanted = min(self._count or self._room(), left)  # no more than there are chunks
        for _ in range(wanted - len(self._workers)):
            worker = Worker(self._kind.remote(self._threads))
            given = (self._recipe, self._made, self._share["CPU"], self._share["GPU"])
            self._opening[worker.actor.open.remote(*given)] = worker
            self._workers.append(worker)
        if any(worker.is_open for worker in self._workers):
            self._heard = monotonic()
        elif monotonic() - self._heard > PATIENCE:
            self._heard = monotonic()
            there = self._ray.cluster_resources()
            has = ", ".join(f"{there.get(name, 0):g} {name}" for name in self._share)
            wants = ", ".join(f"{count:g} {name}" for name, count in self._share.items())
            log.warning("note: no worker yet; each takes %s, the cluster has %s", wants, has)

    def _room(self) -> int:
        there = self._ray.cluster_resources()
        fits = [int(there.get(name, 0) / count) for name, count in self._share.items() if count]
        return max(1, min(fits))

    def _hand_out(self) -> None:
        # Of the workers that have something else to do, as many finish that as there are rows
        # that may end them.
        reserved = len(self._again)
        for worker in self._workers:
            if not worker.is_open or (worker.is_alone and worker.running):
                continue
            worker.is_alone = False
            if reserved:
                reserved -= 1
                if not worker.running:
                    self._give(worker, self._again.popleft())
                    worker.is_alone = True
                continue
            while self._todo and len(worker.running) < self._at_a_time:
                self._give(worker, self._begun(self._todo.popleft()))

    def _give(self, worker: Worker, asked: Try) -> None:
        worker.running[worker.actor.score.remote(asked.rows)] = asked

    def _take(self, ref: Any) -> Iterator[Chunk]:
        if ref in self._opening:
            self._take_opened(self._opening.pop(ref), self._found(ref))
            return
        worker = next((each for each in self._workers if ref in each.running), None)
        if worker is None:
            return  # of a worker that was found lost a moment ago
        found = self._found(ref)
        if isinstance(found, Lost):
            concerned = list(worker.running.values())
            self._lose(worker, found)
        else:
            concerned = [worker.running.pop(ref)]
            self._lost = 0
        for asked in concerned:
            yield from self._went_on(asked, found)
        if isinstance(found, Lost):
            self._fill_up()

    def _found(self, ref: Any) -> Any:
        try:
            return self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error  # what went wrong there, as if it had been here
        except self._ray.exceptions.RayError as error:
            return Lost(f"a worker is lost: {first_line(error)}")

    def _take_opened(self, worker: Worker, found: Lost | None) -> None:
        if isinstance(found, Lost):
            self._lost_at_start += 1
            if self._lost_at_start > MOST_LOST_AT_START * max(1, len(self._workers)):
                raise DeviceError(f"no worker loads its models, the last: {found.why}")
            self._lose(worker, found)
            self._fill_up()
            return
        worker.is_open = True
        self._lost_at_start = 0
        if not self._has_begun:
            self._has_begun = True
            self._work.progress.begin()

    def _went_on(self, asked: Try, found: pl.DataFrame | Lost) -> Iterator[Chunk]:
        try:
            rows = asked.attempts.send(found)
        except StopIteration as done:
            frame: pl.DataFrame = done.value
            errors = int((frame["status"] == "error").sum())
            seconds = float(frame["duration"].sum() or 0.0)
            self._work.progress.advance(rows=len(frame), errors=errors, seconds=seconds)
            yield Chunk(asked.first, frame)
        else:
            self._again.append(Try(asked.first, asked.attempts, rows))

    def _lose(self, worker: Worker, found: Lost) -> None:
        log.debug("%s", found.why)
        self._lost += 1
        if self._lost > MOST_LOST:
            raise DeviceError(f"{self._lost} workers were lost one after the other; {found.why}")
        self._workers.remove(worker)
        self._end(worker)

    def _end(self, worker: Worker) -> None:
        with suppress(Exception):  # it may have ended by itself, or with the whole cluster
            self._ray.kill(worker.actor)
