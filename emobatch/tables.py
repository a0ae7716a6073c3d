"""Reading and writing tables: CSV, TSV, Parquet and JSON Lines by extension, ``-`` for a pipe."""

from __future__ import annotations

import glob
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from emobatch.errors import LabelError, TableError

STANDARD_STREAM = "-"
METADATA_KEY = "emobatch"
SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
EXTENSIONS = (*SEPARATORS, ".parquet", *JSON_LINES)


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
        if source == STANDARD_STREAM or Path(source).exists() or not glob.has_magic(source):
            names.append(source)
        elif matches := sorted(glob.glob(source, recursive=True)):  # noqa: PTH207 - may be absolute
            names.extend(matches)
        else:
            raise TableError(f"{source}: no file matches; check the pattern")
    return names


def scan(source: str, numeric: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.LazyFrame:
    """Open one table without reading it, standard input apart.

    Columns of a text format stay text unless named in ``numeric``: what is carried through is
    carried through untouched (``007`` stays ``007``).

    Args:
        source: a file's name, or ``-`` for CSV on standard input.
        numeric: types of the columns whose text stands for numbers, where they are present.

    Returns:
        The table.

    Raises:
        TableError: if the file is missing, empty or not what its extension says.
    """
    with explained(source):
        if source == STANDARD_STREAM:
            content = sys.stdin.buffer.read()
            return _typed(_scan_text(io.BytesIO(content), ","), numeric)
        path = Path(source)
        extension = _extension(path)
        if not path.is_file():
            raise TableError(f"{source}: {'is a folder' if path.is_dir() else 'no such file'}")
        if extension == ".parquet":
            return pl.scan_parquet(path, glob=False)
        if extension in JSON_LINES:
            return pl.scan_ndjson(path, infer_schema_length=None)
        return _typed(_scan_text(path, SEPARATORS[extension]), numeric)


def filter_rows(table: pl.LazyFrame, where: str | None) -> pl.LazyFrame:
    """Keep the rows for which a SQL expression holds.

    Args:
        table: any table.
        where: for example ``split != 'test'``; None keeps all.

    Returns:
        The rows for which it is true.

    Raises:
        TableError: if the expression is no SQL or doesn't fit the columns.
    """
    if where is None:
        return table
    try:
        condition = pl.sql_expr(where)
    except PolarsError as error:
        raise TableError(f"--where {where!r}: {_first_line(error)}") from error
    schema = table.collect_schema()
    unknown = [name for name in condition.meta.root_names() if name not in schema]
    if unknown:
        raise TableError(
            f"--where {where!r}: no column {unknown[0]!r}; the columns are {', '.join(schema)}"
        )
    try:
        pl.DataFrame(schema=schema).filter(condition)
    except PolarsError as error:
        if "string" not in str(error).lower():
            raise TableError(f"--where {where!r}: {_first_line(error)}") from error
        return _filter_as_numbers(table, where, condition)
    return table.filter(condition)


def metadata(source: str) -> dict[str, Any]:
    """Provenance that was stored with a table.

    Args:
        source: a table's file name, or ``-``.

    Returns:
        What :func:`write` was given, empty where nothing is known.
    """
    path = Path(source)
    try:
        if source == STANDARD_STREAM:
            return {}
        if path.suffix.lower() == ".parquet":
            text = pl.read_parquet_metadata(path).get(METADATA_KEY, "{}")
        else:
            text = sidecar(path).read_text(encoding="utf-8")
        found = json.loads(text)
    except (OSError, ValueError, PolarsError):
        return {}
    return found if isinstance(found, dict) else {}


def sidecar(path: Path) -> Path:
    """Where the provenance of a text table stands: ``NAME.meta.json`` beside ``NAME``.

    Args:
        path: the table.

    Returns:
        The file with its provenance.
    """
    return path.with_name(path.name + ".meta.json")


def check_target(target: Path | None, extensions: Sequence[str] = EXTENSIONS) -> None:
    """Refuse an output file before hours of work go into it.

    Args:
        target: file to be written, None for standard output.
        extensions: those that can be written.

    Raises:
        TableError: if its extension is unknown or its folder can't be written to.
    """
    if target is None:
        return
    if target.suffix.lower() not in extensions:
        raise TableError(f"{target}: can't write that format; name it {', '.join(extensions)}")
    if target.is_dir():
        raise TableError(f"{target}: is a folder; name a file in it")
    if not target.parent.is_dir():
        raise TableError(f"{target}: no such folder; make it with mkdir -p {target.parent}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise TableError(f"{target}: no permission to write in {target.parent}; choose another")


def write(table: pl.LazyFrame, target: Path | None, provenance: Mapping[str, Any]) -> None:
    """Write a table, to a file at once or not at all, to standard output as CSV in pieces.

    Args:
        table: what to write; rows keep their order.
        target: file name, its extension names the format; None is standard output.
        provenance: stored as metadata of a Parquet file, else beside the table.

    Raises:
        TableError: if the table can't be computed or the file not be written.
    """
    if target is None:
        write_csv_stream(table.collect_batches(maintain_order=True), table.collect_schema())
        return
    text = json.dumps(provenance, ensure_ascii=False)
    extension = target.suffix.lower()
    with explained(str(target)), replacing(target) as partial:
        if extension == ".parquet":
            table.sink_parquet(partial, metadata={METADATA_KEY: text})
        elif extension in JSON_LINES:
            table.sink_ndjson(partial, check_extension=False)
        else:
            table.sink_csv(partial, separator=SEPARATORS[extension], check_extension=False)
    if extension != ".parquet":
        write_text(sidecar(target), text + "\n")


def write_csv_stream(frames: Iterable[pl.DataFrame], schema: Mapping[str, Any]) -> None:
    """Write frames to standard output as one CSV table, each as soon as it comes.

    Args:
        frames: pieces of the table in order.
        schema: the table's columns, for a table without rows.
    """
    out = sys.stdout.buffer
    out.write(pl.DataFrame(schema=schema).write_csv().encode())
    for frame in frames:
        out.write(frame.write_csv(include_header=False).encode())
        out.flush()


def write_text(target: Path | None, text: str) -> None:
    """Write a text file at once or not at all.

    Args:
        target: the file, standard output where None.
        text: its content.

    Raises:
        TableError: if it can't be written.
    """
    if target is None:
        sys.stdout.write(text)
        return
    with explained(str(target)), replacing(target) as partial:
        partial.write_text(text, encoding="utf-8")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a file to write aside, which takes the target's place when all went well.

    Args:
        target: the file that shall appear complete or not at all.

    Yields:
        A file in the same folder, gone or renamed afterwards.
    """
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        _flush_to_disk(partial)
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


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
    try:
        yield
    except (TableError, LabelError) as error:
        named = str(error).startswith(f"{source}: ")
        raise type(error)(str(error) if named else f"{source}: {error}") from error
    except (PolarsError, OSError, UnicodeError) as error:
        raise TableError(f"{source}: {_first_line(error)}") from error


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _filter_as_numbers(table: pl.LazyFrame, where: str, condition: pl.Expr) -> pl.LazyFrame:
    # CSV columns are carried as text; `session = 1` compares their numbers and leaves the text.
    schema = table.collect_schema()
    names = {name for name in condition.meta.root_names() if schema[name] == pl.String}
    kept = {name: f"{name}\0text" for name in names}
    try:
        as_numbers = table.with_columns(
            *(pl.col(name).alias(aside) for name, aside in kept.items()),
        ).with_columns(
            *(pl.col(name).str.strip_chars().cast(pl.Float64, strict=False) for name in names)
        )
        pl.DataFrame(schema=as_numbers.collect_schema()).filter(condition)
    except PolarsError as error:
        raise TableError(f"--where {where!r}: {_first_line(error)}") from error
    return (
        as_numbers.filter(condition)
        .with_columns(*(pl.col(aside).alias(name) for name, aside in kept.items()))
        .drop(*kept.values())
    )


def _scan_text(source: Path | io.BytesIO, separator: str) -> pl.LazyFrame:
    table = pl.scan_csv(source, separator=separator, infer_schema=False, glob=False)
    doubled = [name for name in table.collect_schema() if "_duplicated_" in name]
    if doubled:
        raise TableError(f"column {doubled[0].split('_duplicated_')[0]!r} occurs twice; rename one")
    return table


def _typed(
    table: pl.LazyFrame, numeric: Mapping[str, pl.DataType | type[pl.DataType]]
) -> pl.LazyFrame:
    present = [name for name in table.collect_schema() if name in numeric]
    return table.with_columns(
        pl.col(name).str.strip_chars().replace("", None).cast(numeric[name]) for name in present
    )


def _extension(path: Path) -> str:
    extension = path.suffix.lower()
    if extension not in EXTENSIONS:
        raise TableError(f"{path}: can't read that format; name it {', '.join(EXTENSIONS)}")
    return extension


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip() or type(error).__name__).splitlines()[0]
