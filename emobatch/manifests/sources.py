"""Sources for commands that need no audio: tables as they are, all else as its reader has it."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from emobatch.manifests.convert import rebased
from emobatch.manifests.opening import opened
from emobatch.manifests.readers.registry import reader_for
from emobatch.storage.address import is_known
from emobatch.tables import reading


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
    with reading.explained(source):
        if is_known(source):
            with opened(source, form) as found:
                return rebased(found.rows, found.root, target).collect().lazy()
        reader = reader_for(source, form)
        if reader.is_of_tables:
            return reading.scan(source)
        return rebased(reader.scan(source), reader.root(source), target)


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
