"""The chunks of a manifest: what a run has scored, one after the other or side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from emobatch.manifests.decoders import Decoders
from emobatch.manifests.manifest import Manifest
from emobatch.scoring.progress import Progress
from emobatch.scoring.recipe import Recipe


@dataclass(frozen=True)
class Chunk:
    """Rows that are scored and saved together.

    Attributes:
        first: number of the first of them.
        frame: the rows: of the manifest before they are scored, of the score table afterwards.
    """

    first: int
    frame: pl.DataFrame


@dataclass(frozen=True)
class Work:
    """What is to be scored. It stays in the process that read the manifest.

    Batches never reach across a chunk's end, so that a run that was interrupted forms the same
    batches as one that was not.

    Attributes:
        rows: the manifest.
        recipe: how its rows are scored; what a runner hands to other processes.
        progress: told how far the work is.
        decoders: processes that read headers here, and files where they are scored in this
            process; closed by whoever has no use for them.
    """

    rows: Manifest
    recipe: Recipe
    progress: Progress
    decoders: Decoders

    def of(self, rows: Manifest) -> Work:
        """The same work on other rows.

        Args:
            rows: of the manifest.

        Returns:
            Work on these.
        """
        return replace(self, rows=rows)

    @property
    def chunk_rows(self) -> int:
        """Rows to a chunk."""
        return self.recipe.device.chunk_rows

    @property
    def firsts(self) -> range:
        """Number of the first row of each chunk."""
        return range(0, len(self.rows), self.chunk_rows)

    def chunk(self, first: int) -> Chunk:
        """A chunk that is to be scored.

        Args:
            first: number of its first row.

        Returns:
            Its rows of the manifest.
        """
        return Chunk(first, self.rows.frame(first, self.chunk_rows))
