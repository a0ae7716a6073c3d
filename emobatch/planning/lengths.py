"""How long each clip of a manifest is: by the manifest, else by the headers of its files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, groupby
from pathlib import Path

import polars as pl

from emobatch.errors import AudioError
from emobatch.manifests import costs, orders
from emobatch.manifests.clip import Clip
from emobatch.manifests.clips import clips
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.manifest import SPOOL_ROWS, Manifest
from emobatch.models.cores import available_cores
from emobatch.storage.address import Address
from emobatch.tables import writing
from emobatch.tables.provenance import software
from emobatch.wording import counted

log = logging.getLogger(__name__)

# Files that are fetched at a time, and files here whose headers a decoder is asked for at once: to
# ask takes longer than to read one.
FETCHED_AT_ONCE = 32
ASKED_AT_ONCE = 256
# Stands for what nobody waits for any more.
ENDED = "not read"
# Upper ends in seconds of the lengths that rows are counted by; the last one has none.
ENDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0, 3600.0)


@dataclass(frozen=True)
class Span:
    """Rows of like length.

    Attributes:
        low: seconds, at least.
        high: seconds, less than that; None for no end.
        rows: how many there are.
        seconds: of audio in them.
    """

    low: float
    high: float | None
    rows: int
    seconds: float


@dataclass(frozen=True)
class Lengths:
    """How long the clips of a manifest are.

    Attributes:
        seconds: of each row, null where its file can't be read.
        headers: files whose headers were read.
        unreadable: files that can't be, and why, in order.
    """

    seconds: pl.Series
    headers: int
    unreadable: tuple[tuple[str, str], ...]

    def spans(self) -> list[Span]:
        """Count rows by length.

        Returns:
            The spans that have rows, the shortest first.
        """
        known = pl.DataFrame({"seconds": self.seconds.drop_nulls()})
        ends = pl.Series(ENDS)
        known = known.with_columns(place=ends.search_sorted(known["seconds"], side="right"))
        counts = known.group_by("place").agg(pl.len(), pl.sum("seconds")).sort("place")
        lows, highs = (0.0, *ENDS), (*ENDS, None)
        return [
            Span(lows[place], highs[place], rows, seconds)
            for place, rows, seconds in counts.iter_rows()
        ]


def measure(manifest: Manifest, time_limit: float) -> Lengths:
    """Find out how long each clip is.

    Args:
        manifest: its segments are as long as they say, and rows with a ``duration`` too; of all
            others the file's header is read, in decoder processes.
        time_limit: seconds to wait for a file's header.

    Returns:
        The lengths.
    """
    known: list[pl.Series] = []
    unreadable: dict[str, str] = {}
    headers = 0
    with (
        Fetcher(manifest.access) as fetcher,
        ThreadPoolExecutor(FETCHED_AT_ONCE) as pool,
        Decoders(available_cores()) as decoders,
    ):
        read = partial(_read, fetcher, decoders, time_limit)
        for first in range(0, len(manifest), SPOOL_ROWS):
            rows = manifest.frame(first, SPOOL_ROWS)
            # With a column of its own, so that a length that none has is null for each.
            said = rows.lazy().select("path", seconds=costs.seconds(rows.lazy())).collect()
            wanted = list(clips(rows.filter(said["seconds"].is_null()), manifest.root,
                                confine=manifest.confine))  # fmt: skip
            files = list({clip.path: clip for clip in wanted}.values())
            _note_fetched(files)
            seconds = chain.from_iterable(pool.map(read, _asked_together(files)))
            found = dict(zip((clip.path for clip in files), seconds, strict=True))
            headers += sum(isinstance(each, float) for each in found.values())
            unreadable |= {path: why for path, why in found.items() if isinstance(why, str)}
            lengths = iter([_rest(clip, found[clip.path]) for clip in wanted])
            filled = [next(lengths) if each is None else each for each in said["seconds"]]
            known.append(pl.Series("duration", filled, pl.Float64))
    return Lengths(pl.concat(known), headers, tuple(unreadable.items()))


def with_durations(manifest: Manifest, lengths: Lengths) -> Manifest:
    """Add what was found out to a manifest.

    Args:
        manifest: that was measured.
        lengths: of its rows.

    Returns:
        The same rows with ``duration``.
    """
    durations = pl.LazyFrame([lengths.seconds])
    others = manifest.rows.drop("duration", strict=False)
    return replace(manifest, rows=pl.concat([others, durations], how="horizontal"))


def write(manifest: Manifest, target: Path) -> None:
    """Write a manifest.

    Args:
        manifest: its rows.
        target: CSV, TSV, Parquet or JSON Lines by its extension.

    Raises:
        OutputError: if it can't be written.
    """
    writing.write(manifest.rows, target, {"software": software(())})
    root = manifest.root
    if isinstance(root, Address) or target.resolve().parent != root.resolve():
        log.info(
            "note: files that %s names are in %s: score it with --root %s",
            *(target, root, root),
        )


def summary(lengths: Lengths) -> str:
    """Say how it was found out.

    Args:
        lengths: of a manifest.

    Returns:
        A few words.

    Examples:
        >>> summary(Lengths(pl.Series([1.0]), 1, ()))
        'by the headers of 1 file'
    """
    said = f"by the headers of {counted(lengths.headers, 'file')}"
    if lengths.unreadable:
        said += f"; {counted(len(lengths.unreadable), 'file')} can't be read"
    return said


def _note_fetched(files: Sequence[Clip]) -> None:
    elsewhere = sum(isinstance(clip.file, Address) for clip in files)
    if elsewhere:
        log.info(
            "note: %s fetched to see how long they are; a column duration spares that, and with "
            "--cache they are there for `score`",
            counted(elsewhere, "file"),
        )


def _asked_together(files: Sequence[Clip]) -> Iterator[list[Clip]]:
    # One by one, what is to be fetched: by as many threads.
    for is_elsewhere, group in groupby(files, lambda clip: isinstance(clip.file, Address)):
        alike, size = list(group), 1 if is_elsewhere else ASKED_AT_ONCE
        yield from (alike[first : first + size] for first in range(0, len(alike), size))


def _read(
    fetcher: Fetcher, decoders: Decoders, time_limit: float, files: Sequence[Clip]
) -> list[float | str]:
    with ExitStack() as lent:

        def had(clip: Clip) -> Clip | str:
            try:
                return lent.enter_context(fetcher.here(clip))
            except AudioError as error:
                return str(error)

        asked = [had(clip) for clip in files]
        here = [each for each in asked if isinstance(each, Clip)]
        found = orders.lengths(decoders, here, time_limit)
        return [each if isinstance(each, str) else next(found, ENDED) for each in asked]


def _rest(clip: Clip, found: float | str) -> float | None:
    # Of a clip with a beginning and no end, what follows it.
    return None if isinstance(found, str) else clip.rest(found)
