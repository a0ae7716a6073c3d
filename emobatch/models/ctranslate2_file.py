"""What a model file of CTranslate2 says of its weights, read without loading them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

# Of its encoder's last layer, in Whisper.
LAST_NORM = "encoder/layer_norm/gamma"


def states(file: Path) -> int:
    """Say how many numbers describe a frame in Whisper's encoder.

    Args:
        file: ``model.bin``, as ``ctranslate2.specs.ModelSpec`` writes it.

    Returns:
        The size of its states.

    Raises:
        ValueError: if it isn't such a file, or of another kind of model.
    """
    with file.open("rb") as handle:
        try:
            _number(handle, "I")  # version of the format
            _text(handle)  # kind of model
            _number(handle, "I")  # and its revision
            for _ in range(_number(handle, "I")):
                name = _text(handle)
                shape = [_number(handle, "I") for _ in range(_number(handle, "B"))]
                if name == LAST_NORM:
                    return shape[0]
                _number(handle, "B")  # type
                handle.seek(_number(handle, "I"), 1)
        except (struct.error, UnicodeDecodeError, IndexError) as error:
            raise ValueError(f"{file.name}: no model of CTranslate2") from error
    raise ValueError(f"{file.name}: has no {LAST_NORM}, so that it is no Whisper's")


def _number(handle: BinaryIO, form: str) -> int:
    size = struct.calcsize(f"<{form}")
    return int(struct.unpack(f"<{form}", handle.read(size))[0])


def _text(handle: BinaryIO) -> str:
    return handle.read(_number(handle, "H")).rstrip(b"\0").decode()
