"""A manifest's rows as emobatch goes by them, and what makes no sense in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import polars as pl

from emobatch.errors import ManifestError
from emobatch.manifests import header
from emobatch.manifests.readers.table import SECONDS
from emobatch.tables import reading
from emobatch.tables.places import Places, numbered

# Text in which blanks are nothing.
ABOUT_TEXT = ("transcript", "language")
# Ids that are compared at a time, each in about 40 bytes of memory.
IDS_AT_A_TIME = 1 << 24


def check_columns(source: str, rows: pl.LazyFrame, place: Places = numbered) -> None:
    """Refuse columns that aren't a manifest's.

    Args:
        source: the manifest, as the user named it.
        rows: of it.
        place: says where a row is.

    Raises:
        ManifestError: says what is wrong and how to mend it.
    """
    schema = rows.collect_schema()
    header.check(source, list(schema))
    for name in SECONDS:
        # A column of no type is a JSON Lines column without any value.
        if name in schema and not (schema[name].is_numeric() or schema[name] == pl.Null):
            _refuse_text(rows.select(value=pl.col(name)), name, schema[name], place)


def _refuse_text(values: pl.LazyFrame, name: str, kind: pl.DataType, place: Places) -> None:
    value = pl.col("value")
    given = values.with_row_index("row").filter(value.is_not_null())
    # JSON Lines may have numbers in some rows and text in others.
    is_number = value.cast(pl.Float64, strict=False).is_not_null()
    others = [given.filter(~is_number)] if kind == pl.String else []
    for some in (*others, given):
        for row, found in some.first().collect().rows():
            what = f"column {name!r} holds {str(found)[:40]!r}, no number"
            raise ManifestError(f"{place(row)}: {what}; give seconds")
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


def check_rows(rows: pl.LazyFrame, place: Places = numbered) -> None:
    """Refuse rows that make no sense.

    Args:
        rows: normalised.
        place: says where a row is.

    Raises:
        ManifestError: names the first of them and says how to mend it.
    """
    _check_segments(rows, place)
    _check_ids(rows, place)


def _check_segments(rows: pl.LazyFrame, place: Places) -> None:
    schema = rows.collect_schema()
    absent = [pl.lit(None, pl.Float64).alias(name) for name in SECONDS if name not in schema]
    rows = rows.with_columns(absent).select("path", "id", *SECONDS)
    path, start, end = (pl.col(name) for name in ("path", *SECONDS))
    rules = {
        "no path": path.is_null() | (path.str.strip_chars() == ""),
        "no id": pl.col("id").is_null(),
        "start or end is NaN or infinite": ~(start.is_finite() & end.is_finite()),
        "start is negative": start < 0,
        "start is not before end": start.fill_null(0.0) >= end,
    }
    # In one pass: of each rule the first row that breaks it, and how many do.
    found = rows.with_row_index("row").select(
        pl.struct(pl.when(broken).then("row").min(), count=broken.fill_null(False).sum()).alias(
            what
        )
        for what, broken in rules.items()
    )
    for what, broken in found.collect(engine="streaming").row(0, named=True).items():
        if broken["count"]:
            first, last = rows.select(SECONDS).slice(broken["row"], 1).collect().row(0)
            bounds = "" if what.startswith("no ") else f" ({first} to {last})"
            more = f", and {broken['count'] - 1} more rows like it" if broken["count"] > 1 else ""
            raise ManifestError(f"{place(broken['row'])}: {what}{bounds}{more}; mend or drop it")


def _check_ids(rows: pl.LazyFrame, place: Places) -> None:
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
    for name, found in doubled.rows():
        raise ManifestError(
            f"id {name!r} occurs more than once: {', '.join(map(place, found))}; "
            "give each row an id of its own in column 'id'"
        )


def _are_distinct(hashes: pl.LazyFrame) -> bool:
    counts = hashes.select(pl.col("id").n_unique(), rows=pl.len())
    return bool(counts.select(pl.col("id") == pl.col("rows")).collect(engine="streaming").item())
