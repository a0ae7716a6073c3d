"""What a method says of itself, on the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table as RichTable

from emobatch.cli.console import plain_table
from emobatch.fusion.description import Section, Table, Value


def show_sections(sections: Iterable[Section], out: Console) -> None:
    """Print paragraphs and tables; charts are for the report.

    Args:
        sections: as a method describes itself.
        out: where to.
    """
    for section in sections:
        for block in section.blocks:
            if isinstance(block, str):
                out.print(block)
            elif isinstance(block, Table):
                out.print(_laid_out(block))


def _laid_out(table: Table) -> RichTable:
    width = len(table.columns)
    text = {
        place
        for place in range(width)
        if any(isinstance(row[place], str) for row in table.rows) and place in (0, width - 1)
    }
    laid_out = plain_table(*table.columns, left={0} | text)
    laid_out.title, laid_out.title_justify, laid_out.title_style = table.title, "left", ""
    for row in table.rows:
        laid_out.add_row(*map(_cell, row))
        spans = [_span(cell) for cell in row]
        if any(spans):
            laid_out.add_row("  95 %", *spans[1:])
    return laid_out


def _cell(cell: str | int | Value | None) -> str:
    if isinstance(cell, Value):
        return "-" if cell.value is None else f"{cell.value:.{cell.digits}f}"
    return "-" if cell is None else str(cell)


def _span(cell: str | int | Value | None) -> str:
    if not isinstance(cell, Value) or cell.low is None or cell.high is None:
        return ""
    return f"{cell.low:.{cell.digits}f} to {cell.high:.{cell.digits}f}"
