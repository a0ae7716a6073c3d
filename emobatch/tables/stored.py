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
from emobatch.tables.content import CONTENT
from emobatch.tables.provenance import current
from emobatch.tables.rowless import SIDECAR

log = logging.getLogger(__name__)
METADATA_KEY = "emobatch"
# The part of a file beside a table that says which content it is about.
CONTENT_KEY = "content"
# Bytes of either end of a table by which it is known.
ENDS = 1 << 16
# Parts that hold named values, and those of them whose values do so again.
SECTIONS = (
    *("software", "models", "options", "task", "shard", "folds", "thresholds", "trained"),
    *(CONTENT, CONTENT_KEY),
)
NESTED = ("models", "trained")


def metadata(source: str | Path, *, edited: bool = False) -> dict[str, Any]:
    """Provenance that was stored with a table.

    Args:
        source: a table's file name, or ``-``.
        edited: take what is said of another content as well: for whoever looks at every value.

    Returns:
        What it was written with; empty where nothing is known, or where the file beside the table
        is about another content, which is noted.

    Raises:
        TableError: if what is stored is nothing that emobatch would store.
    """
    path = Path(source)
    found = _read(source)
    in_file = path.suffix.lower() == ".parquet"
    where = path if in_file else sidecar(path)
    _check(found, where)
    if not edited and _is_of_another_content(found, path):
        log.warning(
            "note: %s is about another content than %s has, which was replaced or edited since; "
            "what it says of models, options and classes is not used",
            where,
            path,
        )
        return {}
    return current({key: value for key, value in found.items() if key != CONTENT_KEY})


def was_replaced(source: str | Path) -> bool:
    """Whether a text table has another content than the file beside it is about.

    Args:
        source: a table's file name, or ``-``.

    Returns:
        False where nothing is known, and for Parquet, whose provenance is part of it.
    """
    return _is_of_another_content(_read(source), Path(source))


def sidecar(path: Path) -> Path:
    """Where the provenance of a text table stands: ``NAME.meta.json`` beside ``NAME``.

    Args:
        path: the table.

    Returns:
        The file with its provenance.
    """
    return path.with_name(path.name + SIDECAR)


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


def _read(source: str | Path) -> dict[str, Any]:
    path = Path(source)
    in_file = path.suffix.lower() == ".parquet"
    try:
        if source == "-":
            return {}
        if in_file:
            text = pl.read_parquet_metadata(path).get(METADATA_KEY, "{}")
        else:
            text = sidecar(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, PolarsError):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # of brackets in brackets without end
        found = None
    if not isinstance(found, dict):
        where = path if in_file else sidecar(path)
        log.warning("note: %s is nothing that emobatch stores with a table; it is not used", where)
        return {}
    return found


def _is_of_another_content(found: Mapping[str, Any], path: Path) -> bool:
    content = found.get(CONTENT_KEY)
    if content is None or path.suffix.lower() == ".parquet" or not path.is_file():
        return False
    return bool(content != fingerprint(path))


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
