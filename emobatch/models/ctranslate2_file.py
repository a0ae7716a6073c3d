"""What a model file of CTranslate2 says of its weights, read without loading them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

# In Whisper, what goes into its encoder's first layer; of as many numbers as come out of the last.
CONVOLUTION = "encoder/conv2/weight"


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
                if name == CONVOLUTION:
                    return shape[0]
                _number(handle, "B")  # type
                handle.seek(_number(handle, "I"), 1)
        except (struct.error, UnicodeDecodeError, IndexError) as error:
            raise ValueError(f"{file.name}: no model of CTranslate2") from error
    raise ValueError(f"{file.name}: has no {CONVOLUTION}, so that it is no Whisper's")


def _number(handle: BinaryIO, form: str) -> int:
    size = struct.calcsize(f"<{form}")
    return int(struct.unpack(f"<{form}", handle.read(size))[0])


def _text(handle: BinaryIO) -> str:
    return handle.read(_number(handle, "H")).rstrip(b"\0").decode()
