"""Arrays of a fitted method that are too large for TOML: in a file beside it, with its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.errors import OutputError, ThresholdsError
from emobatch.fusion.checks import check_names
from emobatch.tables.replacing import replacing

EXTENSION = ".safetensors"
SECTION = "arrays"
Arrays = Mapping[str, NDArray[Any]]


def refuse_standard_output(target: Path | None, method: str) -> None:
    """Refuse to write a thresholds file that nothing can stand beside.

    Args:
        target: the file, None for standard output.
        method: name of the method.

    Raises:
        OutputError: says how to mend it.
    """
    if target is None:
        raise OutputError(
            f"--method {method} writes arrays beside the thresholds file; name one with -o"
        )


def write(arrays: Arrays, thresholds_file: Path) -> dict[str, Any]:
    """Write arrays beside a thresholds file that is to be written.

    Args:
        arrays: by name.
        thresholds_file: named ``.toml``.

    Returns:
        What the file says of them: ``file`` and ``sha256``.

    Raises:
        OutputError: if they can't be written.
    """
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(each) for name, each in arrays.items()})
    target = thresholds_file.with_suffix(EXTENSION)
    with replacing(target) as partial:
        partial.write_bytes(content)
    return {"file": target.name, "sha256": hashlib.sha256(content).hexdigest()}


def read(section: Mapping[str, Any], folder: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays that a thresholds file names.

    Args:
        section: what it says of them.
        folder: where it is.

    Returns:
        The arrays by name.

    Raises:
        ThresholdsError: if they can't be read, or are others than those that were written with it.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    check_names(section, ("file", "sha256"), f"[{SECTION}]")
    name = section.get("file")
    if not isinstance(name, str) or Path(name).name != name:
        raise ThresholdsError(f"{SECTION}.file is {name!r}; the name of a file beside it is wanted")
    file = folder / name
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ThresholdsError(
            f"its arrays can't be read from {file}: {error.strerror}; move both files together, or "
            "calibrate again"
        ) from error
    if hashlib.sha256(content).hexdigest() != section.get("sha256"):
        raise ThresholdsError(
            f"{file} holds other arrays than those that were fitted with it; take both files from "
            "the same `emobatch calibrate`, or calibrate again"
        )
    try:
        return dict(load(content))
    except SafetensorError as error:
        raise ThresholdsError(f"{file}: {error}; calibrate again") from error
