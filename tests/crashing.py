"""A decoder that fails as native code may: it ends its process, or never comes back."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from emobatch.manifests import audio, decoder

ENTRY = "crashing:serve"
OF_MP3 = "crashing:serve_without_mp3"
read, length = audio.read_windows, audio.length
SLOW_SECONDS = 0.3


def read_or_crash(file: Path, *segment: float | None) -> Iterator[audio.Samples]:
    """Files called `crash…` end the process, `late…` after a window, `once…` the first time."""
    if file.stem.startswith(("late", "stuck")):
        yield np.zeros(8_000, np.float32)
    crash_or_hang(file, ("crash", "late"))
    yield from read(file, *segment)


def length_or_crash(file: Path) -> float:
    """The same when headers are read; of files called `slow…` that takes a while."""
    if file.stem.startswith("slow"):
        time.sleep(SLOW_SECONDS)
    crash_or_hang(file, ("crash",))
    return length(file)


def crash_or_hang(file: Path, deadly: tuple[str, ...]) -> None:
    marks = file.with_suffix(".tried")
    if file.stem.startswith(deadly) or (file.stem.startswith("once") and not marks.exists()):
        marks.touch()
        os.abort()
    if file.stem.startswith("stuck"):
        threading.Event().wait()


def serve(line: Connection) -> None:
    audio.read_windows, audio.length = read_or_crash, length_or_crash
    decoder.HEADERS_AT_ONCE = 2  # so that a test knows which files one that crashes is read beside
    decoder.serve(line)


def serve_without_mp3(line: Connection) -> None:
    """Any MP3 ends the process, as a library that is built wrong does."""

    def read_others(file: Path, *segment: float | None) -> Iterator[audio.Samples]:
        if file.suffix == ".mp3":
            os.abort()
        return read(file, *segment)

    audio.read_windows = read_others
    decoder.serve(line)
