"""`emobatch features`: a manifest's clips with columns of features."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

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
from emobatch.scoring.progress import Progress, Silent
from emobatch.scoring.utterances import Utterance
from emobatch.tables import writing
from emobatch.tables.provenance import software
from emobatch.wording import counted

log = logging.getLogger(__name__)
# Rows that are written together.
CHUNK = 256
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
    progress: Progress | None = None,
) -> None:
    """Compute features of every clip of a manifest.

    Args:
        source: what `score` takes.
        target: the table, standard output where None.
        sets: names of sets of features.
        how: it is read.
        limits: of each row and of all.
        progress: told how far the work is.

    Raises:
        TooManyErrors: if more rows failed than may; the table is written all the same.
        EmobatchError: if the manifest can't be read, a library is missing, or the table not be
            written.
    """
    writing.check_target(target, sources=[source])
    chosen = [FEATURE_SETS[name]() for name in dict.fromkeys(sets)]
    limits = limits or Limits()
    rows = manifest.read(source, how)
    schema = {**{name: pl.Float64 for each in chosen for name in each.columns}, ERROR: pl.String}
    rows.refuse_columns(schema)
    for note in dict.fromkeys(each.note for each in chosen if each.note):
        log.warning("note: %s", note)
    failed = 0

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal failed
        for frame in _frames(rows, chosen, schema, target, limits, progress or Silent()):
            failed += frame[ERROR].count()
            yield frame

    libraries = {each.library for each in chosen if each.library}
    made = {"software": software(sorted(libraries)), "features": list(dict.fromkeys(sets))}
    if target is None:
        whole = {**rebased(rows.rows, rows.root, None).collect_schema(), **schema}
        writing.write_csv_stream(frames(), whole)
    else:
        with TemporaryDirectory(prefix=".features-", dir=target.parent) as folder:
            for number, frame in enumerate(frames()):
                frame.write_parquet(Path(folder) / f"{number:09}.parquet")
            writing.write(pl.scan_parquet(Path(folder) / "*.parquet"), target, made)
    _end(len(rows), failed, target, limits)


def _frames(
    rows: Manifest,
    sets: Sequence[FeatureSet],
    schema: dict[str, type[pl.DataType]],
    target: Path | None,
    limits: Limits,
    progress: Progress,
) -> Iterator[pl.DataFrame]:
    decoders = Decoders(available_cores())
    progress.start(len(rows))
    progress.begin()

    def values(samples: Samples) -> list[float | None]:
        found = [float(value) for each in sets for value in each.values(samples)]
        return [value if math.isfinite(value) else None for value in found]

    try:
        for first in range(0, len(rows), CHUNK):
            frame = rows.frame(first, CHUNK)
            utterances = (
                Utterance(clip, name)
                for clip, name in zip(
                    clips(frame, rows.root, confine=rows.confine), frame["id"], strict=True
                )
            )
            content = []
            nothing: list[float | None] = [None] * (len(schema) - 1)
            for utterance, found in process(
                utterances,
                values,
                most_seconds=limits.most_seconds,
                time_limit=limits.time_limit,
                decoders=decoders,
            ):
                content.append([*(found or nothing), utterance.error])
                progress.advance(rows=1, errors=int(utterance.error is not None))
            added = pl.DataFrame(content, schema=schema, orient="row")
            given = rebased(frame.lazy(), rows.root, target).collect()
            yield pl.concat([given, added], how="horizontal")
    finally:
        decoders.close()


def _end(rows: int, failed: int, target: Path | None, limits: Limits) -> None:
    where = "on standard output" if target is None else f"in {target}"
    log.info("note: %s %s, %s", counted(rows, "row"), where, f"{failed or 'none'} failed")
    if failed and (failed == rows or failed > limits.most_errors * rows):
        raise TooManyErrors(
            f"{failed} of {rows} rows failed, more than --max-error-rate {limits.most_errors:g} "
            f"allows; the table has all rows, and its column {ERROR!r} says why"
        )
