"""Where the models run: CUDA, then MPS, then the CPU, in half precision on a GPU.

Two libraries run models, and either can lack what it needs for CUDA while the other has it.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from dataclasses import dataclass

import ctranslate2
import torch

from emobatch.errors import DeviceError
from emobatch.models.cores import available_cores
from emobatch.models.names import AUTO, DEVICES, PRECISIONS

log = logging.getLogger(__name__)

# What CTranslate2 4 opens by this name when it first computes, whatever CUDA PyTorch brings along.
CUBLAS = "libcublas.so.12"
CUDA_LIBRARIES_REMEDY = (
    "pip install nvidia-cublas-cu12 'nvidia-cudnn-cu12==9.*' and put their lib folders on "
    "LD_LIBRARY_PATH"
)
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# Each worker holds a batch: beyond this, memory grows faster than speed.
MOST_WORKERS = 16
# Of CUDA memory: what Whisper large and its neighbours take in half precision, and what a second
# of padded audio may take beyond them. A batch that doesn't fit all the same is halved.
MODEL_BYTES = 5 << 30
BYTES_PER_SECOND = 16 << 20
LEAST_BATCH_SECONDS, MOST_BATCH_SECONDS = 60.0, 1920.0


@dataclass(frozen=True)
class Device:
    """A choice of device for both of the libraries that run models.

    Attributes:
        name: device of the speech and the text model.
        ctranslate2: device of Whisper, which knows no MPS.
        dtype: floating-point type of the models that torch runs.
        compute_type: that of CTranslate2.
        workers: batches that are run at a time, each on one core; one on a GPU.
        threads: cores that a batch of Whisper's takes, where it runs on the CPU.
        batch_seconds: how much padded audio a batch holds unless the user says.
        chunk_rows: rows that are scored and saved together.
    """

    name: str
    ctranslate2: str
    dtype: torch.dtype
    compute_type: str
    workers: int
    threads: int
    batch_seconds: float
    chunk_rows: int


def choose(name: str = AUTO, precision: str = AUTO) -> Device:
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
    if name not in (AUTO, *DEVICES) or precision not in PRECISIONS:
        raise DeviceError(
            f"no device {name} or no precision {precision}; devices are {AUTO}, "
            f"{', '.join(DEVICES)}, precisions {', '.join(PRECISIONS)}"
        )
    insisted = name != AUTO
    if not insisted:
        name = first_there()
        _note_unused_gpu(name)
    if not _is_there(name):
        raise DeviceError(
            f"device {name} is not available to PyTorch {torch.__version__}; "
            "use --device cpu, or install a build of PyTorch for this machine's GPU"
        )
    whisper = _choose_for_whisper(name, insisted)
    dtype = DTYPES.get(precision, torch.float32 if name == "cpu" else torch.float16)
    compute_type = _compute_type(whisper, precision)
    cores = available_cores()
    workers = min(MOST_WORKERS, cores) if name == "cpu" else 1
    threads = 1 if name == "cpu" else cores
    seconds, chunk_rows = DEVICES[name]
    if name == "cuda":
        seconds = seconds_that_fit(torch.cuda.mem_get_info()[0])
    return Device(name, whisper, dtype, compute_type, workers, threads, seconds, chunk_rows)


def first_there() -> str:
    """What ``auto`` chooses: the first of CUDA, MPS and CPU that is there.

    Returns:
        Its name.
    """
    return next(known for known in DEVICES if _is_there(known))


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


def missing_for_whisper() -> str | None:
    """What keeps CTranslate2 from computing on a CUDA GPU.

    Returns:
        What is missing and how to mend it, None where nothing is.
    """
    if ctranslate2.get_cuda_device_count() == 0:
        return (
            f"CTranslate2 {ctranslate2.__version__} sees no GPU: install its wheel from PyPI, "
            "which is built for CUDA 12, and a driver for that"
        )
    if sys.platform == "linux" and torch.version.hip is None and not can_open(CUBLAS):
        return f"CTranslate2 can't open {CUBLAS}: {CUDA_LIBRARIES_REMEDY}"
    return None


def can_open(library: str) -> bool:
    """Whether the system's loader finds a library, or it is loaded already.

    Args:
        library: its file name.

    Returns:
        True where it is found.

    Examples:
        >>> can_open("libnowhere.so.12")
        False
    """
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _is_there(name: str) -> bool:
    if name == "cuda":
        return torch.cuda.is_available()
    return name != "mps" or torch.backends.mps.is_available()


def _choose_for_whisper(name: str, insisted: bool) -> str:
    missing = missing_for_whisper() if name == "cuda" else None
    if missing is None:
        return "cuda" if name == "cuda" else "cpu"
    if insisted:
        raise DeviceError(f"--device {name}: {missing}; or use --device auto or cpu")
    log.warning("note: Whisper runs on the CPU, which is slow; %s", missing)
    return "cpu"


def _note_unused_gpu(name: str) -> None:
    if name == "cpu" and ctranslate2.get_cuda_device_count() > 0:
        log.warning(
            "note: all models run on the CPU, which is slow: there is a GPU, but PyTorch %s "
            "doesn't see it; install a build of PyTorch for it",
            torch.__version__,
        )


def _compute_type(device: str, precision: str) -> str:
    if precision == AUTO:
        return "float16" if device == "cuda" else "default"
    wanted = PRECISIONS[precision]
    known = ctranslate2.get_supported_compute_types(device)
    if wanted not in known:
        raise DeviceError(
            f"--precision {precision}: CTranslate2 can't compute with it on this {device} device; "
            f"it knows {', '.join(sorted(known))}; use --precision auto"
        )
    return wanted
