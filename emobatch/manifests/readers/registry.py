"""All readers, by what ``--format`` calls them; the first that takes a source reads it."""

from __future__ import annotations

from emobatch.manifests.readers.reader import Reader
from emobatch.registry import Registry

# Also says what is wrong with a source that none of them takes.
TABLE = "table"
READERS: Registry[type[Reader]] = Registry(
    "manifest format", {TABLE: "emobatch.manifests.readers.table:TableReader"}
)


def reader_for(source: str, form: str | None = None) -> Reader:
    """Find the reader of a manifest.

    Args:
        source: as the user named it.
        form: the name of a reader to insist on, None to go by what the source looks like.

    Returns:
        The reader.

    Raises:
        UnknownName: if there is no form of that name.
    """
    if form is not None:
        return READERS[form]()
    for name in READERS:
        reader = READERS[name]()
        if reader.takes(source):
            return reader
    return READERS[TABLE]()
