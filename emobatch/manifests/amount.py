"""How much audio a manifest has: by its segments, and by the headers of some of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import polars as pl

from emobatch.errors import AudioError
from emobatch.manifests.clip import Clip
from emobatch.manifests.clips import clips
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.orders import lengths
from emobatch.wording import counted, lasting

# Files whose headers are looked at, of however many, and seconds that it may take: a file system
# that is slow, or has gone away, holds up no run.
MOST_FILES = 100
MOST_SECONDS = 2.0


@dataclass(frozen=True)
class Amount:
    """How much audio rows have.

    Attributes:
        rows: how many rows there are.
        seconds: of audio in all of them, as far as is known; None where nothing is.
        asked: files whose headers were looked at.
        measured: those of them that said how long they are.
        is_exact: whether no row's length was guessed from those of others.
        trouble: what is wrong with the first file that said nothing.
    """

    rows: int
    seconds: float | None
    asked: int
    measured: int
    is_exact: bool
    trouble: str | None

    def __str__(self) -> str:
        """Say it in a few words."""
        rows = counted(self.rows, "row")
        if self.asked and not self.measured:
            files = counted(self.asked, "file")
            return f"{rows}; of {files} looked at none can be read, the first: {self.trouble}"
        if self.seconds is None:
            return rows
        if self.is_exact:
            return f"{rows}, {lasting(self.seconds)} of audio"
        by = counted(self.measured, "file")
        return f"{rows}, about {lasting(self.seconds)} of audio (by the headers of {by})"


def amount(
    rows: Manifest,
    decoders: Decoders,
    most_files: int = MOST_FILES,
    within: float = MOST_SECONDS,
) -> Amount:
    """Find out how much audio a manifest has, without reading all of its files.

    Args:
        rows: the manifest. Rows with an end are taken to be as long as they say.
        decoders: processes that read headers.
        most_files: files that are looked at, evenly spread over the others.
        within: seconds after which it is content with those that it has looked at.

    Returns:
        The amount. What a file is wrong with is its row's matter, later on.
    """
    schema = rows.rows.collect_schema()
    said, open_ended = 0.0, rows.rows
    if "end" in schema:
        start = pl.col("start").fill_null(0.0) if "start" in schema else 0.0
        segments = rows.rows.filter(pl.col("end").is_not_null())
        said = segments.select((pl.col("end") - start).sum()).collect(engine="streaming").item()
        open_ended = rows.rows.filter(pl.col("end").is_null())
    others = open_ended.select(pl.len()).collect(engine="streaming").item()
    sample = open_ended.gather_every(max(1, others // most_files)).head(most_files)
    walked = clips(sample.collect(), rows.root, confine=rows.confine)
    # What is elsewhere would have to be fetched for it, and whole.
    headers = _Headers([clip for clip in walked if isinstance(clip.file, Path)], decoders)
    headers.read(within)
    found, trouble = list(headers.lengths), headers.trouble
    seconds: float | None = said
    if others:
        seconds = said + others * sum(found) / len(found) if found else None
    asked = len(found) + headers.failed
    return Amount(len(rows), seconds, asked, len(found), len(found) == others, trouble)


class _Headers:
    """Has headers of files read by a thread, which is left behind if that hangs."""

    def __init__(self, files: list[Clip], decoders: Decoders) -> None:
        self.lengths: list[float] = []
        self.failed = 0
        self.trouble: str | None = None
        self._files, self._decoders = files, decoders
        self._enough = Event()

    def read(self, within: float) -> None:
        if not self._files:
            return
        self._decoders.wait_for_one()  # as the run does
        reading = Thread(target=self._read, args=(within,), daemon=True)
        reading.start()
        reading.join(within)
        self._enough.set()

    def _read(self, within: float) -> None:
        fetcher = Fetcher()  # finds what is in archives, and fetches nothing
        here: list[Clip] = []
        for clip in self._files:
            try:
                here.append(fetcher.fetch(clip).clip)
            except AudioError as error:
                self._fail(clip, str(error))
        for clip, found in zip(here, lengths(self._decoders, here, within), strict=False):
            if self._enough.is_set():
                return
            if isinstance(found, str):
                self._fail(clip, found)
            else:
                self.lengths.append(clip.rest(found))

    def _fail(self, clip: Clip, why: str) -> None:
        self.trouble = self.trouble or f"{why}: {clip.path}"
        self.failed += 1
