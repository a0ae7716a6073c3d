"""Where the models run: CUDA, then MPS, then the CPU, in half precision on a GPU."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from emobatch.errors import DeviceError

NAMES = ("auto", "cuda", "mps", "cpu")


@dataclass(frozen=True)
class Device:
    """A choice of device for both of the libraries that run models.

    Attributes:
        name: device of the speech and the sentiment model.
        ctranslate2: device of Whisper, which knows no MPS.
        dtype: floating-point type of the models that torch runs.
        compute_type: that of CTranslate2.
        batch_seconds: how much padded audio a batch holds unless the user says.
    """

    name: str
    ctranslate2: str
    dtype: torch.dtype
    compute_type: str
    batch_seconds: float


def choose(name: str = "auto") -> Device:
    """Choose a device.

    Args:
        name: ``auto`` takes the first of CUDA, MPS and CPU that is there; ``cuda``, ``mps`` or
            ``cpu`` insist.

    Returns:
        The choice.

    Raises:
        DeviceError: if the device insisted on isn't there.

    Examples:
        >>> choose("cpu").dtype
        torch.float32
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((known for known, is_there in there.items() if is_there), "cpu")
    if not there.get(name, True):
        raise DeviceError(
            f"device {name} is not available to PyTorch {torch.__version__}; "
            "use --device cpu, or install a build of PyTorch for this machine's GPU"
        )
    if name == "cuda":
        return Device("cuda", "cuda", torch.float16, "float16", 480.0)
    dtype = torch.float16 if name == "mps" else torch.float32
    return Device(name, "cpu", dtype, "default", 60.0)
