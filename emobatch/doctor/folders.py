"""The folders that a run writes to."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from rich.filesize import decimal

from emobatch.errors import ExaminationError, first_line
from emobatch.tables import writing

# Less than this, and a table of some hundred thousand rows with its saved work may not fit.
LEAST_FREE = 10**8
TRIAL_BYTES = 10**6


def output(target: Path) -> str:
    """Whether the table can be written, and how much room there is."""
    writing.check_target(target)
    return _write(target.parent, "write elsewhere with -o, or make room")


def temporary() -> str:
    """Whether temporary files can be."""
    try:
        folder = Path(tempfile.gettempdir())
    except OSError as error:
        raise ExaminationError(f"{first_line(error)}; name a folder in TMPDIR") from error
    return _write(folder, "make room, or name another folder in TMPDIR")


def _write(folder: Path, remedy: str) -> str:
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as handle:
            # A quota shows in no other way.
            handle.write(bytes(TRIAL_BYTES))
            handle.flush()
            os.fsync(handle.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise ExaminationError(f"{folder}: {first_line(error)}; {remedy}") from error
    if free < LEAST_FREE:
        raise ExaminationError(
            f"{folder}: {decimal(free)} free, {decimal(LEAST_FREE)} are wanted; {remedy}"
        )
    return f"{folder.resolve()}: can be written, {decimal(free)} free"
