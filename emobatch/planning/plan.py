"""`plan`: how much a manifest is, what scoring it would take, and in how many jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.errors import OptionError
from emobatch.manifests import manifest as manifests
from emobatch.manifests.reading import AS_IT_IS, Reading
from emobatch.models.choice import Choice
from emobatch.models.cores import available_cores
from emobatch.planning import lengths, sample
from emobatch.planning.estimate import Estimate, dearest
from emobatch.planning.jobs import SCHEDULERS, Jobs
from emobatch.planning.lengths import Lengths
from emobatch.planning.sample import Sample
from emobatch.scoring import sharing
from emobatch.scoring.gate import Gate
from emobatch.storage.address import Place
from emobatch.tables import writing

# Seconds of wall time that shards are made for, unless the user says.
USUAL_WALL = 4 * 3600.0
# How much longer than its estimate a job may take.
SPARE_TIME = 1.3
# Bytes of memory that a job asks for where nothing was measured: what large models take to load.
USUAL_MEMORY = 10 * 2**30


@dataclass(frozen=True)
class Planned:
    """What was found out, and what is proposed.

    Attributes:
        rows: of the manifest.
        root: folder that its paths are relative to.
        lengths: of its clips.
        sample: what was measured, None where nothing was scored.
        estimate: of the whole, None without a sample.
        shards: how many, None where nothing says.
        share: of all work, that the longest shard has.
        wall: seconds that each shard's job asks for, None where nothing says.
        device: that the run is planned for.
        cores: of this machine, or of this job.
    """

    rows: int
    root: Place
    lengths: Lengths
    sample: Sample | None
    estimate: Estimate | None
    shards: int | None
    share: float | None
    wall: float | None
    device: str
    cores: int

    @property
    def shard_seconds(self) -> float | None:
        """How long the longest shard would take, None where that isn't known."""
        if self.estimate is None or self.share is None:
            return None
        return self.estimate.loading + self.estimate.scoring * self.share

    def script(self, scheduler: str, command: Sequence[str]) -> str:
        """Write what a scheduler is given.

        Args:
            scheduler: one of :data:`emobatch.planning.jobs.SCHEDULERS`.
            command: `emobatch score` with its manifest and options.

        Returns:
            Text of a file.

        Raises:
            OptionError: if nothing says how many jobs of what time there are to be.
        """
        if self.shards is None or self.wall is None:
            raise OptionError(
                f"--{scheduler}: without a sample nothing says how much there is to do; give "
                "--shards and --wall-time"
            )
        memory = USUAL_MEMORY if self.estimate is None else self.estimate.memory
        gpu = self.device == "cuda"
        jobs = Jobs(command, self.shards, self.wall, self.cores, memory, gpu)
        return SCHEDULERS[scheduler](jobs)

    def document(self) -> dict[str, Any]:
        """Say all of it.

        Returns:
            What --json prints: seconds and bytes.
        """
        known = self.lengths.seconds.drop_nulls()
        files = [{"path": path, "error": why} for path, why in self.lengths.unreadable]
        made = None
        if self.estimate is not None:
            estimate = self.estimate
            made = {**asdict(estimate), "ungated": estimate.ungated, "gated": estimate.gated}
        return {
            "rows": self.rows,
            "seconds": float(known.sum()),
            "lengths": [asdict(span) for span in self.lengths.spans()],
            "headers": self.lengths.headers,
            "unreadable": files,
            "device": self.device,
            "cores": self.cores,
            "sample": None if self.sample is None else asdict(self.sample),
            "estimate": made,
            "shards": self.shards,
            "shard_seconds": self.shard_seconds,
            "wall_seconds": self.wall,
        }


def plan(
    source: str,
    choice: Choice,
    *,
    target: Path | None = None,
    how: Reading = AS_IT_IS,
    gate: Gate | None = None,
    sample_rows: int | None = None,
    shards: int | None = None,
    wall: float | None = None,
) -> Planned:
    """Find out what scoring a manifest would take.

    Args:
        source: the manifest, ``-`` for standard input.
        choice: models and options.
        target: file to write the manifest with durations to, None for none.
        how: the manifest is read.
        gate: that decides which rows are transcribed.
        sample_rows: how many are scored to see, None for some chunks, 0 for none.
        shards: how many there are to be, None for as many as wall time asks for.
        wall: seconds that each may take, None for what is usual.

    Returns:
        What was found out.

    Raises:
        EmobatchError: if the manifest or the models can't be used.
    """
    writing.check_target(target, sources=[source])
    rows = manifests.read(source, how)
    found = lengths.measure(rows, choice.decode_timeout)
    rows = lengths.with_durations(rows, found)
    if target is not None:
        writing.check_columns(rows.rows.collect_schema(), target)
        lengths.write(rows, target)
    costs = sharing.costs(choice)
    taken = None if sample_rows == 0 else sample.take(rows, choice, gate, sample_rows)
    estimate = None
    if taken is not None:
        estimate = Estimate.of(taken, len(rows), sample.totals(rows, costs))
    chunks = costs.chunks(rows, sharing.chunk_rows(choice))
    shards, wall = _cut(chunks, estimate, shards, wall)
    return Planned(
        rows=len(rows),
        root=rows.root,
        lengths=found,
        sample=taken,
        estimate=estimate,
        shards=shards,
        share=None if shards is None else dearest(chunks, shards),
        wall=wall,
        device=sharing.device_name(choice),
        cores=available_cores(),
    )


def _cut(
    chunks: NDArray[np.int64], estimate: Estimate | None, shards: int | None, wall: float | None
) -> tuple[int | None, float | None]:
    if estimate is None:
        return shards, wall
    if shards is None:
        wall = wall or USUAL_WALL
        return estimate.shards_within(chunks, wall), wall
    return shards, wall or SPARE_TIME * estimate.shard_seconds(chunks, shards)
