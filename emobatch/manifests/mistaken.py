"""What is mistaken for a manifest, named for what it is, with how to make a manifest of it."""

from __future__ import annotations

import codecs
import glob
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from emobatch.errors import ManifestError
from emobatch.tables.reading import EXTENSIONS, STANDARD_STREAM

WEB_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# What audio files are called.
AUDIO = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".webm"),
    *(".aif", ".aiff", ".au", ".caf", ".sph", ".amr", ".mkv", ".mov", ".w64"),
)
UTF_16 = "is text in UTF-16; save it in UTF-8, as by `iconv -f UTF-16 -t UTF-8`"
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# How Windows writes a path, where it isn't.
WINDOWS_PATH = re.compile(r"[A-Za-z]:|.*\\")
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers")
# Entries of a folder that are looked at, to see what its audio files are called.
MOST_ENTRIES = 10_000
# In a glob these do something, and all else is quoted.
UNQUOTED = re.compile(r"[^\w@%+=:,./*?\[\]!-]")


def refuse(source: str) -> None:
    """Refuse what is no table, in words that say what it is.

    Args:
        source: what was given for a manifest.

    Raises:
        ManifestError: says what it is, and which command makes a manifest of it.
    """
    path = Path(source)
    if source == STANDARD_STREAM:
        return
    if WEB_ADDRESS.match(source):
        raise ManifestError(
            "is a web address, and only files are read; fetch it first, as by "
            f"`curl -LO {shlex.quote(source)}`"
        )
    if path.is_dir():
        raise ManifestError(
            f"is a folder; a manifest lists its files, and `{_of_folder(path)}` makes one"
        )
    if not path.exists() and source.startswith("~"):
        raise ManifestError("begins with ~, which only a shell replaces, without quotes around it")
    if not path.exists() and os.name != "nt" and WINDOWS_PATH.match(source):
        raise ManifestError(
            "is a path as Windows writes it, which names no file here; write / between folders, "
            "and no drive's letter"
        )
    if not path.exists() and glob.has_magic(source):
        raise ManifestError(
            f"is a pattern of file names; a manifest lists files, and `{_of_glob(source)}` makes "
            "one of those that it matches"
        )
    extension = path.suffix.lower()
    if extension in AUDIO and path.is_file():
        raise ManifestError(
            f"is an audio file; a manifest lists such files, and `{_of_file(path)}` makes one of it"
        )
    if extension in SPREADSHEETS:
        raise ManifestError(
            f"is a spreadsheet; save it in one of the formats {', '.join(EXTENSIONS)}"
        )
    if extension in EXTENSIONS and path.is_file() and _begins_with(path, BYTE_ORDER_MARKS):
        raise ManifestError(UTF_16)


def _begins_with(file: Path, marks: tuple[bytes, ...]) -> bool:
    with file.open("rb") as handle:
        return handle.read(max(map(len, marks))).startswith(marks)


def _of_folder(folder: Path) -> str:
    names = (Path(name).suffix.lower() for _, _, files in os.walk(folder) for name in files)
    kinds = [kind for kind, _ in Counter(_audio(islice(names, MOST_ENTRIES))).most_common()]
    wanted = " -o ".join(f"-iname '*{kind}'" for kind in kinds or [".wav"])
    # Separated by tabs: of commas there are many in names. Sorted, so that it is always the same.
    return f"(echo path; find {_quoted(folder)} {wanted} | sort) > manifest.tsv"


def _audio(extensions: Iterable[str]) -> Iterable[str]:
    return (extension for extension in extensions if extension in AUDIO)


def _of_glob(pattern: str) -> str:
    whole = UNQUOTED.sub(lambda found: "\\" + found[0], str(Path(pattern).absolute()))
    return f"(echo path; ls -d {whole}) > manifest.tsv"


def _of_file(file: Path) -> str:
    return f"printf 'path\\n%s\\n' {_quoted(file)} > manifest.tsv"


def _quoted(path: Path) -> str:
    # Whole, since a manifest's paths are relative to where the manifest is.
    return shlex.quote(str(path.absolute()))
