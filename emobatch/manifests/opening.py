"""Sources opened: rows as their reader has them, of a file here or of one that is fetched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

import polars as pl

from emobatch.errors import ManifestError, TableError
from emobatch.manifests import mistaken
from emobatch.manifests.fetching import Fetcher
from emobatch.manifests.readers.audio_files import audio_of
from emobatch.manifests.readers.registry import AUDIO, reader_for
from emobatch.storage.access import NO_ACCESS, Access
from emobatch.storage.address import Address, Place, is_known
from emobatch.tables import reading
from emobatch.tables.places import Places, numbered
from emobatch.tables.reading import EXTENSIONS

# Endings of files that hold rows; what has another one is audio, or a folder.
OF_ROWS = (*EXTENSIONS, ".json", ".gz", ".tar")


@dataclass(frozen=True)
class Opened:
    """A source that can be read.

    Attributes:
        rows: as its reader has them.
        root: folder that paths are relative to.
        access: what rows may name, with the source's own address where it has one.
        place: says where a row is, by its number from 0, as long as the source is open.
    """

    rows: pl.LazyFrame
    root: Place
    access: Access
    place: Places = numbered


@contextmanager
def opened(
    source: str,
    form: str | None = None,
    pattern: str | None = None,
    access: Access = NO_ACCESS,
) -> Iterator[Opened]:
    """Open a manifest; its rows have to be read before this ends.

    Args:
        source: as the user named it: a file, a folder, an address, or ``-``.
        form: what it is, None to go by what it looks like.
        pattern: which files of a folder, for a row of each.
        access: what may be fetched, and where it is kept.

    Yields:
        Its rows, and what their paths are relative to.

    Raises:
        TableError: if it can't be read.
    """
    if not is_known(source):
        reader = reader_for(source, form, pattern)
        if reader.is_of_tables:
            mistaken.refuse(source)
        rows, place = reader.scan(source), partial(reader.place, source)
        yield Opened(rows, reader.root(source), access, place)
        return
    address = Address.parse(source)
    access = replace(access, home=address)
    with Fetcher(access) as fetcher:
        if address.name.lower().endswith(mistaken.AUDIO) and form in (None, AUDIO):
            yield Opened(pl.LazyFrame({"path": [address.name]}), address.parent, access)
        elif address.name.lower().endswith(OF_ROWS):
            with (
                fetcher.file(address) as file,
                _named(file, address.name) as here,
                _in_name_of(source, here),
            ):
                reader = reader_for(here, form, pattern)
                rows, place = reader.scan(here), partial(reader.place, here)
                yield Opened(rows, address.parent, access, place)
        else:
            yield Opened(_listed(source, address, fetcher, form, pattern), address, access)


@contextmanager
def _named(file: Path, name: str) -> Iterator[str]:
    # Readers go by names.
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / name
        try:
            here.symlink_to(file.resolve())
        except OSError:  # as on Windows
            shutil.copyfile(file, here)
        yield str(here)


@contextmanager
def _in_name_of(source: str, here: str) -> Iterator[None]:
    # What is wrong with the copy is said in the name that the user knows.
    try:
        with reading.explained(here):
            yield
    except TableError as error:
        said = str(error).removeprefix(f"{here}: ").replace(here, source)
        raise type(error)(said).named(source) from error


def _listed(
    source: str, folder: Address, fetcher: Fetcher, form: str | None, pattern: str | None
) -> pl.LazyFrame:
    if form not in (None, AUDIO):
        raise ManifestError(
            f"--format {form}: of what isn't on this machine only files of rows are read, and "
            "folders of audio; fetch it first"
        )
    if folder.is_web:
        raise ManifestError(
            f"its ending is none of {', '.join(OF_ROWS)} or of audio, and web servers don't list "
            "folders; name a file"
        )
    names = fetcher.names(folder)
    if pattern is None:
        names = audio_of(source, names)
    else:
        names = [name for name in names if fnmatchcase(name, pattern.replace("**/", "*"))]
    if not names:
        raise ManifestError("no audio files in it; say which with --glob '*.EXT'")
    return pl.LazyFrame({"path": sorted(names)})
