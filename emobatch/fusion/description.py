"""What a method says of itself to people: sections of text, tables and charts.

Plain data: the terminal and the report each show it in their own way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Value:
    """A number to be shown.

    Attributes:
        value: None where there is none.
        digits: decimals.
        low: lower bound of its interval, None where it has no interval.
        high: upper bound.
    """

    value: float | None
    digits: int = 2
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """A table to be shown.

    Attributes:
        title: what its rows are.
        columns: headings; the first is that of the rows' names.
        rows: a cell for each column: text, a whole number, or a value.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | Value | None, ...], ...]


@dataclass(frozen=True)
class Chart:
    """A picture to be drawn, in the report alone.

    Attributes:
        kind: which of the report's charts.
        title: what it shows.
        data: what that chart takes.
        caption: one or two sentences beneath it.
    """

    kind: str
    title: str
    data: Any
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: its heading.
        blocks: paragraphs, tables and charts in order.
    """

    title: str
    blocks: tuple[str | Table | Chart, ...]
