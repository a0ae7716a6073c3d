"""What is mistaken for a manifest, named for what it is, with what to do about it."""

from __future__ import annotations

import os
import re
import shlex
from itertools import islice
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.readers.registry import READERS
from emobatch.storage.address import SCHEMES, is_address
from emobatch.tables.reading import EXTENSIONS, STANDARD_STREAM
from emobatch.tasks.labels import MOST_COMPARED, nearest

# What audio files are called.
AUDIO = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".webm"),
    *(".aif", ".aiff", ".au", ".caf", ".sph", ".amr", ".mkv", ".mov", ".w64"),
)
# How Windows writes a path, where it isn't.
WINDOWS_PATH = re.compile(r"[A-Za-z]:|.*\\")
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")


def refuse(source: str) -> None:
    """Refuse what nothing here reads, in words that say what it is.

    Args:
        source: what was given for a manifest.

    Raises:
        ManifestError: says what it is, and what to do about it.
    """
    path = Path(source)
    if source == STANDARD_STREAM:
        return
    if is_address(source):
        known = f"{', '.join(SCHEMES[:-1])} and {SCHEMES[-1]}"
        raise ManifestError(
            f"is an address of a kind that isn't read; {known} are. Fetch it first, as by "
            f"`curl -LO {shlex.quote(source)}`"
        )
    if not path.exists() and source.startswith("~"):
        raise ManifestError("begins with ~, which only a shell replaces, without quotes around it")
    if not path.exists() and os.name != "nt" and WINDOWS_PATH.match(source):
        raise ManifestError(
            "is a path as Windows writes it, which names no file here; write / between folders, "
            "and no drive's letter"
        )
    extension = path.suffix.lower()
    if extension in SPREADSHEETS:
        raise ManifestError(
            f"is a spreadsheet; save it in one of the formats {', '.join(EXTENSIONS)}"
        )
    if not path.exists():
        raise ManifestError(f"no such file or folder{_meant(path)}")
    if extension not in EXTENSIONS:
        near = nearest(extension, EXTENSIONS) if extension else None
        meant = f"did you mean {near}? " if near else ""
        raise ManifestError(
            f"can't read that format; {meant}name it {', '.join(EXTENSIONS)}, or say what it is "
            f"with --format: {', '.join(READERS)}"
        )


def _meant(path: Path) -> str:
    try:
        beside = {entry.stem: entry for entry in islice(path.parent.iterdir(), MOST_COMPARED)}
    except (OSError, ValueError):
        return ""
    near = nearest(path.stem, beside)  # by extensions alone all would be alike
    return f"; did you mean {str(beside[near])!r}?" if near else ""
