"""What is stored with a table: in a Parquet file's metadata, else in a file beside the table."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from emobatch.errors import TableError
from emobatch.tables.provenance import current

log = logging.getLogger(__name__)
METADATA_KEY = "emobatch"
# The part of a file beside a table that says which content it is about.
CONTENT_KEY = "content"
# Bytes of either end of a table by which it is known.
ENDS = 1 << 16
# Parts that hold named values, and those of them whose values do so again.
SECTIONS = ("software", "models", "options", "task", "shard", "folds", "thresholds", CONTENT_KEY)
NESTED = ("models",)


def metadata(source: str | Path, *, edited: bool = False) -> dict[str, Any]:
    """Provenance that was stored with a table.

    Args:
        source: a table's file name, or ``-``.
        edited: take what stands beside a table whose content is another by now.

    Returns:
        What it was written with; empty where nothing is known, or where the file beside the table
        is about another content, which is noted.

    Raises:
        TableError: if what is stored is nothing that emobatch would store.
    """
    path = Path(source)
    in_file = path.suffix.lower() == ".parquet"
    try:
        if source == "-":
            return {}
        if in_file:
            text = pl.read_parquet_metadata(path).get(METADATA_KEY, "{}")
        else:
            text = sidecar(path).read_text(encoding="utf-8")
        where = path if in_file else sidecar(path)
        found = _read(text, where)
    except (OSError, UnicodeDecodeError, PolarsError):
        return {}
    _check(found, where)
    content = found.pop(CONTENT_KEY, None)
    bound = content is not None and not in_file and not edited and path.is_file()
    if bound and content != fingerprint(path):
        log.warning(
            "note: %s is about another content than %s has, which was replaced or edited since; "
            "what it says of models, options and classes is not used",
            where,
            path,
        )
        return {}
    return current(found)


def sidecar(path: Path) -> Path:
    """Where the provenance of a text table stands: ``NAME.meta.json`` beside ``NAME``.

    Args:
        path: the table.

    Returns:
        The file with its provenance.
    """
    return path.with_name(path.name + ".meta.json")


def fingerprint(path: Path) -> dict[str, Any]:
    """Say which content a file has, without reading all of it.

    Args:
        path: the file.

    Returns:
        ``bytes``, its length, and ``sha256``, of its first and last 64 KiB.
    """
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        length = handle.seek(0, 2)
        for start in (0, max(0, length - ENDS)):
            handle.seek(start)
            digest.update(handle.read(ENDS))
    return {"bytes": length, "sha256": digest.hexdigest()}


def _read(text: str, where: Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        log.warning("note: %s is nothing that emobatch stores with a table; it is not used", where)
        return {}
    return found


def _check(found: Mapping[str, Any], where: Path) -> None:
    for name in SECTIONS:
        section = found.get(name, {})
        parts = [section]
        if isinstance(section, Mapping) and name in NESTED:
            parts += section.values()
        if not all(isinstance(part, Mapping) for part in parts):
            raise TableError(
                f"{where}: {name} is {section!r}, which emobatch doesn't store; mend or remove it"
            )
