"""What a whole manifest would take, by what a sample of it took."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emobatch.manifests.shards import boundaries
from emobatch.planning.sample import Sample

# Of a job's time, what is planned for: machines of one kind differ, and so do clips.
PLANNED_SHARE = 0.8
# How many more shards are tried next, where those tried are too few.
GROWTH = 1.05


@dataclass(frozen=True)
class Estimate:
    """What a run over a whole manifest would take on this machine.

    Attributes:
        loading: seconds for models, once for each shard.
        speech: seconds for the speech branch.
        text: seconds for the text branch, of all rows.
        asked: share of the text branch's time that is left with a gate, None without one.
        memory: bytes, at most.
        table: bytes of the score table, as Parquet.
        parts: bytes of the chunks that are saved until it is whole.
    """

    loading: float
    speech: float
    text: float
    asked: float | None
    memory: int
    table: int
    parts: int

    @classmethod
    def of(cls, sample: Sample, rows: int, costs: tuple[int, int]) -> Estimate:
        """Reckon it up.

        Args:
            sample: what was measured.
            rows: of the manifest.
            costs: of all its rows, as those of the sample.

        Returns:
            The estimate: each branch takes as much longer as it is given more audio.
        """
        by_row = rows / sample.rows
        speech, text = (
            all_of_it / of_sample if of_sample else by_row
            for all_of_it, of_sample in zip(costs, sample.costs, strict=True)
        )
        return cls(
            loading=sample.loading,
            speech=sample.speech * (speech if sample.costs[0] else text),
            text=sample.text * text,
            asked=sample.asked,
            memory=sample.memory,
            table=round(sample.table * by_row),
            parts=round(sample.parts * by_row),
        )

    @property
    def ungated(self) -> float:
        """Seconds for both branches of all rows, without loading."""
        return self.speech + self.text

    @property
    def gated(self) -> float | None:
        """Seconds for both branches where a gate decides which rows are transcribed."""
        return None if self.asked is None else self.speech + self.text * self.asked

    @property
    def scoring(self) -> float:
        """Seconds of the run that is planned: with its gate, where it has one."""
        return self.ungated if self.gated is None else self.gated

    def shard_seconds(self, chunks: NDArray[np.int64], shards: int) -> float:
        """Say how long the longest of some shards takes.

        Args:
            chunks: (chunks,) what each costs.
            shards: how many.

        Returns:
            Seconds, with those for its models.
        """
        return self.loading + self.scoring * dearest(chunks, shards)

    def shards_within(self, chunks: NDArray[np.int64], wall: float) -> int:
        """Say how many shards it takes for each to be done in time, with some to spare.

        Args:
            chunks: (chunks,) what each costs.
            wall: seconds that a job may take.

        Returns:
            How many; as many as there are chunks, where that is still too few.
        """
        planned = PLANNED_SHARE * wall
        least = self.scoring / max(planned - self.loading, 1e-9)
        shards = min(max(1, math.ceil(least)), len(chunks))
        while shards < len(chunks) and self.shard_seconds(chunks, shards) > planned:
            shards = min(math.ceil(shards * GROWTH), len(chunks))
        return shards


def dearest(chunks: NDArray[np.int64], shards: int) -> float:
    """Say what the dearest of some shards costs.

    Args:
        chunks: (chunks,) what each costs.
        shards: how many.

    Returns:
        Its share of all, 0 to 1.

    Examples:
        >>> dearest(np.array([1, 1, 2]), 2)
        0.5
    """
    ends = np.concatenate([[0], np.cumsum(chunks)])
    parts = np.diff(ends[boundaries(chunks, shards)])
    return float(parts.max() / ends[-1]) if ends[-1] else 1.0
