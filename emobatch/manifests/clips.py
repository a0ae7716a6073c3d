"""Clips: the files, or segments of files, that a manifest's rows name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from emobatch.errors import AudioError

# What stands in a manifest for a byte that isn't UTF-8.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of a manifest: a file or a segment of it.

    Attributes:
        path: as the manifest has it.
        file: where that is.
        start: seconds into the file, None for its beginning.
        end: seconds into the file, None for its end.
        transcript: authentic transcript, None where there is none.
        language: code of the transcript, None where the manifest doesn't say.
        confines: folder that the file has to be in, None where it may be anywhere.
    """

    path: str
    file: Path
    start: float | None
    end: float | None
    transcript: str | None
    language: str | None = None
    confines: Path | None = None

    def located(self) -> Path:
        """Where the file is, once it is known that it may be read.

        Returns:
            Its path. A name with bytes that aren't UTF-8 is in a manifest with a replacement
            character for each of them; the one file that looks like that is the one meant.

        Raises:
            AudioError: if it is outside the folder that files are confined to.
        """
        file = self.file
        if REPLACEMENT in str(file) and file.parent.is_dir():
            alike = [entry for entry in file.parent.iterdir() if _as_utf8(entry) == file.name]
            file = alike[0] if len(alike) == 1 else file
        if self.confines is not None and not file.resolve().is_relative_to(self.confines):
            raise AudioError(f"outside {self.confines}, which --confine forbids")
        return file


def clips(rows: pl.DataFrame, root: Path, *, confine: bool = False) -> Iterator[Clip]:
    """Walk through rows of a manifest.

    Args:
        rows: some of its rows.
        root: folder that paths are relative to.
        confine: whether files have to be in it.

    Yields:
        One clip for each row, in order.
    """
    confines = root.resolve() if confine else None
    columns = [
        pl.col(name) if name in rows.columns else pl.lit(None).alias(name)
        for name in ("path", "start", "end", "transcript", "language")
    ]
    for path, start, end, transcript, language in rows.select(columns).rows():
        yield Clip(path, root / path, start, end, transcript, language, confines)


def _as_utf8(file: Path) -> str:
    return os.fsencode(file.name).decode("utf-8", "replace")
