"""Rows that are given twice, and would count twice: ids that stand in a table more than once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import polars as pl

from emobatch.errors import TableError
from emobatch.tables import reading
from emobatch.tables.fitted_rows import ID
from emobatch.tables.score_table import ScoreTable
from emobatch.wording import counted

log = logging.getLogger(__name__)

# A row stands once for each fold where a table has folds.
FOLD = "fold"
# What tells one clip from another, beside its id. Without any of it equal rows may be two clips.
PATH, SPEECH = "path", "speech_"
KEY = "\0key"

GIVEN_TWICE = (
    "{} given twice, as id {!r}{}: figures would take copies for evidence; leave a table or the "
    "copies out, or give different clips ids of their own"
)
SAME_ID = (
    "note: %s the id of another row, as %r%s, and not all else of it; if they are of the same "
    "clips, these count twice, and intervals and p flatter"
)


def check(table: ScoreTable) -> None:
    """Refuse a table's rows that are given twice, and note ids that occur twice.

    Args:
        table: its rows that ``--where`` keeps are looked at.

    Raises:
        TableError: if rows are equal in all columns, as of a table and a copy of it.
    """
    has_folds = FOLD in table.rows.collect_schema()
    check_rows(table.rows, table.sources, FOLD if has_folds else None)


def check_rows(rows: pl.LazyFrame, sources: Sequence[str], fold: str | None) -> None:
    """Do so for the rows of several tables.

    It reads the ids alone, and more only where one occurs twice. A table without ids is not
    looked at.

    Args:
        rows: of all tables.
        sources: names of the tables, for messages.
        fold: the column of folds, in each of which a row may stand once; None where there is none.

    Raises:
        TableError: see :func:`check`.
    """
    schema = rows.collect_schema()
    if ID not in schema:
        return
    keys = [pl.col(name).cast(pl.String) for name in (ID, fold) if name is not None]
    named = rows.filter(pl.col(ID).is_not_null()).with_columns(pl.struct(keys).hash().alias(KEY))
    counts = named.group_by(KEY).len("rows").filter(pl.col("rows") > 1).collect(engine="streaming")
    if counts.is_empty():
        return
    found = named.join(counts.lazy().select(KEY), on=KEY, how="semi")
    flat = [name for name, kind in schema.items() if not kind.is_nested()]
    copies = _more_than_once(found, flat)
    told_apart = PATH in schema or any(name.startswith(SPEECH) for name in schema)
    if len(copies) and told_apart:
        first = copies[ID][0]
        said = "row is" if (count := copies["rows"].sum() - len(copies)) == 1 else "rows are"
        raise TableError(GIVEN_TWICE.format(f"{count} {said}", first, _places(sources, first)))
    doubled = _more_than_once(found, [KEY, ID])
    count, first = int(doubled["rows"].sum()) - len(doubled), doubled[ID][0]
    if count:
        have = f"{counted(count, 'row')} {'has' if count == 1 else 'have'}"
        log.warning(SAME_ID, have, first, _places(sources, first))


def _more_than_once(rows: pl.LazyFrame, columns: Sequence[str]) -> pl.DataFrame:
    # Ids in order, so that the first is the same whatever the machine.
    text = pl.col(ID).cast(pl.String)
    groups = rows.group_by(columns).len(KEY + "rows").filter(pl.col(KEY + "rows") > 1)
    return groups.select(text, rows=KEY + "rows").sort(ID).collect(engine="streaming")


def _places(sources: Sequence[str], name: str) -> str:
    if len(sources) == 1:
        return ""
    is_it = pl.col(ID).cast(pl.String) == name
    holds = [
        each
        for each in sources
        if each == reading.STANDARD_STREAM
        or reading.scan(each).select(is_it.any()).collect(engine="streaming").item()
    ]
    return f" ({', '.join(map(reading.spoken, holds))})"
