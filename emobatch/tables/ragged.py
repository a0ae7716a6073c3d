"""Lines of text tables that have more fields than there are columns: which is the first."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from emobatch.tables import dialect

# How Polars begins to say so, without saying where.
TOO_MANY = "found more fields"


def explain(source: str, separators: Mapping[str, str]) -> str:
    """Say which line of a table has more fields than there are columns.

    Args:
        source: the table's file name, or ``-``.
        separators: by extension, of text formats.

    Returns:
        What is wrong and how to mend it; without the line where the table can't be read again.
    """
    remedy = "put quotes around values that have a separator in them, or mend the line"
    separator = separators.get(Path(source).suffix.lower())
    if separator is not None:
        # What is no CSV at all is named by whoever read it before.
        with suppress(OSError, csv.Error, UnicodeError), _lines(Path(source), separator) as lines:
            written = dialect.sniffed(Path(source), separator)
            rows = csv.reader(lines, delimiter=written.separator)
            if written.is_said:
                next(rows, [])
            columns = len(next(rows, []))
            line = rows.line_num + 1  # as an editor counts them; a row may have several
            for row in rows:
                if len(row) > columns:
                    return (
                        f"line {line} has more fields ({len(row)}) than there are columns "
                        f"({columns}); {remedy}"
                    )
                line = rows.line_num + 1
    return f"a row has more fields than there are columns; {remedy}"


def _lines(file: Path, separator: str) -> TextIO:
    encoding = dialect.sniffed(file, separator).encoding
    return file.open(encoding=encoding, errors="replace", newline="")
