"""A manifest's rows as emobatch goes by them, and what makes no sense in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from emobatch.errors import ManifestError
from emobatch.manifests import header
from emobatch.manifests.readers.table import SECONDS
from emobatch.tables import reading

# Text in which blanks are nothing.
ABOUT_TEXT = ("transcript", "language")
# Ids that are compared at a time, each in about 40 bytes of memory.
IDS_AT_A_TIME = 1 << 24


def check_columns(source: str, schema: pl.Schema) -> None:
    """Refuse columns that aren't a manifest's.

    Args:
        source: the manifest, as the user named it.
        schema: of its columns.

    Raises:
        ManifestError: says what is wrong and how to mend it.
    """
    header.check(source, list(schema))
    for name in SECONDS:
        # A column of no type is a JSON Lines column without any value.
        if name in schema and not (schema[name].is_numeric() or schema[name] == pl.Null):
            raise ManifestError(f"column {name!r} holds no numbers; give seconds")


def refuse_columns(source: str, names: Iterable[str], written: Collection[str]) -> None:
    """Refuse columns whose names will be written beside them.

    Args:
        source: the manifest, as the user named it.
        names: of its columns.
        written: names that no column may have.

    Raises:
        ManifestError: names those that do.
    """
    taken = [name for name in names if name in written]
    if taken:
        raise ManifestError(
            f"{reading.spoken(source)}: columns that emobatch itself writes: "
            f"{', '.join(taken)}; drop or rename them"
        )


def normalised(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Give the columns that emobatch goes by their types, and rows an id that have none.

    Args:
        rows: of a manifest.

    Returns:
        The rows with ``id``, blank text as null.
    """
    schema = rows.collect_schema()
    text = [name for name in ("path", "id", *ABOUT_TEXT) if name in schema]
    numbers = [name for name in SECONDS if name in schema]
    rows = rows.with_columns(
        *(pl.col(name).cast(pl.String) for name in text),
        *(pl.col(name).cast(pl.Float64) for name in numbers),
    )
    for name in ABOUT_TEXT:
        if name in schema:
            blank = pl.col(name).str.strip_chars() == ""
            rows = rows.with_columns(pl.when(~blank).then(pl.col(name)).alias(name))
    if "id" in schema:
        return rows
    bounds = [
        pl.col(name).cast(pl.String).str.strip_suffix(".0").fill_null("")
        if name in numbers
        else pl.lit("")
        for name in SECONDS
    ]
    segment = pl.format("#{}-{}", *bounds)
    whole = segment == "#-"
    return rows.with_columns(id=pl.col("path") + pl.when(whole).then(pl.lit("")).otherwise(segment))


def check_rows(rows: pl.LazyFrame) -> None:
    """Refuse rows that make no sense.

    Args:
        rows: normalised.

    Raises:
        ManifestError: names the first of them and says how to mend it.
    """
    _check_segments(rows)
    _check_ids(rows)


def _check_segments(rows: pl.LazyFrame) -> None:
    schema = rows.collect_schema()
    start = pl.col("start") if "start" in schema else pl.lit(None, dtype=pl.Float64)
    end = pl.col("end") if "end" in schema else pl.lit(None, dtype=pl.Float64)
    rules = {
        "no path": pl.col("path").is_null() | (pl.col("path").str.strip_chars() == ""),
        "no id": pl.col("id").is_null(),
        "start or end is NaN or infinite": ~(start.is_finite() & end.is_finite()),
        "start is negative": start < 0,
        "start is not before end": start.fill_null(0.0) >= end,
    }
    for what, broken in rules.items():
        row, count = (
            rows.select(broken=broken.fill_null(False))
            .with_row_index("row")
            .filter("broken")
            .select(pl.col("row").first(), count=pl.len())
            .collect(engine="streaming")
            .row(0)
        )
        if count:
            more = f", and {count - 1} more rows like it" if count > 1 else ""
            raise ManifestError(f"row {row + 1}: {what}{more}; mend or drop it")


def _check_ids(rows: pl.LazyFrame) -> None:
    # By hash, and of those a part at a time, in as many passes as there are parts; the names
    # themselves only if something is wrong.
    hashes = rows.select(pl.col("id").hash())
    parts = hashes.select(pl.len()).collect(engine="streaming").item() // IDS_AT_A_TIME + 1
    if all(_are_distinct(hashes.filter(pl.col("id") % parts == part)) for part in range(parts)):
        return
    doubled = (
        rows.select("id")
        .with_row_index("row")
        .group_by("id")
        .agg(pl.col("row").sort().head(3))
        .filter(pl.col("row").list.len() > 1)
        .sort(pl.col("row").list.first())
        .first()
        .collect()
    )
    for name, places in doubled.rows():
        raise ManifestError(
            f"id {name!r} occurs in rows {', '.join(str(place + 1) for place in places)}; "
            "give each row an id of its own in column 'id'"
        )


def _are_distinct(hashes: pl.LazyFrame) -> bool:
    counts = hashes.select(pl.col("id").n_unique(), rows=pl.len())
    return bool(counts.select(pl.col("id") == pl.col("rows")).collect(engine="streaming").item())
