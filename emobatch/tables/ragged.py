"""Rows of text tables that have more fields than there are columns: which is the first."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# How Polars begins to say so, without saying where.
TOO_MANY = "found more fields"


def explain(source: str, separators: Mapping[str, str]) -> str:
    """Say which row of a table has more fields than there are columns.

    Args:
        source: the table's file name, or ``-``.
        separators: by extension, of text formats.

    Returns:
        What is wrong and how to mend it; without the row where the table can't be read again.
    """
    remedy = "put quotes around values that have a separator in them, or mend the row"
    separator = separators.get(Path(source).suffix.lower())
    if separator is not None:
        # What is no CSV at all is named by whoever read it before.
        with (
            suppress(OSError, csv.Error),
            Path(source).open(encoding="utf-8", errors="replace", newline="") as lines,
        ):
            rows = csv.reader(lines, delimiter=separator)
            columns = len(next(rows, []))
            for number, row in enumerate(filter(None, rows), start=1):
                if len(row) > columns:
                    return (
                        f"row {number} has more fields ({len(row)}) than there are columns "
                        f"({columns}); {remedy}"
                    )
    return f"a row has more fields than there are columns; {remedy}"
