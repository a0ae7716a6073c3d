"""Which rows a table holds, as is stored with it: so that one cut, sorted or edited since shows.

Every column that was scored has a digest of its own, so that a message can say which one changed.
Text formats write some values alike: null and the empty text, null and NaN. Their digests are the
same as well, and do not depend on the format.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from emobatch.tables import reading
from emobatch.tables.rowless import CONTENT as CONTENT

# Columns that a message names.
NAMED = 3


def describe(
    rows: pl.LazyFrame, numbers: Collection[str], texts: Collection[str]
) -> dict[str, Any]:
    """Say what a table holds, in one pass and a batch of rows at a time.

    Args:
        rows: the table.
        numbers: columns that hold numbers.
        texts: columns that hold text.

    Returns:
        ``rows``, their number, and ``numbers`` and ``texts``: SHA-256 of the values in order, by
        column.
    """
    count = 0
    digests = {name: hashlib.sha256() for name in (*numbers, *texts)}
    values = [
        *(_number(name).alias(name) for name in numbers),
        *(_text(name).alias(name) for name in texts),
    ]
    for batch in rows.select(values).collect_batches(maintain_order=True):
        count += batch.height
        for name in numbers:
            digests[name].update(batch[name].to_numpy().astype("<f8").tobytes())
        for name in texts:
            digests[name].update((batch[name].str.join("").item() or "").encode())
    return {
        "rows": count,
        "numbers": {name: digests[name].hexdigest() for name in numbers},
        "texts": {name: digests[name].hexdigest() for name in texts},
    }


def described_as(rows: pl.LazyFrame, noted: Mapping[str, Any]) -> dict[str, Any]:
    """Say of the same columns what a table holds now.

    Args:
        rows: the table.
        noted: what :func:`describe` said of another one.

    Returns:
        What it says of this one.
    """
    return describe(rows, _columns(noted, "numbers"), _columns(noted, "texts"))


def same_ids(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two tables have the same rows by id, in the same order.

    Args:
        one: what :func:`describe` says of a table, its ids among the texts.
        other: what it says of another.

    Returns:
        False where ids are missing, or in another order.
    """
    mine, theirs = ((each["rows"], each["texts"]["id"]) for each in (one, other))
    return bool(mine == theirs)


def changed(source: str, noted: Mapping[str, Any]) -> str | None:
    """Say what of a table isn't as it was when it was written.

    Args:
        source: its file.
        noted: what :func:`describe` said of it then.

    Returns:
        A few words for a message, None where nothing differs.

    Raises:
        TableError: if the table can't be read.
    """
    numbers, texts = (_columns(noted, kind) for kind in ("numbers", "texts"))
    rows = reading.scan(source, lambda names: [name for name in names if name in numbers])
    with reading.explained(source):
        there = rows.collect_schema().names()
        gone = [name for name in (*texts, *numbers) if name not in there]
        if gone:
            return f"without {_listed(gone)}"
        found = describe(rows, numbers, texts)
    if found["rows"] != noted.get("rows"):
        return f"{found['rows']} rows where {noted.get('rows')} were written"
    kinds = (("texts", texts), ("numbers", numbers))
    other = [name for kind, old in kinds for name in old if found[kind][name] != old[name]]
    return f"other values in {_listed(other)}" if other else None


def _columns(noted: Mapping[str, Any], kind: str) -> Mapping[str, str]:
    columns = noted.get(kind)
    return columns if isinstance(columns, Mapping) else {}


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join([*names][:NAMED]) + more


def _number(name: str) -> pl.Expr:
    value = pl.col(name).cast(pl.Float64)
    # One pattern of bits for nothing.
    return pl.when(value.is_finite()).then(value).fill_null(float("nan"))


def _text(name: str) -> pl.Expr:
    # With its length before it, so that nothing can move from one row to the next unseen.
    value = pl.col(name).cast(pl.String).fill_null("")
    return pl.format("{}:{}", value.str.len_bytes(), value)
