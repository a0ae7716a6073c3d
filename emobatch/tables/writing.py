"""Writing tables and other files: wholly or not at all."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import OutputError, first_line
from emobatch.tables.provenance import software
from emobatch.tables.reading import EXTENSIONS, JSON_LINES, SEPARATORS, existing
from emobatch.tables.replacing import replacing
from emobatch.tables.stored import CONTENT_KEY, METADATA_KEY, fingerprint, sidecar

log = logging.getLogger(__name__)

# Rows of a Parquet file that are held until they are written together.
GROUP_ROWS = 1 << 14
# Numbers in arrays of these rows: 8 MiB of single precision.
GROUP_NUMBERS = 1 << 21
PARQUET = ".parquet"
# What can be measured is written as one JSON object or as a table.
MEASURED_EXTENSIONS = (".json", *EXTENSIONS)
# What a path makes of `scheme://`.
ADDRESS = re.compile("[A-Za-z][A-Za-z0-9+.-]+:/")


def check_target(
    target: Path | None, extensions: Sequence[str] = EXTENSIONS, sources: Sequence[str] = ()
) -> None:
    """Refuse an output file before hours of work go into it.

    Args:
        target: file to be written, None for standard output.
        extensions: those that can be written.
        sources: files or globs that it is made from.

    Raises:
        OutputError: if its extension is unknown, its folder can't be written to, or it would
            take the place of a source.
    """
    if target is None:
        return
    if ADDRESS.match(str(target)) and not target.parent.is_dir():
        named = str(target).replace(":/", "://", 1)
        raise OutputError(
            f"{named}: is an address, and of all commands `score` alone writes to one; mount the "
            "bucket as a folder, or write to a file and copy it there"
        )
    if target.suffix.lower() not in extensions:
        raise OutputError(f"{target}: can't write that format; name it {', '.join(extensions)}")
    if target.is_dir():
        raise OutputError(f"{target}: is a folder; name a file in it")
    if not target.parent.is_dir():
        raise OutputError(f"{target}: no such folder; make it with mkdir -p {target.parent}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{target}: no permission to write in {target.parent}; choose another")
    if target.exists() and any(target.samefile(name) for name in existing(sources)):
        raise OutputError(f"{target}: is what is read, which would be lost; name another file")


def check_arrays(target: Path | None, option: str) -> None:
    """Refuse an output file that has no place for arrays.

    Args:
        target: file to be written, None for standard output.
        option: that asks for arrays.

    Raises:
        OutputError: if it isn't Parquet.
    """
    if target is None or target.suffix.lower() != PARQUET:
        raise OutputError(
            f"{target or 'standard output'}: no place for the arrays of {option}; write Parquet "
            f"with -o NAME{PARQUET}, or leave {option} out"
        )


def group_rows(schema: Mapping[str, pl.DataType]) -> int:
    """Say how many rows of a Parquet file are held until they are written together.

    Args:
        schema: types by name.

    Returns:
        ``GROUP_ROWS``, or fewer where rows are wide: as many as have ``GROUP_NUMBERS`` in arrays.

    Examples:
        >>> group_rows({"id": pl.String()}), group_rows({"e": pl.Array(pl.Float32, 1 << 12)})
        (16384, 512)
    """
    numbers = sum(kind.size for kind in schema.values() if isinstance(kind, pl.Array))
    return min(GROUP_ROWS, max(1, GROUP_NUMBERS // max(numbers, 1)))


def write(table: pl.LazyFrame, target: Path | None, provenance: Mapping[str, Any]) -> None:
    """Write a table, to a file at once or not at all, to standard output as CSV in pieces.

    Args:
        table: what to write; rows keep their order.
        target: file name, its extension names the format; None is standard output.
        provenance: stored as metadata of a Parquet file, else beside the table.

    Raises:
        OutputError: if the file can't be written.
    """
    check_columns(table.collect_schema(), target)
    if target is None:
        write_csv_stream(table.collect_batches(maintain_order=True), table.collect_schema())
        return
    text = json.dumps(provenance, ensure_ascii=False)
    extension = target.suffix.lower()
    if extension in JSON_LINES:
        _note_lost_numbers(table, target)
    # By handle: after a failure Polars may otherwise make the file once more.
    with replacing(target) as partial, partial.open("wb") as handle:
        if extension == PARQUET:
            rows = group_rows(table.collect_schema())
            table.sink_parquet(handle, metadata={METADATA_KEY: text}, row_group_size=rows)
        elif extension in JSON_LINES:
            table.sink_ndjson(handle)
        else:
            table.sink_csv(handle, separator=SEPARATORS[extension])
    if extension != PARQUET:
        described = {**provenance, CONTENT_KEY: fingerprint(target)}
        with replacing(sidecar(target), beside=target) as partial:
            partial.write_text(json.dumps(described, ensure_ascii=False) + "\n", encoding="utf-8")


def check_columns(schema: Mapping[str, pl.DataType], target: Path | None) -> None:
    """Refuse columns that a format has no place for.

    Args:
        schema: types by name.
        target: file that they are for, None for standard output.

    Raises:
        OutputError: names the first such column.
    """
    extension = ".csv" if target is None else target.suffix.lower()
    for name, kind in schema.items():
        refused = _holds_bytes(kind)
        if extension in SEPARATORS:
            refused = refused or kind.is_nested() or kind == pl.Duration
        if extension != PARQUET and refused:
            raise OutputError(
                f"{target or 'standard output'}: no place for column {name!r}, which holds "
                f"{kind}; write .parquet, or drop the column"
            )


def _holds_bytes(kind: pl.DataType) -> bool:
    if isinstance(kind, pl.Struct):
        return any(_holds_bytes(field.dtype) for field in kind.fields)  # type: ignore[arg-type]
    if isinstance(kind, pl.List | pl.Array):
        return _holds_bytes(kind.inner)  # type: ignore[arg-type]
    return kind in (pl.Binary, pl.Object)


def _note_lost_numbers(table: pl.LazyFrame, target: Path) -> None:
    # JSON has no word for them, and Polars writes null.
    floats = [name for name, kind in table.collect_schema().items() if kind.is_float()]
    lost = table.select((~pl.col(floats).is_finite()).sum()).collect(engine="streaming")
    for name, count in lost.row(0, named=True).items() if floats else ():
        if count:
            log.warning(
                "note: %s: %d values of column %r are NaN or infinite, for which JSON has no word: "
                "they are null there; CSV and Parquet keep them",
                target,
                count,
                name,
            )


def write_csv_stream(frames: Iterable[pl.DataFrame], schema: Mapping[str, Any]) -> None:
    """Write frames to standard output as one CSV table, each as soon as it comes.

    Args:
        frames: pieces of the table in order.
        schema: the table's columns, for a table without rows.
    """
    header: bytes | None = pl.DataFrame(schema=schema).write_csv().encode()
    for frame in frames:
        # Not before the first rows are there: what fails early then leaves nothing behind.
        _print((header or b"") + frame.write_csv(include_header=False).encode())
        header = None
    _print(header or b"")


def write_figures(target: Path, figures: Mapping[str, Any], table: pl.DataFrame) -> None:
    """Write what was measured, as JSON or as a table.

    Args:
        target: file name, its extension names the format, one of ``MEASURED_EXTENSIONS``.
        figures: all of it, for JSON.
        table: its rows, for the other formats.

    Raises:
        OutputError: if the file can't be written.
    """
    if target.suffix.lower() == ".json":
        write_text(target, json.dumps(figures, ensure_ascii=False) + "\n")
    else:
        write(table.lazy(), target, {"software": software([])})


def write_text(target: Path | None, text: str) -> None:
    """Write a text file at once or not at all.

    Args:
        target: the file, standard output where None.
        text: its content.

    Raises:
        OutputError: if it can't be written.
    """
    if target is None:
        _print(text.encode())
        return
    with replacing(target) as partial:
        partial.write_text(text, encoding="utf-8")


def _print(content: bytes) -> None:
    if sys.stdout is None:
        raise OutputError("standard output is closed; write to a file with -o")
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"standard output: {first_line(error)}; write to a file with -o"
        ) from error
