"""Paths that name no file on this machine, by their form: said before anything is scored."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import NamedTuple

import polars as pl

from emobatch.errors import ManifestError
from emobatch.storage.access import Access
from emobatch.storage.address import SCHEME, SCHEMES, Place
from emobatch.tables.places import Places, numbered

log = logging.getLogger(__name__)


class Form(NamedTuple):
    """A form of paths.

    Attributes:
        pattern: regular expression, found in such a path.
        says: what such paths are.
        remedy: what to do about them.
    """

    pattern: str
    says: str
    remedy: str


FORMS = (
    Form("^~[^/]*/", "begin with ~, which only a shell replaces", "write the whole path"),
    Form(
        f"^(?i:{'|'.join(SCHEMES)})://",
        "are addresses of files that aren't on this machine",
        "give --allow-remote to have them fetched",
    ),
    Form(
        f"^{SCHEME.pattern}",
        "are addresses of a kind that isn't read",
        "fetch the files, and name those",
    ),
    Form(
        r"^[A-Za-z]:[\\/]",
        "begin with a drive's letter, as on Windows",
        "write them relative to --root, with / between folders",
    ),
    Form(r"\\", r"have backslashes, as on Windows", "write / between folders"),
)

# The one that is none of them where files may be fetched.
REMOTE = 1


def check(rows: pl.LazyFrame, root: Place, access: Access, place: Places = numbered) -> None:
    """Note paths of a form that no file here has; refuse them where they are all.

    Args:
        rows: of a manifest, with ``path``.
        root: folder that they are relative to.
        access: what may be fetched.
        place: says where a row is.

    Raises:
        ManifestError: if no row's path could be a file's.
    """
    # One pass; a path counts for the first form that it has.
    form = pl.lit(None, dtype=pl.Int64)
    for number in reversed(_here()):
        form = (
            pl.when(pl.col("path").str.contains(FORMS[number].pattern))
            .then(pl.lit(number))
            .otherwise(form)
        )
    found = (
        rows.select(pl.col("path"), form=form)
        .with_row_index("row")
        .filter(pl.col("form").is_not_null())
        .group_by("form")
        .agg(pl.col("row").first(), pl.col("path").first(), count=pl.len())
        .sort("form")
        .collect(engine="streaming")
    )
    total = rows.select(pl.len()).collect(engine="streaming").item()
    fetched = REMOTE if access.allowed or access.home is not None else None
    foreign = [
        each for each in found.iter_rows() if each[0] != fetched and not _is_there(root, each[2])
    ]
    for number, row, path, count in foreign:
        says, remedy = FORMS[number].says, FORMS[number].remedy
        what = f"{count} of {total} paths {says} ({place(row)}: {path})"
        if sum(each[3] for each in foreign) == total:
            raise ManifestError(f"{what}; {remedy}")
        log.warning("note: %s; their rows will fail: %s", what, remedy)


def _here() -> list[int]:
    # Where Windows is, its paths are at home.
    return [*range(3 if os.name == "nt" else len(FORMS))]


def _is_there(root: Place, path: str) -> bool:
    # A name may have a backslash in it here.
    try:
        return isinstance(root, Path) and (root / path).exists()
    except (OSError, ValueError):
        return False
