"""JSON Lines: an object on each line. Where one isn't, its line is named."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from emobatch.errors import TableError
from emobatch.tables import dialect

# What values are that can't stand in one column with others.
KINDS: Mapping[type, str] = {dict: "an object", list: "a list"}
# What a line has that is no row.
BLANKS = "\ufeff \t\r\n"


def scan(file: Path) -> pl.LazyFrame:
    """Open a table in JSON Lines.

    Args:
        file: where it is.

    Returns:
        Its rows.

    Raises:
        TableError: if a line is no object; says which.
    """
    written = dialect.sniffed(file, ",")
    if written.encoding == "utf-8":
        table = pl.scan_ndjson(glob.escape(str(file)), infer_schema_length=None)
    else:
        text = dialect.Dialect(",", written.encoding)
        table = pl.scan_ndjson(dialect.plain(file, text), infer_schema_length=None)
    try:
        table.collect_schema()
    except PolarsError:
        if what := explain(file):
            raise TableError(what) from None
        raise
    return table


def explain(file: Path) -> str | None:
    """Find the line for which a table can't be read.

    Args:
        file: where it is.

    Returns:
        What is wrong: that a value is of another kind than those before it; None if none is.

    Raises:
        TableError: if a line is no object.
    """
    kinds: dict[str, tuple[int, str]] = {}
    with file.open(encoding=dialect.sniffed(file, ",").encoding, errors="replace") as lines:
        for number, found in objects(lines):
            given = {key: value for key, value in found.items() if value is not None}
            for key, value in given.items():
                kind = KINDS.get(type(value), "a value")
                first, other = kinds.setdefault(key, (number, kind))
                if other != kind:
                    return (
                        f"line {number}: {key!r} is {kind}, and {other} on line {first}; give all "
                        "rows values of one kind"
                    )
    return None


def place(file: Path, row: int) -> str:
    """Say at which line a row is.

    Args:
        file: where the table is.
        row: its number, from 0.

    Returns:
        Words for a message.
    """
    written = dialect.sniffed(file, ",")
    with file.open(encoding=written.encoding, errors="replace") as lines:
        full = (number for number, line in enumerate(lines, start=1) if line.strip(BLANKS))
        return f"line {next(islice(full, row, None))}"


def parsed(line: str, number: int) -> dict[str, Any]:
    """Read one line.

    Args:
        line: its text.
        number: which it is, from 1.

    Returns:
        The object.

    Raises:
        TableError: if it is none.

    Examples:
        >>> parsed('{"path": "a.wav"}', 1)
        {'path': 'a.wav'}
        >>> parsed('{"path": NaN}', 3)
        Traceback (most recent call last):
        emobatch.errors.TableError: line 3: no JSON: NaN is no number; mend or drop the line
    """
    try:
        found = json.loads(line, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        what = f"{error.msg} at character {error.colno}"
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    else:
        if isinstance(found, dict):
            return found
        raise TableError(
            f"line {number}: no JSON object, which begins with {{; each line is one row"
        )
    raise TableError(f"line {number}: no JSON: {what}; mend or drop the line")


def objects(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read lines, the blank ones left out.

    Args:
        lines: of a file.

    Yields:
        Number of the line, from 1, and its object.

    Raises:
        TableError: if one is none.
    """
    for number, line in enumerate(lines, start=1):
        text = line.strip(BLANKS)
        if text:
            yield number, parsed(text, number)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
