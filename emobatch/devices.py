"""Where the models run: CUDA, then MPS, then the CPU, in half precision on a GPU."""

from __future__ import annotations

import os
from dataclasses import dataclass

import ctranslate2
import torch

from emobatch.errors import DeviceError

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# Each worker holds a batch: beyond this, memory grows faster than speed.
MOST_WORKERS = 16
# Padded audio to a batch, where free memory isn't known: a CPU's is what fits its caches.
BATCH_SECONDS = {"cuda": 480.0, "mps": 240.0, "cpu": 60.0}
# Of CUDA memory: what Whisper large and its neighbours take in half precision, and what a second
# of padded audio may take beyond them. A batch that doesn't fit all the same is halved.
MODEL_BYTES = 5 << 30
BYTES_PER_SECOND = 16 << 20
LEAST_BATCH_SECONDS, MOST_BATCH_SECONDS = 60.0, 1920.0
# Rows to a chunk: what a kill costs, and enough for several batches of like length.
CHUNK_ROWS = {"cuda": 256, "mps": 256, "cpu": 64}


@dataclass(frozen=True)
class Device:
    """A choice of device for both of the libraries that run models.

    Attributes:
        name: device of the speech and the sentiment model.
        ctranslate2: device of Whisper, which knows no MPS.
        dtype: floating-point type of the models that torch runs.
        compute_type: that of CTranslate2.
        workers: batches that are run at a time, each on one core; one on a GPU.
        batch_seconds: how much padded audio a batch holds unless the user says.
        chunk_rows: rows that are scored and saved together.
    """

    name: str
    ctranslate2: str
    dtype: torch.dtype
    compute_type: str
    workers: int
    batch_seconds: float
    chunk_rows: int


def choose(name: str = "auto", precision: str = "auto") -> Device:
    """Choose a device.

    Args:
        name: ``auto`` takes the first of CUDA, MPS and CPU that is there; ``cuda``, ``mps`` or
            ``cpu`` insist.
        precision: ``auto`` is half precision on a GPU and single on the CPU; ``fp32``, ``fp16``
            and ``bf16`` are for all models; ``int8`` is for Whisper, the others stay at ``auto``.

    Returns:
        The choice.

    Raises:
        DeviceError: if the device insisted on isn't there, or can't compute with that precision.

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
    whisper = "cuda" if name == "cuda" else "cpu"
    dtype = DTYPES.get(precision, torch.float32 if name == "cpu" else torch.float16)
    compute_type = _compute_type(whisper, precision)
    workers = min(MOST_WORKERS, _cores()) if name == "cpu" else 1
    seconds = BATCH_SECONDS[name]
    if name == "cuda":
        seconds = seconds_that_fit(torch.cuda.mem_get_info()[0])
    return Device(name, whisper, dtype, compute_type, workers, seconds, CHUNK_ROWS[name])


def seconds_that_fit(free: int) -> float:
    """How much padded audio a batch may hold on a GPU.

    Args:
        free: bytes of device memory that nobody uses, before models are loaded.

    Returns:
        Seconds, a whole number of Whisper's windows of 30 s.

    Examples:
        >>> seconds_that_fit(16 << 30)
        690.0
    """
    seconds = (free - MODEL_BYTES) / BYTES_PER_SECOND // 30 * 30
    return float(min(max(seconds, LEAST_BATCH_SECONDS), MOST_BATCH_SECONDS))


def _cores() -> int:
    # Those that a scheduler has left to this process, where the system tells.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _compute_type(device: str, precision: str) -> str:
    if precision == "auto":
        return "float16" if device == "cuda" else "default"
    wanted = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "int8": "int8"}[precision]
    known = ctranslate2.get_supported_compute_types(device)
    if wanted not in known:
        raise DeviceError(
            f"--precision {precision}: CTranslate2 can't compute with it on this {device} device; "
            f"it knows {', '.join(sorted(known))}; use --precision auto"
        )
    return wanted
