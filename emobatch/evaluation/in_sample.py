"""Whether rows that are measured are those that thresholds were fitted on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from emobatch.errors import ThresholdsError
from emobatch.tables import reading
from emobatch.tables.fitted_rows import ID, FittedRows, InSample, Overlap
from emobatch.tables.score_columns import number_columns
from emobatch.tables.score_table import ScoreTable

FITTED_ON = (
    "the thresholds were fitted on {} of these {} rows{}, which flatters what comes after; measure "
    "rows that --where left out of calibrate, or use crossval"
)
ESTIMATED = " ({} of which could be looked up)"


NOTHING_KNOWN = InSample()


def of_thresholds(fitted: Any, name: str) -> InSample:
    """Read which rows thresholds were fitted on.

    Args:
        fitted: what a thresholds file, or a table that it decided, says of its making.
        name: of that file, for messages.

    Returns:
        What is known: nothing of files of before, and of rows without ids.

    Raises:
        ThresholdsError: if it can't be read.
    """
    return InSample(tuple((rows, None) for rows in _parts(fitted, name)))


def of_table(table: ScoreTable, decided_with: Mapping[str, Any] | None = None) -> InSample:
    """Read which rows the thresholds were fitted on that decided a table.

    Args:
        table: a final table, whose files may have been decided with thresholds of their own.
        decided_with: by source, what says of it; None for what decided its emotions.

    Returns:
        What is known.

    Raises:
        ThresholdsError: if it can't be read.
    """
    known = table.decided_with if decided_with is None else decided_with
    if len(table.sources) == 1:
        (source,) = table.sources
        return of_thresholds(known.get(source), source)
    parts = []
    for source, fitted in known.items():
        for rows in _parts(fitted, source):
            ids = reading.scan(source, number_columns).select(pl.col(ID).cast(pl.String))
            parts.append((rows, ids.collect().to_series().unique()))
    return InSample(tuple(parts))


def note(overlap: Overlap | None, rows: int) -> list[str]:
    """Say how many rows thresholds were fitted on, where there are any.

    Args:
        overlap: of the rows measured.
        rows: how many these are.

    Returns:
        A sentence, or none.

    Examples:
        >>> note(Overlap(412, 481, exact=True), 481)[0][:51]
        'the thresholds were fitted on 412 of these 481 rows'
    """
    if overlap is None or not overlap.rows:
        return []
    if overlap.exact:
        return [FITTED_ON.format(overlap.rows, rows, "")]
    return [FITTED_ON.format(f"about {overlap.rows}", rows, ESTIMATED.format(overlap.looked_up))]


def _parts(fitted: Any, name: str) -> list[FittedRows]:
    ids = fitted.get("ids") if isinstance(fitted, dict) else None
    if ids is None:
        return []
    try:
        return [FittedRows.from_document(ids)]
    except ThresholdsError as error:
        raise ThresholdsError(f"{name}: {error}") from error
