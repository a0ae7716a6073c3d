"""The chunks of a manifest, and how one of them is scored."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

import polars as pl

from emobatch.errors import EmobatchError
from emobatch.manifests.clips import clips
from emobatch.manifests.manifest import Manifest
from emobatch.scorers.plan import Plan
from emobatch.scoring.gate import Gate
from emobatch.scoring.progress import Progress, Tally
from emobatch.scoring.rows import to_frame
from emobatch.scoring.utterances import Utterance

if TYPE_CHECKING:
    from emobatch.models.devices import Device
    from emobatch.scoring.cascade import Cascade

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chunk:
    """Rows of a score table that are saved together.

    Attributes:
        first: number of the first of them.
        frame: the rows.
    """

    first: int
    frame: pl.DataFrame


class Work:
    """Scores the chunks of a manifest; models are loaded while it is open.

    Batches never reach across a chunk's end, so that a run that was interrupted forms the same
    batches as one that was not.

    Attributes:
        rows: the manifest.
        plan: the scorers.
    """

    def __init__(
        self, rows: Manifest, plan: Plan, device: Device, gate: Gate | None, progress: Progress
    ) -> None:
        """Plan to score a manifest.

        Args:
            rows: the manifest.
            plan: the scorers.
            device: where their models run.
            gate: says of which rows the text could matter, None for all.
            progress: told how far the work is.
        """
        self.rows = rows
        self.plan = plan
        self._device = device
        self._gate = gate
        self._progress = progress
        self._cascade: Cascade | None = None

    def of(self, rows: Manifest) -> Work:
        """The same work on other rows.

        Args:
            rows: of the manifest.

        Returns:
            Work that isn't open.
        """
        return Work(rows, self.plan, self._device, self._gate, self._progress)

    @property
    def workers(self) -> int:
        """Batches that the device runs at a time."""
        return self._device.workers

    @property
    def chunk_rows(self) -> int:
        """Rows to a chunk."""
        return self._device.chunk_rows

    @property
    def firsts(self) -> range:
        """Number of the first row of each chunk."""
        return range(0, len(self.rows), self._device.chunk_rows)

    def __enter__(self) -> Work:
        """Load the models.

        Raises:
            EmobatchError: if one can't be used.
        """
        # Not before: what can fail fast doesn't wait for what these import.
        from emobatch.scorers.loaded import load
        from emobatch.scoring.cascade import Cascade

        began = monotonic()
        loaded = load(self.plan, self._device)
        log.debug("models loaded in %.1f s", monotonic() - began)
        self._cascade = Cascade(loaded, self._gate, ThreadPoolExecutor(self.workers))
        self._progress.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the models go; after an error or a signal nobody waits for what is still running."""
        if self._cascade is not None:
            self._cascade.pool.shutdown(wait=False, cancel_futures=True)
        self._cascade = None

    def __call__(self, first: int) -> Chunk:
        """Score a chunk.

        Args:
            first: number of its first row.

        Returns:
            Its rows of the score table, in order.
        """
        rows = self.rows.frame(first, self._device.chunk_rows)
        scored = self.score(rows, self.rows.root, confine=self.rows.confine)
        return Chunk(first, self.joined(rows, scored))

    def score(self, rows: pl.DataFrame, root: Path, *, confine: bool = False) -> pl.DataFrame:
        """Score some rows.

        Args:
            rows: with ``path`` and ``id``, and maybe ``start``, ``end`` and ``transcript``.
            root: folder that paths are relative to.
            confine: let rows fail whose files are outside of it.

        Returns:
            One row for each, of the columns that the scorers give.
        """
        cascade = self._cascade
        if cascade is None:
            raise EmobatchError("nothing is scored before the models are loaded")
        walked = clips(rows, root, confine=confine)
        utterances = [Utterance(clip, name) for clip, name in zip(walked, rows["id"], strict=True)]
        tally = Tally(self._progress)
        cascade.score(utterances, tally)
        tally.finished(utterances)
        return to_frame(utterances, self.plan)

    def joined(self, rows: pl.DataFrame, scored: pl.DataFrame) -> pl.DataFrame:
        """Put what was carried and what was scored side by side.

        Args:
            rows: of the manifest.
            scored: the same rows' scores.

        Returns:
            Rows of the score table.
        """
        carried = rows.drop(*self.plan.columns, strict=False)
        return pl.concat([carried, scored], how="horizontal")
