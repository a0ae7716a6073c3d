"""audformat databases: a folder with db.yaml, read by the package of that name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emobatch.errors import ManifestError, first_line
from emobatch.manifests.readers.reader import Reader

if TYPE_CHECKING:
    import pandas as pd

HEADER = "db.yaml"
# Columns by what audformat's databases usually call them.
COLUMNS = {"emotion": "label", "transcription": "transcript", "text": "transcript"}
SPLITS = {"train": "train", "dev": "val", "test": "test"}
FILE, START, END = "file", "start", "end"


class AudformatReader(Reader):
    """Reads the tables of a database as one: a row for each file or segment of them."""

    def takes(self, source: str) -> bool:
        """Whether there is a db.yaml.

        Args:
            source: a folder, or a db.yaml itself.

        Returns:
            True where there is.
        """
        return (Path(source) / HEADER).is_file() or Path(source).name == HEADER

    def scan(self, source: str) -> pl.LazyFrame:
        """Read the database.

        Args:
            source: its folder, or its db.yaml.

        Returns:
            ``path``, ``start``, ``end``, and the columns of all its tables, mapped as its schemes
            say. What is said of a whole file is said of its segments.

        Raises:
            ManifestError: if the package isn't installed, or the database can't be read.
        """
        try:
            import audformat
        except ImportError as error:
            raise ManifestError(
                "is an audformat database, which the package audformat reads; install it: "
                "`pip install 'emobatch[audformat]'`"
            ) from error
        try:
            database = audformat.Database.load(str(self.root(source)))
            frames = [_values(database, name) for name in database.tables]
            segmented = [
                audformat.utils.to_segmented_index(each, allow_nat=True) for each in frames
            ]
            if not segmented:
                raise ManifestError("no tables of files or segments in it")
            joined = audformat.utils.concat(segmented).reset_index()
        except ManifestError:
            raise
        except Exception as error:  # whatever its parsers raise on what is no database
            raise ManifestError(f"can't be read by audformat: {first_line(error)}") from error
        return _named(_of_pandas(joined)).lazy()

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: the database's folder, or its db.yaml.

        Returns:
            The folder.
        """
        path = Path(source)
        return path if path.is_dir() else path.parent


def _values(database: Any, name: str) -> pd.DataFrame:
    table = database[name]
    frame = table.get()
    for column in frame.columns:
        scheme = database.schemes.get(table.columns[column].scheme_id)
        labels = getattr(scheme, "labels", None)
        # As in {"a01": "Der Lappen liegt auf dem Eisschrank."}: the code says what was said.
        if column in COLUMNS and isinstance(labels, dict) and _are_texts(labels):
            frame[column] = frame[column].map(labels).astype("object")
    if table.split_id is not None and "split" not in frame.columns:
        kind = database.splits[table.split_id].type
        frame["split"] = SPLITS.get(str(kind), str(kind))
    return frame


def _are_texts(labels: dict[Any, Any]) -> bool:
    return all(isinstance(each, str) for each in labels.values())


def _of_pandas(frame: pd.DataFrame) -> pl.DataFrame:
    columns: dict[str, pl.Series] = {}
    for name in frame.columns:
        values = frame[name]
        if name in (START, END) or str(values.dtype).startswith("timedelta"):
            seconds = values.dt.total_seconds()
        else:
            plain = values.astype("object").where(values.notna(), None).tolist()
            columns[str(name)] = pl.Series(str(name), plain, strict=False)
            continue
        columns[str(name)] = pl.Series(str(name), seconds.tolist(), pl.Float64).fill_nan(None)
    return pl.DataFrame(columns)


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    renamed = {FILE: "path"}
    for theirs, ours in COLUMNS.items():
        if theirs in rows.columns and ours not in (*rows.columns, *renamed.values()):
            renamed[theirs] = ours
    rows = rows.rename(renamed)
    whole = (pl.col(START).fill_null(0.0) == 0) & pl.col(END).is_null()
    of_files, segments = rows.filter(whole), rows.filter(~whole)
    if segments.height and of_files.height:
        others = [name for name in rows.columns if name not in ("path", START, END)]
        said = of_files.select("path", *others)
        segments = segments.join(said, on="path", how="left", suffix="\0", maintain_order="left")
        segments = segments.with_columns(pl.coalesce(name, f"{name}\0") for name in others)
        cut = pl.col("path").is_in(segments["path"].unique().implode())
        rows = pl.concat([of_files.filter(~cut), segments.select(rows.columns)])
    is_whole = (pl.col(START).fill_null(0.0) == 0) & pl.col(END).is_null()
    return rows.with_columns(start=pl.when(~is_whole).then(START)).sort("path", START)
