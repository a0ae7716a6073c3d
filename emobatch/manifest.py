"""The manifest: which clips to score, and whatever else its rows carry."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from emobatch import tables
from emobatch.errors import ManifestError
from emobatch.labels import EMOTIONS, canonical, parse_label_map

NUMERIC = {"start": pl.Float64, "end": pl.Float64}


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of a manifest: a file or a segment of it.

    Attributes:
        path: as the manifest has it.
        file: where that is.
        start: seconds into the file, None for its beginning.
        end: seconds into the file, None for its end.
        transcript: authentic transcript, None where there is none.
    """

    path: str
    file: Path
    start: float | None
    end: float | None
    transcript: str | None


@dataclass(frozen=True)
class Manifest:
    """A checked manifest.

    Attributes:
        rows: its columns in order, with ``id``, and labels as class names.
        root: folder that paths are relative to.
    """

    rows: pl.DataFrame
    root: Path

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def digest(self) -> str:
        """SHA-256 of the rows."""
        # Arrow's own format has a place for any column.
        content = io.BytesIO()
        self.rows.write_ipc(content)
        return hashlib.sha256(content.getvalue()).hexdigest()

    def clips(self, first: int, count: int) -> Iterator[Clip]:
        """Walk through some rows.

        Args:
            first: the first row's number, from 0.
            count: how many.

        Yields:
            One clip for each row, in order.
        """
        wanted = ("path", "start", "end", "transcript")
        columns = [
            pl.col(name) if name in self.rows.columns else pl.lit(None).alias(name)
            for name in wanted
        ]
        for path, start, end, transcript in self.rows.slice(first, count).select(columns).rows():
            yield Clip(path, self.root / path, start, end, transcript)


def read(
    source: str,
    root: Path | None = None,
    label_map: Sequence[str] = (),
    reserved: Collection[str] = (),
) -> Manifest:
    """Read a manifest and check every row of it before any work begins.

    Args:
        source: CSV, TSV, Parquet or JSON Lines by extension; ``-`` is CSV on standard input.
        root: folder that paths are relative to; by default the manifest's own, or the working
            folder for standard input.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        reserved: names that no column may have, for they will be written beside the manifest's.

    Returns:
        The manifest.

    Raises:
        TableError: if it can't be read.
        ManifestError: if its rows make no sense.
        LabelError: if a label is outside the classes.
    """
    with tables.explained(source):
        rows = tables.scan(source, NUMERIC).collect()
        _check_columns(rows, reserved)
        if rows.is_empty():
            raise ManifestError("no rows; a manifest has one row for each clip")
        text = [name for name in ("id", "transcript", "label") if name in rows.columns]
        rows = rows.with_columns(pl.col("path", *text).cast(pl.String))
        rows = _with_transcripts(_with_labels(rows, parse_label_map(label_map, EMOTIONS)))
        _check_segments(rows)
        rows = _with_ids(rows)
    if root is None:
        root = Path() if source == tables.STANDARD_STREAM else Path(source).parent
    return Manifest(rows, root)


def _check_columns(rows: pl.DataFrame, reserved: Collection[str]) -> None:
    if "path" not in rows.columns:
        raise ManifestError(
            f"no column 'path' with the audio files; the columns are {', '.join(rows.columns)}"
        )
    taken = [name for name in rows.columns if name in reserved]
    if taken:
        raise ManifestError(
            f"columns that emobatch itself writes: {', '.join(taken)}; drop or rename them"
        )
    for name in NUMERIC:
        if name in rows.columns and not (
            rows[name].dtype.is_numeric() or rows[name].is_null().all()
        ):
            raise ManifestError(f"column {name!r} holds no numbers; give seconds")


def _with_labels(rows: pl.DataFrame, label_map: Mapping[str, str | None]) -> pl.DataFrame:
    if "label" not in rows.columns:
        return rows
    return rows.with_columns(canonical(rows["label"], EMOTIONS, label_map).alias("label"))


def _with_transcripts(rows: pl.DataFrame) -> pl.DataFrame:
    if "transcript" not in rows.columns:
        return rows
    blank = pl.col("transcript").str.strip_chars() == ""
    return rows.with_columns(transcript=pl.when(~blank).then(pl.col("transcript")))


def _check_segments(rows: pl.DataFrame) -> None:
    start = pl.col("start") if "start" in rows.columns else pl.lit(None, dtype=pl.Float64)
    end = pl.col("end") if "end" in rows.columns else pl.lit(None, dtype=pl.Float64)
    rules = {
        "no path": pl.col("path").is_null() | (pl.col("path").str.strip_chars() == ""),
        "start or end is NaN or infinite": ~(start.is_finite() & end.is_finite()),
        "start is negative": start < 0,
        "start is not before end": start.fill_null(0.0) >= end,
    }
    for what, broken in rules.items():
        found = rows.select(broken.fill_null(False).arg_true().alias("row"))["row"]
        if len(found):
            more = f", and {len(found) - 1} more rows like it" if len(found) > 1 else ""
            raise ManifestError(f"row {found[0] + 1}: {what}{more}; mend or drop it")


def _with_ids(rows: pl.DataFrame) -> pl.DataFrame:
    if "id" not in rows.columns:
        bounds = [
            pl.col(name).cast(pl.String).str.strip_suffix(".0").fill_null("")
            if name in rows.columns
            else pl.lit("")
            for name in NUMERIC
        ]
        segment = pl.format("#{}-{}", *bounds)
        whole = segment == "#-"
        rows = rows.with_columns(
            id=pl.col("path") + pl.when(whole).then(pl.lit("")).otherwise(segment)
        )
    if rows["id"].has_nulls():
        row = rows["id"].is_null().arg_true()[0] + 1
        raise ManifestError(f"row {row}: no id; give it one, or leave the column out")
    doubled = rows.filter(pl.col("id").is_duplicated())["id"]
    if len(doubled):
        where = (rows["id"] == doubled[0]).arg_true() + 1
        raise ManifestError(
            f"id {doubled[0]!r} occurs in rows {', '.join(map(str, where[:3]))}; "
            "give each row an id of its own in column 'id'"
        )
    return rows
