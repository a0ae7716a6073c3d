"""At which line of a text file a row begins, as an editor counts them: worked out for messages."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from polars import selectors as cs

from emobatch.tables.dialect import Dialect

NEWLINE = "\n"


@dataclass(frozen=True)
class Lines:
    """Lines of a table that has something between its columns.

    Attributes:
        raw: all its columns, as text.
        first: the line at which the first row begins, from 1.
    """

    raw: pl.LazyFrame
    first: int

    @classmethod
    def of(cls, raw: pl.LazyFrame, head: bytes, written: Dialect) -> Lines:
        r"""Look at where the rows of a table begin.

        Args:
            raw: all its columns, as text.
            head: the first bytes of the file.
            written: how it is written.

        Returns:
            Its lines.

        Examples:
            >>> table = pl.LazyFrame({"path": ["a.wav"]})
            >>> Lines.of(table, b"\n\npath\na.wav\n", Dialect(",")).first
            4
        """
        text = head.decode(written.encoding, "replace").removeprefix("\ufeff")
        said, text = (1, text.partition(written.line_end)[2]) if written.is_said else (0, text)
        # Blank lines above the names of the columns, and names of several lines.
        blank = text[: len(text) - len(text.lstrip("\r\n"))].count(written.line_end)
        within = sum(name.count(NEWLINE) for name in raw.collect_schema().names())
        return cls(raw, said + blank + within + 2)

    def place(self, row: int) -> str:
        """Say at which line a row begins; it has several where a value in quotes has.

        Args:
            row: its number, from 0.

        Returns:
            Words for a message.
        """
        counts = cs.all().as_expr().str.count_matches(NEWLINE, literal=True)
        within = self.raw.head(row).select(pl.sum_horizontal(counts).sum())
        return f"line {self.first + row + within.collect(engine='streaming').item()}"
