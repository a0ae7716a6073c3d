"""What is the matter when a library that runs models fails."""

from __future__ import annotations

import enum
import sys


class Fault(enum.Enum):
    """What CTranslate2 has run into."""

    LIBRARY = enum.auto()
    MEMORY = enum.auto()
    DEVICE = enum.auto()


def ctranslate2_fault(error: BaseException) -> Fault | None:
    """Tell CTranslate2's failures apart, all of which are ``RuntimeError``.

    Its message is all that there is to go by.

    Args:
        error: what it raised.

    Returns:
        What is the matter, None where it is something else.

    Examples:
        >>> ctranslate2_fault(RuntimeError("Library libcublas.so.12 is not found"))
        <Fault.LIBRARY: 1>
    """
    said = str(error)
    if not isinstance(error, RuntimeError):
        return None
    if "libcublas" in said or "libcudnn" in said:
        return Fault.LIBRARY
    if "out of memory" in said or "can't allocate memory" in said:
        return Fault.MEMORY
    return Fault.DEVICE if "CUDA" in said else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether less would have fitted into memory.

    Args:
        error: what a model raised.

    Returns:
        True for Python's, PyTorch's and CTranslate2's ways to say so.

    Examples:
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(ValueError("out of memory"))
        (True, False)
    """
    torch = sys.modules.get("torch")  # it can't have failed unless it is there
    kinds = (MemoryError,) if torch is None else (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, kinds) or ctranslate2_fault(error) is Fault.MEMORY
