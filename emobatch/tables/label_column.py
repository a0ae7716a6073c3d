"""Which column of a table holds its labels, and which holds what was decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from emobatch.errors import TableError
from emobatch.tables import reading
from emobatch.tables.score_columns import DECISION_COLUMNS
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.labels import LabelMap, Labels, refuse_strays
from emobatch.tasks.labels_read import LABEL

# The final emotion, and what tells a column that `apply` wrote from a manifest's of that name.
EMOTION, DECIDED_BY = "emotion", "decided_by"
# What a manifest's own column of that name is called beside it.
GIVEN_EMOTION = "manifest_emotion"
PREDICTIONS = ("speech_emotion", "text_emotion", *DECISION_COLUMNS)
# Of all tables of `score`, and hardly of another program's.
SCORED = ("transcript_source", "status")
OPTION = "label_column"


def label_column(table: ScoreTable, named: str | None) -> str:
    """Find the column of labels.

    Args:
        table: a score table or a final table.
        named: the value of ``--label-column``.

    Returns:
        The column named, else the one that `score` was told of, else ``label``.

    Raises:
        TableError: if it holds predictions.
    """
    names = table.unfiltered.collect_schema().names()
    told = dict(table.provenance.get("options") or {}).get(OPTION)
    column = named or (told if told in names else None) or LABEL
    if column in PREDICTIONS and not (column == EMOTION and DECIDED_BY not in names):
        own = f"; the manifest's own is {GIVEN_EMOTION!r}" if GIVEN_EMOTION in names else ""
        raise TableError(
            f"column {column!r} holds predictions, no labels{own}; name another with --label-column"
        )
    return str(column)


def checked_column(
    tables: Sequence[ScoreTable], named: str | None, label_map: LabelMap, labels: Labels
) -> str:
    """Find the column of labels, and hold ``--label-map`` against it.

    Args:
        tables: score tables or final tables that are read together.
        named: the value of ``--label-column``.
        label_map: as the user gave it.
        labels: the classes.

    Returns:
        The column, see :func:`label_column`.

    Raises:
        TableError: if it holds predictions.
        LabelError: if an entry is for no label of the tables, whatever ``--where`` leaves of them;
            names the nearest.
    """
    with reading.explained(tables[0].name):
        column = label_column(tables[0], named)
        if not set(label_map) <= set(labels.spellings):
            _refuse_strays(tables, column, label_map, labels)
    return column


def has_given_emotion(names: Collection[str]) -> bool:
    """Whether a table's column ``emotion`` is the manifest's, and not what was decided.

    Args:
        names: of its columns.

    Returns:
        True where `score` wrote the table and `apply` did not.

    Examples:
        >>> has_given_emotion(["emotion", "speech_sad", "transcript_source", "status"])
        True
        >>> has_given_emotion(["emotion", "speech_sad"])
        False
    """
    return {EMOTION, *SCORED} <= set(names) and DECIDED_BY not in names


def set_aside(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Make room for the final emotions beside a manifest's column of that name.

    Args:
        rows: with ``emotion``.

    Returns:
        The rows with that column under the name ``manifest_emotion``.

    Raises:
        TableError: if there is a column of that name, too.
    """
    if GIVEN_EMOTION in rows.collect_schema():
        raise TableError(
            f"columns {EMOTION!r} and {GIVEN_EMOTION!r}, and the first would be called like the "
            "second beside the final emotions; rename one of them"
        )
    return rows.rename({EMOTION: GIVEN_EMOTION})


def set_aside_in(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Say the same in what is stored with the table.

    Args:
        provenance: of a table whose column ``emotion`` was set aside.

    Returns:
        The same; labels that were in that column are in the other.
    """
    options = dict(provenance.get("options") or {})
    if options.get(OPTION) != EMOTION:
        return dict(provenance)
    return {**provenance, "options": {**options, OPTION: GIVEN_EMOTION}}


def _refuse_strays(
    tables: Sequence[ScoreTable], column: str, label_map: LabelMap, labels: Labels
) -> None:
    names: dict[str, None] = {}
    for table in tables:
        if column not in table.unfiltered.collect_schema():
            return  # which is said elsewhere
        text = pl.col(column).cast(pl.String).str.strip_chars().alias("label")
        counts = table.unfiltered.group_by(text).agg(pl.len().alias("rows"))
        ordered = counts.sort("rows", "label", descending=[True, False])
        found = ordered.collect(engine="streaming")["label"].drop_nulls()
        names |= dict.fromkeys(name for name in found if name)
    refuse_strays(label_map, list(names), labels, f"column {column!r}", "--label-map")
