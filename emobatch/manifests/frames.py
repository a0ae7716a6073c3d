"""Rows to score that are in memory: of a frame, named by paths, or heard already."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from emobatch.errors import ManifestError
from emobatch.manifests.blocks import Sound
from emobatch.manifests.checked import check_columns, check_rows, normalised, refuse_columns
from emobatch.manifests.columns import ManifestColumns
from emobatch.tables import reading

# What messages call them.
ROWS = "the rows"
FORMS = (
    "give a DataFrame with a column 'path', a list of paths, or a list of (samples, rate), where "
    "samples is an array and rate is in Hz"
)


@dataclass(frozen=True)
class Given:
    """Rows as they are scored.

    Attributes:
        frame: with ``path`` and ``id``.
        sounds: what is heard in each, None where that is in files.
    """

    frame: pl.DataFrame
    sounds: tuple[Sound, ...] | None = None


def given(
    rows: pl.DataFrame | Iterable[Any],
    columns: ManifestColumns | None = None,
    written: Collection[str] = (),
) -> Given:
    """Check rows as those of a manifest are.

    Args:
        rows: a frame with the columns of a manifest; paths; or (samples, rate) pairs.
        columns: which have which meaning, None for those of the names that emobatch knows.
        written: names that no column may have.

    Returns:
        The rows. Those that are heard already have their numbers as ``id``.

    Raises:
        ManifestError: if they make no sense.

    Examples:
        >>> given(["a.wav", "b.wav"]).frame["id"].to_list()
        ['a.wav', 'b.wav']
        >>> given([(np.zeros(16_000, np.float32), 16_000)]).frame.row(0)
        ('array 0', '0')
    """
    sounds = None
    if not isinstance(rows, pl.DataFrame):
        if hasattr(rows, "__arrow_c_stream__") or hasattr(rows, "__dataframe__"):
            rows = pl.DataFrame(rows)
        else:
            rows, sounds = _listed(rows)
    with reading.explained(ROWS):
        lazy = (columns or ManifestColumns()).named(rows.lazy())
        check_columns(ROWS, lazy)
        refuse_columns(ROWS, lazy.collect_schema(), written)
        lazy = normalised(lazy)
        check_rows(lazy)
        return Given(lazy.collect(), sounds)


def _listed(rows: Iterable[Any]) -> tuple[pl.DataFrame, tuple[Sound, ...] | None]:
    if isinstance(rows, str | os.PathLike):
        raise ManifestError(f"{os.fspath(rows)}: one path; {FORMS}")
    items = list(rows)
    if all(isinstance(item, str | os.PathLike) for item in items):
        paths = [os.fspath(item) for item in items]
        return pl.DataFrame({"path": paths}, schema={"path": pl.String}), None
    sounds = tuple(_sound(number, item) for number, item in enumerate(items))
    numbers = range(len(items))
    named = {"path": [f"array {n}" for n in numbers], "id": [str(n) for n in numbers]}
    return pl.DataFrame(named), sounds


def _sound(number: int, item: Any) -> Sound:
    is_pair = isinstance(item, tuple | list) and len(item) == 2
    samples, rate = item if is_pair else (item, None)
    if not isinstance(rate, int | np.integer) or isinstance(rate, bool):
        raise ManifestError(f"row {number + 1} is {_kind(item)}; {FORMS}")
    # An array, or what makes one of itself, as a tensor on the CPU does.
    if not hasattr(samples, "__array__"):
        raise ManifestError(f"row {number + 1} has {_kind(samples)} for samples; {FORMS}")
    return Sound(np.asarray(samples), int(rate))


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"
