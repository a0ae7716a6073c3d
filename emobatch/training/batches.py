"""Batches of rows of like length, within a limit once they are padded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from emobatch.training.source import Lengths, Source, Take

# The shortest row of a pool is at least this share of its longest, unless the pool has less than
# a batch: so much is never padding.
ALIKE = 0.8
# Batches that are read ahead.
AHEAD = 4
Batch = NDArray[np.int64]


class Batches:
    """Which rows are in a batch together, epoch by epoch; the same for the same seed.

    Rows are sorted by length and dealt into pools of like length. In each epoch, batches are drawn
    anew within each pool and come in another order. How many there are, and how large, stays.
    """

    def __init__(self, lengths: Lengths, most: float, seed: int, processes: int = 1) -> None:
        """Deal rows into pools.

        Args:
            lengths: (rows,) of what is padded.
            most: sum of a batch's lengths once it is padded; a row that is longer is alone.
            seed: of the order.
            processes: that share an epoch; each has as many batches.
        """
        self._seed, self._processes = seed, processes
        self._pools = _pools(lengths, most)
        sizes = [size for _, size in self._pools]
        # Each process must have as many: batches are parted, so that no row is in two.
        while sum(sizes) % processes:
            rows_each = [len(rows) / n for (rows, _), n in zip(self._pools, sizes, strict=True)]
            place = int(np.argmax(rows_each))
            if rows_each[place] <= 1:
                break
            sizes[place] += 1
        self._pools = [(rows, size) for (rows, _), size in zip(self._pools, sizes, strict=True)]
        self._whole = sum(sizes)

    def __len__(self) -> int:
        """Batches of each process to an epoch."""
        return self._whole // self._processes

    def epoch(self, number: int, process: int = 0) -> list[Batch]:
        """Draw an epoch's batches.

        Args:
            number: of the epoch, from 0.
            process: whose batches.

        Returns:
            Places of rows. No row is in two batches, of this process or of others; where there are
            fewer rows than processes, some are in none.
        """
        generator = np.random.default_rng([self._seed, number])
        drawn: list[Batch] = []
        for rows, count in self._pools:
            drawn += np.array_split(generator.permutation(rows), count)
        order = generator.permutation(len(drawn))[: len(self) * self._processes]
        return [np.sort(drawn[place]) for place in order[process :: self._processes]]


def _pools(lengths: Lengths, most: float) -> list[tuple[Batch, int]]:
    # The longest row of each says how many rows a batch may have.
    order = np.argsort(-lengths, kind="stable")
    pools: list[tuple[Batch, int]] = []
    first = 0
    while first < len(order):
        longest = int(lengths[order[first]])
        rows_each = max(1, int(most // max(longest, 1)))
        last = first
        while last < len(order) and (
            last - first < rows_each or lengths[order[last]] >= ALIKE * longest
        ):
            last += 1
        pools.append((order[first:last], -(-(last - first) // rows_each)))
        first = last
    return pools


class Examples(Dataset[Any]):
    """An epoch's batches, read ahead by threads: decoders leave Python's lock alone."""

    def __init__(
        self, source: Source, batches: Batches, crop: float, seed: int, process: int = 0
    ) -> None:
        """See :class:`Batches`.

        Args:
            source: the rows.
            batches: which are together.
            crop: units of a row that a step is given at most.
            seed: of the crops.
            process: whose batches these are.
        """
        self._source, self._batches, self._crop = source, batches, crop
        self._seed, self._process = seed, process
        self._pool = ThreadPoolExecutor(AHEAD)
        self._waiting: deque[tuple[int, list[Future[NDArray[Any]]]]] = deque()
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Go on to an epoch.

        Args:
            epoch: its number, from 0.
        """
        self._epoch = epoch
        self._plan = self._batches.epoch(epoch, self._process)
        self._drop()

    def __len__(self) -> int:
        """Rows."""
        return len(self._source.lengths)

    def __getitem__(self, place: int) -> tuple[Batch, list[NDArray[Any]]]:
        """Read a batch, and begin to read those that follow.

        Args:
            place: of the batch in the epoch.

        Returns:
            Places of its rows, and an example of each.
        """
        if not self._waiting or self._waiting[0][0] != place:
            self._drop()
        following = self._waiting[-1][0] + 1 if self._waiting else place
        for number in range(following, min(place + AHEAD, len(self._plan))):
            takes = [self._take(int(row)) for row in self._plan[number]]
            futures = [self._pool.submit(self._source.read, take) for take in takes]
            self._waiting.append((number, futures))
        _, futures = self._waiting.popleft()
        return self._plan[place], [future.result() for future in futures]

    def close(self) -> None:
        """Read no more."""
        self._drop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _take(self, row: int) -> Take:
        return self._source.crop(row, self._crop, (self._seed, self._epoch))

    def _drop(self) -> None:
        for _, futures in self._waiting:
            for future in futures:
                future.cancel()
        self._waiting.clear()


class Places:
    """A batch sampler of places: batches themselves are drawn by their epoch."""

    def __init__(self, count: int) -> None:
        """See :meth:`__len__`."""
        self._count = count

    def __len__(self) -> int:
        """Batches to an epoch."""
        return self._count

    def __iter__(self) -> Iterator[list[int]]:
        """One place at a time."""
        return iter([place] for place in range(self._count))


def grouped(takes: Sequence[Take], most: float) -> list[list[Take]]:
    """Put parts of like length together, where nothing is drawn at random.

    Args:
        takes: in any order.
        most: sum of lengths once padded.

    Returns:
        Batches, the longest first.
    """
    lengths = np.array([take.length for take in takes], np.int64)
    found: list[list[Take]] = []
    for rows, count in _pools(lengths, most):
        found += [[takes[row] for row in part] for part in np.array_split(rows, count)]
    return found
