"""A manifest shared between jobs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emobatch.errors import EmobatchError
from emobatch.manifests.costs import Costs, note_unknown
from emobatch.manifests.manifest import Manifest


@dataclass(frozen=True)
class Shard:
    """One of several parts of a manifest.

    Attributes:
        index: from 0.
        count: how many parts there are.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read the value of ``--shard``.

        Args:
            text: ``I/N``, I from 0 to N - 1.

        Returns:
            The shard.

        Raises:
            EmobatchError: if it isn't of that form.

        Examples:
            >>> Shard.parse("0/8")
            Shard(index=0, count=8)
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text.strip())
        if not found or int(found[1]) >= int(found[2]):
            raise EmobatchError(f"--shard {text}: give I/N, with I from 0 to N - 1")
        return cls(int(found[1]), int(found[2]))

    def take(
        self, manifest: Manifest, costs: Costs, chunk_rows: int
    ) -> tuple[Manifest, dict[str, Any]]:
        """Cut this shard out of a manifest: rows that follow each other, so that order is kept.

        Cuts fall between chunks: a shard's chunks are the very chunks of the whole manifest, and
        its rows are batched with the same others.

        Args:
            manifest: whole.
            costs: what its rows cost.
            chunk_rows: rows to a chunk.

        Returns:
            The shard's rows, of which there may be none, and what is stored with its table.
        """
        note_unknown(manifest)
        bounds = boundaries(costs.chunks(manifest, chunk_rows), self.count)
        first, end = (
            min(bounds[place] * chunk_rows, len(manifest)) for place in (self.index, self.index + 1)
        )
        note = {
            "index": self.index,
            "count": self.count,
            "first": first,
            "rows": end - first,
            "manifest": manifest.digest(),
            "manifest_rows": len(manifest),
        }
        return replace(
            manifest, rows=manifest.rows.slice(first, end - first), length=end - first
        ), note


def boundaries(costs: ArrayLike, count: int) -> list[int]:
    """Cut a row of things into parts of like cost: the dearest part is as cheap as can be.

    Args:
        costs: (things,) whole numbers, at least 0.
        count: number of parts.

    Returns:
        (count + 1,) numbers of things at which parts begin and end, from 0 to how many there are.
        No part is empty unless there are fewer things than parts; then the last ones are.

    Examples:
        >>> boundaries([1, 1, 1, 3], 2)
        [0, 3, 4]
        >>> boundaries([600, 10], 3)
        [0, 1, 2, 2]
    """
    costs = np.asarray(costs)
    ends = np.cumsum(costs)
    low, high = int(costs.max(initial=0)), int(costs.sum())
    while low < high:
        most = (low + high) // 2
        if _filled(ends, count, most)[-1] == len(ends):
            high = most
        else:
            low = most + 1
    return _filled(ends, count, low)


def _filled(ends: np.ndarray[Any, Any], count: int, most: int) -> list[int]:
    # Parts that cost no more than that, each as full as it gets, but for what the parts after it
    # need: one thing each.
    bounds = [0]
    for left in range(count - 1, -1, -1):
        first = bounds[-1]
        before = int(ends[first - 1]) if first else 0
        full = int(np.searchsorted(ends, before + most, side="right"))
        bounds.append(min(full, max(len(ends) - left, first + 1), len(ends)))
    return bounds
