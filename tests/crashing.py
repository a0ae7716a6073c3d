"""A decoder that fails as native code may: it ends its process, or never comes back."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from emobatch.manifests import audio, decoder

ENTRY = "crashing:serve"
read = audio.read_windows


def read_or_crash(file: Path, *segment: float | None) -> Iterator[audio.Samples]:
    """Files called `crash…` end the process, `late…` after a window, `once…` the first time."""
    marks = file.with_suffix(".tried")
    if file.stem.startswith("late"):
        yield np.zeros(8_000, np.float32)
    if file.stem.startswith(("crash", "late")) or (
        file.stem.startswith("once") and not marks.exists()
    ):
        marks.touch()
        os.abort()
    if file.stem.startswith("stuck"):
        yield np.zeros(8_000, np.float32)
        threading.Event().wait()
    yield from read(file, *segment)


def serve(line: Connection) -> None:
    audio.read_windows = read_or_crash
    decoder.serve(line)
