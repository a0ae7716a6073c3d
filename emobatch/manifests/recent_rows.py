"""Rows of a manifest read in blocks, of which chunks are then cut without reading again."""

from __future__ import annotations

from threading import Lock

import polars as pl

BLOCK_ROWS = 1 << 14


class RecentRows:
    """Rows of one table by number; those last read are kept. May be used from several threads.

    To cut 64 rows out of a file of millions takes as long as to cut 16,384: most of it is spent on
    finding them.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._lock = Lock()
        self._first = 0
        self._block: pl.DataFrame | None = None

    def frame(self, rows: pl.LazyFrame, first: int, count: int) -> pl.DataFrame:
        """Some rows.

        Args:
            rows: all of them, the same each time.
            first: the first row's number, from 0.
            count: how many.

        Returns:
            (count,) rows, fewer at the end.

        Examples:
            >>> rows = pl.LazyFrame({"row": range(100_000)})
            >>> RecentRows().frame(rows, 16_383, 2)["row"].to_list()
            [16383, 16384]
        """
        with self._lock:
            block = self._block
            # A block ends where it does: rows beyond are either not in it, or there are none.
            if block is None or not (self._first <= first and first + count <= self._end(block)):
                self._first = first
                block = rows.slice(first, max(count, BLOCK_ROWS)).collect()
                self._block = block
            return block.slice(first - self._first, count)

    def _end(self, block: pl.DataFrame) -> int:
        # One that is short is the last: whatever is asked for beyond it isn't there.
        return self._first + (len(block) if len(block) >= BLOCK_ROWS else 1 << 62)
