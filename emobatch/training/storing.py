"""Files of saved work: whole or not there, and what to do is said where a disk is full."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from emobatch.errors import OutputError, ResumeError, first_line
from emobatch.tables.replacing import written_aside

# How PyTorch says that less was written of a file than it wanted.
TORN = "unexpected pos"


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Explain why something can't be saved.

    Args:
        folder: that it is saved in.

    Yields:
        Nothing.

    Raises:
        OutputError: in place of what the libraries raise that write.
    """
    try:
        yield
    # A RuntimeError is what PyTorch's own writer makes of a full disk.
    except (OSError, RuntimeError, SafetensorError) as error:
        why = "a file ends too early" if TORN in str(error) else first_line(error)
        raise OutputError(
            f"{folder}: can't be written to ({why}); make space there, and the same "
            "command goes on from what was saved before; or name another -o"
        ) from error


def write(file: Path, value: Any) -> None:
    """Write something, wholly or not at all.

    Args:
        file: to write; its folder is there.
        value: as JSON has it.

    Raises:
        OutputError: if it can't be written.
    """
    with explained(file.parent), written_aside(file) as partial:
        partial.write_text(json.dumps(value), encoding="utf-8")


def read(file: Path) -> Any:
    """Read what :func:`write` wrote.

    Args:
        file: to read.

    Returns:
        What it holds; None where there is none.

    Raises:
        ResumeError: if it is damaged.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ResumeError(f"{file}: can't be read; begin anew with --restart") from error
