"""A manifest shared between jobs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from emobatch.errors import EmobatchError
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

    def take(self, manifest: Manifest) -> tuple[Manifest, dict[str, Any]]:
        """Cut this shard out of a manifest: rows that follow each other, so that order is kept.

        Args:
            manifest: whole; its column ``duration`` (seconds), where all rows have one, makes
                shards of like duration instead of like length.

        Returns:
            The shard's rows, and what is stored with its table.

        Raises:
            EmobatchError: if no row falls to this shard.
        """
        bounds = boundaries(_weights(manifest), self.count)
        first, rows = bounds[self.index], bounds[self.index + 1] - bounds[self.index]
        if not rows:
            raise EmobatchError(
                f"--shard {self.index}/{self.count}: no row is left for it; use fewer shards"
            )
        note = {
            "index": self.index,
            "count": self.count,
            "first": first,
            "rows": rows,
            "manifest": manifest.digest(),
            "manifest_rows": len(manifest),
        }
        return replace(manifest, rows=manifest.rows.slice(first, rows), length=rows), note


def boundaries(weights: ArrayLike, count: int) -> list[int]:
    """Cut rows into parts of like weight.

    Args:
        weights: (rows,) at least 0.
        count: number of parts.

    Returns:
        (count + 1,) numbers of rows at which parts begin and end, from 0 to the number of rows.

    Examples:
        >>> boundaries([1.0, 1.0, 1.0, 3.0], 2)
        [0, 3, 4]
    """
    ends = np.cumsum(weights)
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, count) / count, side="left") + 1
    return [0, *cuts.tolist(), len(ends)]


def _weights(manifest: Manifest) -> NDArray[np.float64]:
    if "duration" in manifest.rows.collect_schema():
        duration = pl.col("duration").cast(pl.Float64, strict=False)
        seconds = manifest.rows.select(duration).collect().to_series()
        if not seconds.has_nulls() and (seconds > 0).all() and seconds.is_finite().all():
            return seconds.to_numpy()
    return np.ones(len(manifest))
