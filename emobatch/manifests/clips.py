"""Clips: the files, or segments of files, that a manifest's rows name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from emobatch.errors import StorageError
from emobatch.manifests import archives
from emobatch.manifests.clip import Clip
from emobatch.storage.address import Place, at


def clips(rows: pl.DataFrame, root: Place, *, confine: bool = False) -> Iterator[Clip]:
    """Walk through rows of a manifest.

    Args:
        rows: some of its rows.
        root: folder that paths are relative to.
        confine: whether files have to be in it.

    Yields:
        One clip for each row, in order.
    """
    confines: Place | None = None
    if confine:
        confines = root.resolve() if isinstance(root, Path) else root
    columns = [
        pl.col(name) if name in rows.columns else pl.lit(None).alias(name)
        for name in ("path", "start", "end", "transcript", "language")
    ]
    for path, start, end, transcript, language in rows.select(columns).rows():
        name, member = archives.split(path)
        file, trouble = root, None
        try:
            file = at(root, name)
        except StorageError as error:
            trouble = str(error)
        yield Clip(
            *(path, file, start, end, transcript, language, confines),
            member=member,
            trouble=trouble,
        )
