"""Chunks in threads of one process, whose results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from emobatch.scoring.recipe import RowScorer
from emobatch.scoring.work import Chunk, Work

Item = TypeVar("Item")
Result = TypeVar("Result")


def scored(work: Work, scorer: RowScorer, firsts: Iterable[int]) -> Iterator[Chunk]:
    """Score chunks with models that are loaded.

    Args:
        work: what is to be scored.
        scorer: scores it.
        firsts: number of each chunk's first row.

    Yields:
        The chunks in order.
    """

    def score(first: int) -> Chunk:
        return Chunk(first, scorer.score(work.chunk(first).frame, work.progress))

    in_flight = 2 + work.recipe.device.workers // 4
    yield from in_order(score, firsts, in_flight, in_flight - 1)


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int
) -> Iterator[Result]:
    """Do work on items in threads, ahead of the results that are asked for.

    Args:
        work: on one item.
        items: taken from this thread, as far ahead as work is begun.
        workers: items that are worked on at a time.
        ahead: results that may be ready before they are asked for.

    Yields:
        Results in the order of the items; what one raises is raised in its place.

    Examples:
        >>> list(in_order(str.upper, "abc", workers=2, ahead=2))
        ['A', 'B', 'C']
    """
    begun: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        # Not waited for: after an error or a signal nobody wants what is still running.
        pool.shutdown(wait=False, cancel_futures=True)
