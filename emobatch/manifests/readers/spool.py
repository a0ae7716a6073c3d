"""Rows that Python reads one at a time, as a table whose rows are read when they are needed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from tempfile import TemporaryFile
from typing import Any, Literal

import polars as pl
from polars import selectors as cs

from emobatch.errors import ManifestError

Kind = Literal["text", "integer", "number", "truth"]
# Integers that Polars has a place for.
MOST = 1 << 63


def spooled(rows: Iterable[Mapping[str, Any]], first: Iterable[str] = ()) -> pl.LazyFrame:
    """Keep rows in a temporary file, so that a million of them take no memory.

    Args:
        rows: values by column; lists and mappings become JSON. A row may lack columns.
        first: columns that stand before all others, where there are any.

    Returns:
        The rows. A column holds numbers or truth values where all its values are some, else text.

    Raises:
        ManifestError: if there is none.

    Examples:
        >>> spooled([{"path": "a.wav", "n": 1}, {"path": "b.wav", "n": 0.5}]).collect().rows()
        [('a.wav', 1.0), ('b.wav', 0.5)]
    """
    spool = TemporaryFile()  # noqa: SIM115 - read as long as the table lives
    kinds: dict[str, set[Kind]] = {}
    count = 0
    for row in rows:
        texts = {}
        for name, value in row.items():
            found = kinds.setdefault(name, set())
            if value is not None:
                texts[name], kind = _written(value)
                found.add(kind)
        spool.write(json.dumps(texts).encode() + b"\n")
        count += 1
    if not count:
        raise ManifestError("no rows; a manifest has one row for each clip")
    spool.flush()
    spool.seek(0)
    table = pl.scan_ndjson(spool, schema=dict.fromkeys(kinds, pl.String))
    names = [*(name for name in first if name in kinds), *kinds]
    return table.select(_typed(name, kinds[name]) for name in dict.fromkeys(names))


def _written(value: Any) -> tuple[str, Kind]:
    if isinstance(value, str):
        # Half of a character that takes two, as JSON can write it.
        return value.encode("utf-8", "replace").decode(), "text"
    if isinstance(value, bool):
        return str(value), "truth"
    if isinstance(value, int) and abs(value) < MOST:
        return str(value), "integer"
    if isinstance(value, float):
        return repr(value), "number"
    nested = json.dumps(value, ensure_ascii=False, default=str)
    return nested.encode("utf-8", "replace").decode(), "text"


def _typed(name: str, kinds: set[Kind]) -> pl.Expr:
    if not kinds:
        return pl.lit(None).alias(name)  # of no type, so that any use of it will do
    column = cs.by_name(name).as_expr()  # a column may be called "*"
    if kinds == {"truth"}:
        return column == "True"
    if kinds == {"integer"}:
        return column.cast(pl.Int64)
    if kinds <= {"integer", "number"}:
        return column.cast(pl.Float64)
    return column
