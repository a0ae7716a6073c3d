"""The manifest: which clips to score, and whatever else its rows carry."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from tempfile import TemporaryFile, gettempdir
from typing import IO

import polars as pl
from polars import selectors
from polars.exceptions import PolarsError

from emobatch.errors import ManifestError, first_line
from emobatch.manifests import foreign_paths
from emobatch.manifests.checked import check_columns, check_rows, normalised, refuse_columns
from emobatch.manifests.clip import REPLACEMENT
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.opening import opened
from emobatch.manifests.reading import AS_IT_IS, Reading
from emobatch.manifests.recent_rows import RecentRows
from emobatch.storage.access import Access
from emobatch.storage.address import Address, Place
from emobatch.tables import reading
from emobatch.tables.places import Places, numbered
from emobatch.tables.replacing import no_room
from emobatch.tables.where import filter_rows

log = logging.getLogger(__name__)

# Rows that are copied, and read back, at a time.
SPOOL_ROWS = 1 << 16
# A column's name that no source has.
NUMBER = "\0row"


@dataclass(frozen=True)
class Manifest:
    """A checked manifest, kept on disk as it was when it was read.

    Attributes:
        source: what it was read from, as the user named it.
        rows: its columns in order, with ``id``.
        length: how many rows there are.
        root: folder that paths are relative to.
        confine: whether files have to be in it.
        access: what of the files that rows name may be fetched.
        spool: the copy, a file without a name; it lives as long as this does.
    """

    source: str
    rows: pl.LazyFrame
    length: int
    root: Place
    confine: bool
    access: Access
    spool: IO[bytes]
    # Of other rows, as `replace` makes them, there others are kept.
    _recent: RecentRows = field(default_factory=RecentRows, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        """Number of rows."""
        return self.length

    def frame(self, first: int, count: int) -> pl.DataFrame:
        """Some rows, with all their columns.

        Args:
            first: the first row's number, from 0.
            count: how many.

        Returns:
            (count,) rows, fewer at the end.
        """
        return self._recent.frame(self.rows, first, count)

    def cut(self, firsts: Sequence[int], count: int) -> Manifest:
        """Make a manifest of some chunks of rows.

        Args:
            firsts: number of the first row of each, a multiple of ``count``.
            count: rows to a chunk, of which the last may have fewer.

        Returns:
            Those rows in order.
        """
        length = sum(min(count, self.length - first) for first in firsts)
        if firsts and firsts[-1] - firsts[0] == (len(firsts) - 1) * count:
            # They follow each other, as most often. Others are picked by number, for which all
            # rows are in memory at once.
            return replace(self, rows=self.rows.slice(firsts[0], length), length=length)
        chunk = pl.int_range(pl.len()) // count
        chosen = self.rows.filter(chunk.is_in([first // count for first in firsts]))
        return replace(self, rows=chosen, length=length)

    def pick(self, ids: pl.Series) -> Manifest:
        """Make a manifest of some rows.

        Args:
            ids: of the rows wanted, all of them this manifest's.

        Returns:
            Those rows in order.
        """
        chosen = self.rows.filter(pl.col("id").is_in(ids.implode()))
        return replace(self, rows=chosen, length=len(ids))

    def refuse_columns(self, written: Collection[str]) -> None:
        """Refuse columns whose names will be written beside them.

        Args:
            written: names that no column may have.

        Raises:
            ManifestError: names those that do.
        """
        refuse_columns(self.source, self.rows.collect_schema(), written)

    def digest(self) -> str:
        """SHA-256 of the rows."""
        digest = hashlib.sha256()
        for first in range(0, self.length, SPOOL_ROWS):
            # Arrow's own format has a place for any column.
            content = io.BytesIO()
            self.rows.slice(first, SPOOL_ROWS).collect().write_ipc(content)
            digest.update(content.getbuffer())
        return digest.hexdigest()


def read(source: str, how: Reading = AS_IT_IS) -> Manifest:
    """Read a manifest and check every row of it before any work begins.

    It is copied on the way, to a temporary file: a manifest of millions of rows is never held in
    memory, and one that is edited while its clips are scored does no harm.

    Args:
        source: what :data:`emobatch.manifests.readers.registry.READERS` take, among them a table
            by its extension, ``-`` for CSV on standard input, and a folder of audio; or the
            address of one.
        how: it is read.

    Returns:
        The manifest.

    Raises:
        TableError: if it can't be read.
        ManifestError: if its rows make no sense.
    """
    access = how.access
    if isinstance(how.root, Address):
        access = replace(access, home=how.root)  # which the user named
    with reading.explained(source), opened(source, how.form, how.pattern, access) as found:
        root = found.root if how.root is None else how.root
        rows = how.columns.named(found.rows)
        check_columns(source, rows, found.place)
        place = found.place
        if how.where is not None:
            place = partial(_place_of_kept, place, rows, how.where)
            rows = filter_rows(rows, how.where)
        if how.cutting:
            check_rows(normalised(rows), place)
            with Fetcher(found.access) as fetcher:
                rows = how.cutting.cut(rows, root, fetcher, confine=how.confine)
            place = numbered
        rows, spool = _copied(normalised(rows))
        length = rows.select(pl.len()).collect().item()
        if not length:
            raise ManifestError("no rows; a manifest has one row for each clip")
        _note_lost_bytes(rows)
        check_rows(rows, place)
        foreign_paths.check(rows, root, found.access, place)
    return Manifest(source, rows, length, root, how.confine, found.access, spool)


def _place_of_kept(place: Places, rows: pl.LazyFrame, where: str, row: int) -> str:
    kept = filter_rows(rows.with_row_index(NUMBER), where)
    return place(kept.select(NUMBER).slice(row, 1).collect().item())


def _copied(rows: pl.LazyFrame) -> tuple[pl.LazyFrame, IO[bytes]]:
    spool = TemporaryFile()  # noqa: SIM115 - read as long as the manifest lives
    try:
        rows.sink_parquet(spool, row_group_size=SPOOL_ROWS, statistics=False)
        spool.flush()
    except (OSError, PolarsError) as error:
        reason = error if isinstance(error, OSError) else no_room(spool)
        if reason is None:
            raise
        raise ManifestError(
            f"no temporary copy can be made in {gettempdir()}: {first_line(reason)}; "
            "set TMPDIR to a folder with space"
        ) from error
    spool.seek(0)
    return pl.scan_parquet(spool), spool


def _note_lost_bytes(rows: pl.LazyFrame) -> None:
    text = selectors.string().str.contains(REPLACEMENT, literal=True)
    lost = rows.select(pl.any_horizontal(text).sum()).collect(engine="streaming").item()
    if lost:
        log.warning(
            "note: %d rows of the manifest have text that isn't UTF-8, read as %s",
            lost,
            REPLACEMENT,
        )
