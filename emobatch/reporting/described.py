"""What a method says of itself, laid out for a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emobatch.fusion.description import Chart, Section, Table, Value
from emobatch.reporting.figures.style import MINUS
from emobatch.reporting.illustrations import Illustration, chart

NOTHING = "\N{EN DASH}"
# Text that is flush right all the same, as counts of counts are.
NUMBERS = re.compile(r"[\d\s./%+-]*\d[\d\s./%+-]*")


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it says.
        is_number: whether it is flush right.
        interval: stands beneath it, empty for none.
        span: how many columns it takes.
    """

    text: str
    is_number: bool = False
    interval: str = ""
    span: int = 1


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: what its rows are.
        columns: headings.
        rows: cells.
    """

    title: str
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]


Block = str | Grid | list[Illustration]


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes:
        title: its heading.
        blocks: paragraphs, tables, and charts that stand side by side.
    """

    title: str
    blocks: tuple[Block, ...]


def parts(sections: Iterable[Section]) -> list[Part]:
    """Lay out what a method says.

    Args:
        sections: as it says it.

    Returns:
        A part for each.
    """
    laid_out, charts = [], 0
    for section in sections:
        blocks: list[Block] = []
        for block in section.blocks:
            if isinstance(block, Chart):
                charts += 1
                drawn = chart(block, f"{block.kind}-{charts}")
                if blocks and isinstance(blocks[-1], list):
                    blocks[-1].append(drawn)
                else:
                    blocks.append([drawn])
            else:
                blocks.append(grid(block) if isinstance(block, Table) else block)
        laid_out.append(Part(section.title, tuple(blocks)))
    return laid_out


def grid(table: Table) -> Grid:
    """Lay out a table.

    Args:
        table: text, whole numbers and values.

    Returns:
        Cells; the one text of a row that has nothing else takes all of its columns.

    Examples:
        >>> table = Table("Limits", ("class", "entropy", ""), (("sad", Value(0.5, 4), "refer"),))
        >>> [cell.text for cell in grid(table).rows[0]]
        ['sad', '0.5000', 'refer']
    """
    rows = tuple(_row(row) for row in table.rows)
    whole = [row for row in rows if len(row) == len(table.columns)]
    numbers = [
        any(row[place].is_number for row in whole) and place > 0
        for place in range(len(table.columns))
    ]
    headings = zip(table.columns, numbers, strict=True)
    return Grid(table.title, tuple(Cell(name, number) for name, number in headings), rows)


def _row(row: Sequence[str | int | Value | None]) -> tuple[Cell, ...]:
    said = [cell for cell in row[1:] if cell is not None]
    if len(row) > 2 and len(said) == 1 and isinstance(said[0], str):
        return (_cell(row[0]), Cell(said[0], span=len(row) - 1))
    return tuple(map(_cell, row))


def _cell(cell: str | int | Value | None) -> Cell:
    if isinstance(cell, str):
        return Cell(cell, NUMBERS.fullmatch(cell) is not None)
    if cell is None:
        return Cell("")
    if isinstance(cell, int):
        return Cell(_signed(f"{cell}"), is_number=True)
    between = ""
    if cell.low is not None and cell.high is not None:
        between = _signed(f"{cell.low:.{cell.digits}f} to {cell.high:.{cell.digits}f}")
    text = NOTHING if cell.value is None else _signed(f"{cell.value:.{cell.digits}f}")
    return Cell(text, is_number=True, interval=between)


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
