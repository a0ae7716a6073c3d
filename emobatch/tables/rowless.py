"""JSON Lines without a row, as the table of a shard that no row fell to: what its columns are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

# What the file is called that says what a text table was made with, after the table's own name.
SIDECAR = ".meta.json"
# The part of provenance that says which rows and columns a table holds.
CONTENT = "table"


def columns(path: Path) -> dict[str, Any] | None:
    """Say what was scored for a table that has no rows, and no place for names of columns.

    Args:
        path: a JSON Lines file.

    Returns:
        Type by column, as the file beside it says; None where the table has rows, or nothing is
        said.
    """
    if path.stat().st_size:
        return None
    try:
        made = json.loads(path.with_name(path.name + SIDECAR).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    holds = made.get(CONTENT) if isinstance(made, dict) else None
    if not isinstance(holds, dict):
        return None
    columns: dict[str, Any] = {"path": pl.String()}  # what every score table has of its manifest
    kinds = {"texts": pl.String, "numbers": pl.Float64}
    named = {kind: holds[kind] for kind in kinds if isinstance(holds.get(kind), Mapping)}
    return columns | {name: kinds[kind]() for kind, names in named.items() for name in names}
