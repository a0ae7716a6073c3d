"""The devices that both libraries would run models on."""

from __future__ import annotations

from emobatch.errors import DeviceError, ExaminationError
from emobatch.models.choice import Choice

# Rows of the matrices that are multiplied, and how far a product may be from the exact one, as a
# share of its largest value: some times the rounding of the coarsest type, bfloat16.
ROWS = 256
LEEWAY = 0.05


def torch_device(choice: Choice) -> str:
    """The device of the speech and the text model, and its memory."""
    import torch
    from rich.filesize import decimal

    from emobatch.models import devices

    device = devices.choose(choice.device, choice.precision)
    if device.name != "cuda":
        return f"{device.name}, by PyTorch {torch.__version__}"
    free, total = torch.cuda.mem_get_info()
    return (
        f"{torch.cuda.get_device_name()}, {decimal(free)} of {decimal(total)} free, "
        f"by PyTorch {torch.__version__}"
    )


def precision(choice: Choice) -> str:
    """Whether the device multiplies matrices in the precision of the run."""
    import torch

    from emobatch.models import devices

    device = devices.choose(choice.device, choice.precision)
    factors = torch.randn(2, ROWS, ROWS, dtype=torch.float64, generator=torch.Generator())
    exact = factors[0] @ factors[1]
    one, other = factors.to(device.dtype).to(device.name)
    wrong = ((one @ other).cpu().double() - exact).abs().max() / exact.abs().max()
    kind = str(device.dtype).removeprefix("torch.")
    if not wrong < LEEWAY:
        raise ExaminationError(
            f"products of {kind} on {device.name} are wrong by {wrong:.0%}; use --precision fp32, "
            "and have the GPU or its driver looked at"
        )
    return f"{kind} on {device.name}"


def whisper_device(choice: Choice) -> str:
    """The device of CTranslate2, what it computes with, and the libraries that it needs."""
    import ctranslate2

    from emobatch.models import devices

    device = devices.choose(choice.device, choice.precision)
    if device.name == "cuda" and device.ctranslate2 != "cuda":
        raise DeviceError(f"Whisper would run on the CPU; {devices.missing_for_whisper()}")
    known = ", ".join(sorted(ctranslate2.get_supported_compute_types(device.ctranslate2)))
    return (
        f"{device.ctranslate2}, compute type {device.compute_type} of {known}, "
        f"by CTranslate2 {ctranslate2.__version__}"
    )
