"""`emobatch features`: a manifest's clips with columns of features, saved as it goes."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import TooManyErrors
from emobatch.features.feature_set import FeatureSet
from emobatch.features.process import process
from emobatch.features.registry import FEATURE_SETS
from emobatch.manifests import manifest
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clips import clips
from emobatch.manifests.convert import rebased
from emobatch.manifests.decoders import PATIENCE, Decoders
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.reading import AS_IT_IS, Reading
from emobatch.models.cores import available_cores
from emobatch.models.names import MOST_ERRORS
from emobatch.scoring import whole
from emobatch.scoring.parts import Parts
from emobatch.scoring.progress import Progress, Silent
from emobatch.scoring.saving import save_chunks
from emobatch.scoring.utterances import Utterance
from emobatch.scoring.work import Chunk
from emobatch.tables import content, reading, writing
from emobatch.tables.fitted_rows import ID
from emobatch.tables.provenance import software
from emobatch.wording import counted

log = logging.getLogger(__name__)
# Rows that are computed and saved together: what a kill costs at most.
CHUNK = 64
# What values depend on beside the libraries of the sets.
DECODING = ("av", "numpy", "scipy", "soundfile", "soxr")
# A clip is held whole, and some features take many times its memory.
MOST_SECONDS = 600.0
ERROR = "features_error"


@dataclass(frozen=True)
class Limits:
    """What a row may take before it fails.

    Attributes:
        most_seconds: of audio.
        time_limit: seconds to wait for more of a file.
        most_errors: share of rows, 0 to 1, that may fail.
    """

    most_seconds: float = MOST_SECONDS
    time_limit: float = PATIENCE
    most_errors: float = MOST_ERRORS


def extract(
    source: str,
    target: Path | None,
    sets: Sequence[str],
    *,
    how: Reading = AS_IT_IS,
    limits: Limits | None = None,
    restart: bool = False,
    progress: Progress | None = None,
) -> None:
    """Compute features of every clip of a manifest.

    Args:
        source: what `score` takes.
        target: the table, standard output where None.
        sets: names of sets of features.
        how: it is read.
        limits: of each row and of all.
        restart: throw the work of an earlier run away, saved or whole.
        progress: told how far the work is.

    Raises:
        TooManyErrors: if more rows failed than may; the table is written all the same.
        Interrupted: if a signal came; the same command goes on from what is saved.
        EmobatchError: if the manifest can't be read, a library is missing, or the table not be
            written.
    """
    writing.check_target(target, sources=[source])
    if target is not None:
        whole.refuse_held(target)
    chosen = [FEATURE_SETS[name]() for name in dict.fromkeys(sets)]
    limits = limits or Limits()
    rows = manifest.read(source, how)
    work = _Work(rows, chosen, target, limits, progress or Silent())
    rows.refuse_columns(work.schema)
    for note in dict.fromkeys(each.note for each in chosen if each.note):
        log.warning("note: %s", note)
    failed = work.to_stream() if target is None else work.to_table(target, restart=restart)
    _end(len(rows), failed, target, limits)


@dataclass(frozen=True)
class _Work:
    """Rows that features are computed of, each for itself: no value depends on other rows.

    Attributes:
        rows: the manifest.
        sets: what is computed.
        target: the table, None for standard output.
        limits: of each row.
        progress: told how far it is.
    """

    rows: Manifest
    sets: Sequence[FeatureSet]
    target: Path | None
    limits: Limits
    progress: Progress

    @property
    def schema(self) -> dict[str, type[pl.DataType]]:
        """Types of the columns that are added."""
        names = [name for each in self.sets for name in each.columns]
        return {**dict.fromkeys(names, pl.Float64), ERROR: pl.String}

    @property
    def firsts(self) -> range:
        """Number of the first row of each chunk."""
        return range(0, len(self.rows), CHUNK)

    @property
    def written(self) -> pl.LazyFrame:
        """The manifest's columns, with paths as the table has them."""
        return rebased(self.rows.rows, self.rows.root, self.target)

    def to_stream(self) -> int:
        """Write the table to standard output; gives how many rows failed."""
        failed = 0

        def frames() -> Iterator[pl.DataFrame]:
            nonlocal failed
            for chunk in self.chunks(self.firsts):
                failed += chunk.frame[ERROR].count()
                yield chunk.frame

        self.progress.start(len(self.rows))
        writing.write_csv_stream(frames(), {**self.written.collect_schema(), **self.schema})
        return failed

    def to_table(self, target: Path, *, restart: bool) -> int:
        """Write the table to a file, or go on with one; gives how many rows failed."""
        ids, run = content.describe(self.rows.rows, [], [ID]), self._made_with()
        with Parts.open(target, run, restart=restart) as saved:
            if not restart and whole.is_whole(target, run, ids, saved):
                log.warning("note: %s is whole, nothing to do", target)
                saved.clear()
            else:
                once = ["--restart"] if restart else []
                save_chunks(saved, self.firsts, self.chunks, self.progress, once=once)
                saved.finish(run, {ID: pl.String, **self.schema}, ids)
        failed = reading.scan(str(target)).select(pl.col(ERROR).cast(pl.String))
        return int(failed.filter(pl.col(ERROR) != "").select(pl.len()).collect().item())

    def chunks(self, firsts: Sequence[int]) -> Iterator[Chunk]:
        """Compute features of chunks.

        Args:
            firsts: number of the first row of each.

        Yields:
            The chunks in order, as the table has them.
        """
        with Decoders(available_cores()) as decoders:
            self.progress.begin()
            for first in firsts:
                frame = self.rows.frame(first, CHUNK)
                given = rebased(frame.lazy(), self.rows.root, self.target).collect()
                added = self._added(frame, decoders)
                yield Chunk(first, pl.concat([given, added], how="horizontal"))

    def _added(self, frame: pl.DataFrame, decoders: Decoders) -> pl.DataFrame:
        nothing: list[float | None] = [None] * (len(self.schema) - 1)
        walked = clips(frame, self.rows.root, confine=self.rows.confine)
        computed = []
        for utterance, found in process(
            (Utterance(clip, name) for clip, name in zip(walked, frame[ID], strict=True)),
            self._values,
            most_seconds=self.limits.most_seconds,
            time_limit=self.limits.time_limit,
            decoders=decoders,
        ):
            computed.append([*(found or nothing), utterance.error])
            self.progress.advance(rows=1, errors=int(utterance.error is not None))
        return pl.DataFrame(computed, schema=self.schema, orient="row")

    def _values(self, samples: Samples) -> list[float | None]:
        found = [float(value) for each in self.sets for value in each.values(samples)]
        return [value if math.isfinite(value) else None for value in found]

    def _made_with(self) -> dict[str, Any]:
        # With the paths as they will be, so that saved rows of another --root aren't taken.
        manifest = replace(self.rows, rows=self.written)
        libraries = {each.library for each in self.sets if each.library}
        return {
            "software": software(sorted({*libraries, *DECODING})),
            "features": [each.name for each in self.sets],
            "manifest": manifest.digest(),
        }


def _end(rows: int, failed: int, target: Path | None, limits: Limits) -> None:
    where = "on standard output" if target is None else f"in {target}"
    log.info("note: %s %s, %s", counted(rows, "row"), where, f"{failed or 'none'} failed")
    if failed and (failed == rows or failed > limits.most_errors * rows):
        raise TooManyErrors(
            f"{failed} of {rows} rows failed, more than --max-error-rate {limits.most_errors:g} "
            f"allows; the table has all rows, and its column {ERROR!r} says why"
        )
