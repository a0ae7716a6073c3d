"""CSV, TSV and the like: text with something between its columns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import IO, Literal

import polars as pl
from polars import selectors as cs

from emobatch.errors import TableError
from emobatch.tables import dialect
from emobatch.tables.lines import Lines

log = logging.getLogger(__name__)

# What Polars makes of a header's second "x".
DOUBLED = "_duplicated_"
# Picks the columns that hold numbers from the names of a table's columns.
Numbers = Callable[[Sequence[str]], Collection[str]]


def no_numbers(names: Sequence[str]) -> list[str]:
    """Say of a table's columns that none of them holds numbers, or none that matter.

    Args:
        names: of all its columns.

    Returns:
        None of them.
    """
    return []


def scan(
    source: str, content: Path | IO[bytes], separator: str, numbers: Numbers, lossy: bool
) -> tuple[pl.LazyFrame, Lines]:
    """Open a text table; what isn't as its name says is noted.

    Args:
        source: what messages call it.
        content: the file, or what can be read from its beginning again.
        separator: what its name says is between its columns.
        numbers: picks the columns whose text stands for numbers from the names of all.
        lossy: read text that isn't UTF-8 with a replacement character for each wrong byte.

    Returns:
        Its rows, all other columns as text, and which lines they are on.

    Raises:
        TableError: if a column has no name or another's, or a number isn't one.
    """
    encoding: Literal["utf8", "utf8-lossy"] = "utf8-lossy" if lossy else "utf8"
    head = dialect.head_of(content)
    written = dialect.Dialect.of(head, separator)
    table = pl.scan_csv(
        dialect.plain(content, written),
        separator=written.separator,
        infer_schema=False,
        glob=False,
        encoding=encoding,
    )
    lines = Lines.of(table, head, written)
    names = table.collect_schema().names()
    for what in written.notes(separator):
        log.info("note: %s: read with %s", source, what)
    table = _named_columns(source, table, names)
    names = table.collect_schema().names()
    for name in names:
        if DOUBLED in name and name.split(DOUBLED)[0] in names:
            raise TableError(f"column {name.split(DOUBLED)[0]!r} occurs twice; rename one")
    commas = written.separator != ","
    return _with_numbers(source, table, numbers(names), lines, commas=commas), lines


def _named_columns(source: str, table: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    # Excel writes a column for each that ever had a value.
    nameless = [name for name in names if not name or name.startswith(DOUBLED)]
    if not nameless:
        return table
    blank = cs.by_name(nameless).as_expr().str.strip_chars().fill_null("") == ""
    empty = table.select(blank.all()).collect(engine="streaming").row(0, named=True)
    for name, is_empty in empty.items():
        if not is_empty:
            place = names.index(name) + 1
            raise TableError(
                f"column {place} has values and no name; give it one in the first line"
            )
    log.info("note: %s: %d columns without name and values left out", source, len(nameless))
    return table.select(cs.all() - cs.by_name(nameless))


def _with_numbers(
    source: str, table: pl.LazyFrame, names: Collection[str], lines: Lines, *, commas: bool
) -> pl.LazyFrame:
    text = {name: blank_as_null(name) for name in names}
    values = {name: text[name].cast(pl.Float64, strict=False) for name in text}
    if commas:
        # Where columns are parted by something else, programs write 1,5 for 1.5.
        point = {name: text[name].str.replace(r"^([+-]?\d+),(\d+)$", "$1.$2") for name in text}
        values = {name: point[name].cast(pl.Float64, strict=False) for name in text}
        comma = pl.any_horizontal(
            pl.lit(False), *(text[name].str.contains(",", literal=True) for name in text)
        )
        if table.select(comma.any()).collect(engine="streaming").item():
            log.info("note: %s: decimal commas read as points (1,5 as 1.5)", source)
    # One pass over the numbers, so that a bad one is named and not met in the middle of things.
    bad = table.select(
        (text[name].is_not_null() & values[name].is_null()).arg_true().first().alias(name)
        for name in text
    )
    for name, row in bad.collect(engine="streaming").row(0, named=True).items() if text else ():
        if row is not None:
            value = table.select(name).slice(row, 1).collect().item()
            place = lines.place(row)
            raise TableError(f"{place}: {name} is {value!r}, not a number; mend or drop it")
    return table.with_columns(value.alias(name) for name, value in values.items())


def blank_as_null(name: str) -> pl.Expr:
    """Read a column of text that stands for numbers.

    Args:
        name: the column.

    Returns:
        Expression of its text without spaces around it, null where nothing is left.
    """
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text)
