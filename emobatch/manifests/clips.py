"""Clips: the files, or segments of files, that a manifest's rows name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from emobatch.manifests.clip import Clip


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
