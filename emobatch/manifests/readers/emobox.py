"""EmoBox: JSON Lines with ``key``, ``wav`` and ``emo``, and fixed folds by the files' names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.manifests.readers.json_rows import JsonReader, others, seconds, text
from emobatch.manifests.readers.reader import where_first_is

# What the files of a fold are called; EmoBox's valid is val here.
FOLD = re.compile(r"_(train|valid|test)_fold_(\d+)$")
SPLITS = {"train": "train", "valid": "val", "test": "test"}
# How many folders above its files EmoBox's own may be: data/CORPUS/fold_1.
ABOVE = 3


class EmoBoxReader(JsonReader):
    """Reads EmoBox's metadata of a corpus, or of a part of one of its folds."""

    marks = ("key", "wav", "emo")
    path_key = "wav"

    def scan(self, source: str) -> pl.LazyFrame:
        """Read the file.

        Args:
            source: its name.

        Returns:
            Its rows; of a file of a fold with ``fold`` and ``split``.

        Raises:
            TableError: if it can't be read; names the line.
        """
        rows = super().scan(source)
        found = FOLD.search(Path(source).stem)
        if found is None:
            return rows
        return rows.with_columns(fold=pl.lit(found[2]), split=pl.lit(SPLITS[found[1]]))

    def rows(self, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Make a row of one object.

        Args:
            found: the object of a line.

        Yields:
            Values by column.

        Raises:
            ManifestError: if it has no path, or times that are no numbers.
        """
        row = {
            "path": text(found, "wav"),
            "id": text(found, "key"),
            "start": seconds(found, "start_time"),
            "end": seconds(found, "end_time"),
            "label": found.get("emo"),
            "duration": seconds(found, "length"),
        }
        taken = {"wav", "key", "start_time", "end_time", "emo", "length"}
        yield {**row, **others(found, taken, row)}

    def root(self, source: str) -> Path:
        """Say what paths are relative to.

        Args:
            source: the file's name.

        Returns:
            EmoBox's folder, which is some folders above the file, or the working folder.
        """
        folder = Path(source).absolute().parent
        above = [folder, *list(folder.parents)[:ABOVE]]
        return where_first_is(source, self._first_path(source), above)
