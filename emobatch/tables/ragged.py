"""Text tables that Polars can't read: which line it is because of, as an editor counts them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from emobatch.tables import dialect

# How Polars begins to say so, without saying where.
TOO_MANY = "found more fields"
# What it says of quotes that aren't in pairs.
UNPAIRED = ("CSV malformed", "could not parse `")


class Record(NamedTuple):
    """A row of a text table, which has several lines where a value in quotes has.

    Attributes:
        line: at which it begins, from 1.
        fields: its values.
        quotes: how many quotes its lines have; of a row that ends the file before they are closed,
            an odd number.
    """

    line: int
    fields: list[str]
    quotes: int


def explain(source: str, separators: Mapping[str, str]) -> str:
    """Say which line of a table has more fields than there are columns.

    Args:
        source: the table's file name, or ``-``.
        separators: by extension, of text formats.

    Returns:
        What is wrong and how to mend it; without the line where the table can't be read again.
    """
    remedy = "put quotes around values that have a separator in them, or mend the line"
    with suppress(OSError, UnicodeError):
        records = _records(source, separators)
        columns = len(next(records, Record(1, [], 0)).fields)
        for record in records:
            if len(record.fields) > columns:
                return (
                    f"line {record.line} has more fields ({len(record.fields)}) than there are "
                    f"columns ({columns}); {remedy}"
                )
    of_quotes = explain_quotes(source, separators)  # where they are read otherwise here
    return of_quotes or f"a row has more fields than there are columns; {remedy}"


def explain_quotes(source: str, separators: Mapping[str, str]) -> str | None:
    """Say which line of a table has quotes that aren't in pairs.

    Args:
        source: the table's file name, or ``-``.
        separators: by extension, of text formats.

    Returns:
        What is wrong and how to mend it; None where no line of it can be named.
    """
    remedy = 'close them, and write "" for a quote inside of a value'
    with suppress(OSError, UnicodeError):
        for record in _records(source, separators):
            if record.quotes % 2:
                return f"line {record.line}: its quotes aren't in pairs; {remedy}"
    return None


def _records(source: str, separators: Mapping[str, str]) -> Iterator[Record]:
    separator = separators.get(Path(source).suffix.lower())
    if separator is None:
        return
    written = dialect.sniffed(Path(source), separator)
    quotes, line = 0, 1

    def counted(lines: Iterator[str]) -> Iterator[str]:
        nonlocal quotes
        for each in lines:
            quotes += each.count('"')
            yield each

    with Path(source).open(encoding=written.encoding, errors="replace", newline="") as lines:
        rows = csv.reader(counted(lines), delimiter=written.separator, strict=True)
        if written.is_said:
            next(rows, [])
        while True:
            quotes, line = 0, rows.line_num + 1
            try:
                fields = next(rows, None)
            except csv.Error:
                yield Record(line, [], 1)
                return
            if fields is None:
                return
            yield Record(line, fields, quotes)
