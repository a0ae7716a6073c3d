"""The names of a manifest's columns, and what is wrong where `path` isn't among them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.manifests.mistaken import AUDIO, UTF_16
from emobatch.tables.reading import SEPARATORS, STANDARD_STREAM

PATH = "path"
# Columns that mean something to a command: misspelt, they would be carried through in silence.
KNOWN = (
    *(PATH, "id", "start", "end", "label", "transcript", "duration", "reference"),
    *("speaker", "session", "script", "dialogue", "fold", "split"),
)
# What programs call a column of files.
ALIKE = ("file", "filename", "file_name", "filepath", "file_path", "audio", "audio_path", "wav")
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars (|)"}


def check(source: str, names: Sequence[str]) -> None:
    """Refuse a header that isn't a manifest's.

    Args:
        source: the manifest, as the user named it.
        names: of its columns.

    Raises:
        ManifestError: says what is wrong and how to mend it.
    """
    if any("\0" in name for name in names):
        raise ManifestError(UTF_16)
    if any("\r" in name for name in names):
        raise ManifestError(
            "its lines end in CR alone, as on old Macs; save it with line ends of Unix or Windows"
        )
    for name in names:
        plain = name.strip().strip("\ufeff\"'").strip()
        if name != plain and plain in KNOWN and plain not in names:
            raise ManifestError(
                f"column {name!r} is not {plain!r}: take the spaces or quotes around it out of the "
                "first line"
            )
    if PATH not in names:
        raise ManifestError(_without_path(source, names))


def _without_path(source: str, names: Sequence[str]) -> str:
    columns = f"the columns are {', '.join(names)}"
    whole = names[0] if len(names) == 1 else ""
    for separator, called in OTHER_SEPARATORS.items():
        if separator in whole:
            return f"its columns are separated by {called}; {_separated(source, separator)}"
    if any(Path(name.strip()).suffix.lower() in AUDIO for name in names):
        return (
            "no column 'path': its first line names files, no columns; write a line of column "
            f"names above it, as `path` ({columns})"
        )
    alike = [name for name in names if name.strip().lower() in (PATH, *ALIKE)]
    remedy = "name theirs with --path-column"
    if alike:
        remedy = f"if {alike[0]!r} is it, give --path-column {shlex.quote(alike[0])}"
    return f"no column 'path' with the audio files; {remedy}; {columns}"


def _separated(source: str, separator: str) -> str:
    if separator == "\t":
        return "name the file .tsv"
    if separator == "," and source != STANDARD_STREAM:
        return "name the file .csv"
    if Path(source).suffix.lower() not in SEPARATORS:
        return "give commas"
    code = (
        "import csv, sys; csv.writer(sys.stdout)"
        f'.writerows(csv.reader(sys.stdin, delimiter="{separator}"))'
    )
    given = "" if source == STANDARD_STREAM else f" < {shlex.quote(source)} > commas.csv"
    return f"`python3 -c {shlex.quote(code)}{given}` writes it with commas"
