"""Reading tables: CSV, TSV, Parquet and JSON Lines by extension, ``-`` for standard input."""

from __future__ import annotations

import glob
import io
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import polars as pl
from polars.exceptions import PanicException, PolarsError

from emobatch.errors import LabelError, ProbabilityError, TableError, TaskError, first_line
from emobatch.tables import json_lines, ragged, rowless, text_format
from emobatch.tables.places import Places, numbered
from emobatch.tables.text_format import Numbers, no_numbers

log = logging.getLogger(__name__)

STANDARD_STREAM = "-"
SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
EXTENSIONS = (*SEPARATORS, ".parquet", *JSON_LINES)
# Bytes of standard input that are held in memory; what is longer goes to a temporary file.
MOST_HELD = 1 << 26


def expand(sources: Sequence[str]) -> list[str]:
    """Expand globs that the shell left alone.

    Args:
        sources: file names, globs or ``-``.

    Returns:
        File names, each glob's in sorted order.

    Raises:
        TableError: if nothing matches.
    """
    names: list[str] = []
    for source in sources:
        matches = _matches(source)
        if not matches:
            raise TableError(f"{source}: no file matches; check the pattern")
        names.extend(matches)
    files: set[Path] = set()
    for name in names:
        if Path(name).resolve() in files:
            raise TableError(f"{spoken(name)}: named twice, its rows would count twice")
        files.add(Path(name).resolve())
    return names


def existing(sources: Sequence[str]) -> list[str]:
    """Of files, globs and ``-``, the files that are there.

    Args:
        sources: as for :func:`expand`.

    Returns:
        File names.
    """
    found = [name for source in sources for name in _matches(source)]
    return [name for name in found if name != STANDARD_STREAM and Path(name).is_file()]


def _matches(source: str) -> list[str]:
    if source == STANDARD_STREAM or Path(source).exists() or not glob.has_magic(source):
        return [source]
    return sorted(glob.glob(source, recursive=True))  # noqa: PTH207 - may be absolute


def scan(source: str, numbers: Numbers = no_numbers, *, lossy: bool = False) -> pl.LazyFrame:
    """Open one table; its rows are read when they are needed, standard input's at once.

    Columns of a text format stay text unless ``numbers`` names them: what is carried through is
    carried through untouched (``007`` stays ``007``).

    Args:
        source: a file's name, or ``-`` for CSV on standard input.
        numbers: picks the columns whose text stands for numbers from the names of all.
        lossy: read text that isn't UTF-8 with a replacement character for each wrong byte.

    Returns:
        The table.

    Raises:
        TableError: if the file is missing, empty or not what its extension says, or a number
            isn't one.
    """
    return scan_with_places(source, numbers, lossy=lossy)[0]


def scan_with_places(
    source: str, numbers: Numbers = no_numbers, *, lossy: bool = False
) -> tuple[pl.LazyFrame, Places]:
    """Open one table as :func:`scan` does, for messages that say where a row is.

    Args:
        source: a file's name, or ``-`` for CSV on standard input.
        numbers: picks the columns whose text stands for numbers from the names of all.
        lossy: read text that isn't UTF-8 with a replacement character for each wrong byte.

    Returns:
        The table, and what says of a row, by its number from 0, at which line it is.

    Raises:
        TableError: as :func:`scan` does.
    """
    with explained(source):
        if source == STANDARD_STREAM:
            content = _standard_input()
            rows, lines = text_format.scan(spoken(source), content, ",", numbers, lossy)
            return rows, lines.place
        path = Path(source)
        extension = path.suffix.lower()
        if extension not in EXTENSIONS:
            raise TableError(f"can't read that format; name it {', '.join(EXTENSIONS)}")
        if not path.is_file():
            raise TableError("is a folder" if path.is_dir() else "no such file")
        if extension in SEPARATORS:
            rows, lines = text_format.scan(source, path, SEPARATORS[extension], numbers, lossy)
            return rows, lines.place
        if columns := extension in JSON_LINES and rowless.columns(path):
            return pl.LazyFrame(schema=columns), numbered
        is_parquet = extension == ".parquet"
        table = pl.scan_parquet(path, glob=False) if is_parquet else json_lines.scan(path)
        table.collect_schema()  # so that what is wrong with the file is said in its name
        return table, numbered if is_parquet else partial(json_lines.place, path)


@contextmanager
def explained(source: str) -> Iterator[None]:
    """Put the table's name before any error of reading or writing it.

    Args:
        source: the table's file name, or ``-``.

    Yields:
        Nothing.

    Raises:
        TableError: in place of the errors of Polars and of the operating system.
    """
    name = spoken(source)
    try:
        yield
    except (TableError, TaskError, LabelError, ProbabilityError) as error:
        if error.source == name:
            raise
        raise error.named(name) from error
    except BrokenPipeError:
        raise  # whoever reads standard output has had enough: nobody's fault
    except (PolarsError, OSError, UnicodeError) as error:
        if ragged.TOO_MANY in str(error):
            raise TableError(ragged.explain(source, SEPARATORS)).named(name) from error
        what = _of_line(source, error) or f"{first_line(error)}; check the file"
        raise TableError(what).named(name) from error
    except PanicException as error:
        # How Polars ends on some damaged Parquet files; no Exception, so that it is named here.
        raise TableError(f"damaged: {first_line(error)}; check the file").named(name) from error


def _of_line(source: str, error: Exception) -> str | None:
    # What is said with a line, where one can be found.
    if any(said in str(error) for said in ragged.UNPAIRED):
        return ragged.explain_quotes(source, SEPARATORS)
    if Path(source).suffix.lower() in JSON_LINES and Path(source).is_file():
        return json_lines.explain(Path(source))
    return None


def spoken(source: str) -> str:
    """Name a table in a message.

    Args:
        source: its file name, or ``-``.

    Returns:
        The name, or words for ``-``.
    """
    return "standard input" if source == STANDARD_STREAM else source


def _standard_input() -> IO[bytes]:
    if sys.stdin.isatty():
        log.warning("note: reading CSV from standard input; Ctrl-D ends it")
    content = sys.stdin.buffer.read(MOST_HELD)
    if len(content) < MOST_HELD:
        return io.BytesIO(content)
    # Without a name, so that it is gone with the process however that ends.
    spool = tempfile.TemporaryFile()  # noqa: SIM115 - read after this returns
    spool.write(content)
    shutil.copyfileobj(sys.stdin.buffer, spool)
    spool.seek(0)
    return spool
