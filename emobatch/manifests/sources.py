"""Sources for commands that need no audio: tables as they are, all else as its reader has it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from emobatch.manifests.convert import rebased
from emobatch.manifests.opening import opened
from emobatch.manifests.readers.registry import reader_for
from emobatch.storage.address import is_known
from emobatch.tables import reading
from emobatch.tables.places import Places


def scan(source: str, form: str | None = None, target: Path | None = None) -> pl.LazyFrame:
    """Open a table, or anything else that a manifest may be.

    Args:
        source: as the user named it.
        form: what it is, None to go by what it looks like.
        target: what is made of it, so that paths can be relative to that; a table's stay as they
            are.

    Returns:
        Its rows; the columns of a text table are text.

    Raises:
        TableError: if it can't be read.
    """
    return scan_with_places(source, form, target)[0]


def scan_with_places(
    source: str, form: str | None = None, target: Path | None = None
) -> tuple[pl.LazyFrame, Places]:
    """Open a source as :func:`scan` does, for messages that say where a row is.

    Args:
        source: as the user named it.
        form: what it is, None to go by what it looks like.
        target: what is made of it.

    Returns:
        Its rows, and what says of a row, by its number from 0, at which line it is.

    Raises:
        TableError: if it can't be read.
    """
    with reading.explained(source):
        if is_known(source):
            with opened(source, form) as found:
                rows = rebased(found.rows, found.root, target).collect().lazy()
            return rows, partial(_place_there, source, form)
        reader = reader_for(source, form)
        if reader.is_of_tables:
            return reading.scan_with_places(source)
        rows = rebased(reader.scan(source), reader.root(source), target)
        return rows, partial(reader.place, source)


def _place_there(source: str, form: str | None, row: int) -> str:
    with opened(source, form) as found:
        return found.place(row)


def root(source: str, form: str | None = None) -> Path:
    """Say what a source's paths are relative to.

    Args:
        source: as the user named it.
        form: what it is, None to go by what it looks like.

    Returns:
        The folder; the working folder where :func:`scan` made them so.
    """
    if is_known(source):
        return Path()  # paths are whole
    reader = reader_for(source, form)
    return reader.root(source) if reader.is_of_tables else Path()
