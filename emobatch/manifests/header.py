"""The names of a manifest's columns, and what is wrong where `path` isn't among them."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Sequence
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.mistaken import AUDIO
from emobatch.tables import reading
from emobatch.tasks.labels import nearest

log = logging.getLogger(__name__)

PATH = "path"
# Columns that mean something to a command: misspelt, they would be carried through in silence.
KNOWN = (
    *(PATH, "id", "start", "end", "label", "transcript", "duration", "reference"),
    *("speaker", "session", "script", "dialogue", "fold", "split"),
)
# Those that others are not like by chance.
LONG = tuple(name for name in KNOWN if len(name) > 3)
# What programs call a column of files.
ALIKE = ("file", "filename", "file_name", "filepath", "file_path", "audio", "audio_path", "wav")
# How like a known name another has to be for a note, 0 to 1.
ALMOST = 0.8


def check(source: str, names: Sequence[str]) -> None:
    """Refuse a header that isn't a manifest's.

    Args:
        source: the manifest, as the user named it.
        names: of its columns.

    Raises:
        ManifestError: says what is wrong and how to mend it.
    """
    for name in names:
        plain = name.strip().strip("\ufeff\"'").strip()
        if name != plain and plain in KNOWN and plain not in names:
            raise ManifestError(
                f"column {name!r} is not {plain!r}: take the spaces or quotes around it out of the "
                "first line"
            )
    if PATH not in names:
        raise ManifestError(_without_path(names))
    for name in names:
        near = nearest(name, LONG, ALMOST) if name not in KNOWN else None
        if near is not None and near not in names:
            log.warning(
                "note: %s: column %r is carried through, and means nothing here; did you mean %r?",
                *(reading.spoken(source), name, near),
            )


def _without_path(names: Sequence[str]) -> str:
    columns = f"the columns are {', '.join(names)}"
    if any(Path(name.strip()).suffix.lower() in AUDIO for name in names):
        return (
            "no column 'path': its first line names files, no columns; write a line of column "
            f"names above it, as `path` ({columns})"
        )
    alike = [name for name in names if name.strip().lower() in (PATH, *ALIKE)]
    alike = alike or [name for name in (nearest(PATH, names, 0.75),) if name]
    remedy = "name theirs with --path-column"
    if alike:
        remedy = f"if {alike[0]!r} is it, give --path-column {shlex.quote(alike[0])}"
    return f"no column 'path' with the audio files; {remedy}; {columns}"
