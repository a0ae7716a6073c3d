from __future__ import annotations

import ctranslate2
import pytest
import torch

from emobatch import devices
from emobatch.errors import DeviceError


def test_the_cpu_computes_in_single_precision_on_every_core() -> None:
    device = devices.choose("cpu")
    assert (device.dtype, device.compute_type) == (torch.float32, "default")
    assert device.workers >= 1


@pytest.mark.parametrize(
    ("precision", "dtype", "compute_type"),
    [("fp32", torch.float32, "float32"), ("int8", torch.float32, "int8")],
)
def test_a_precision_is_for_all_models_that_know_it(
    precision: str, dtype: torch.dtype, compute_type: str
) -> None:
    device = devices.choose("cpu", precision)
    assert (device.dtype, device.compute_type) == (dtype, compute_type)


def test_a_precision_that_the_device_lacks_is_refused() -> None:
    lacking = {"fp16": "float16", "bf16": "bfloat16"}
    known = ctranslate2.get_supported_compute_types("cpu")
    for precision, compute_type in lacking.items():
        if compute_type not in known:
            with pytest.raises(DeviceError, match="use --precision auto"):
                devices.choose("cpu", precision)
            return
    pytest.skip("this processor computes with all of them")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_isnt_there_is_refused() -> None:
    with pytest.raises(DeviceError, match="use --device cpu"):
        devices.choose("cuda")


def test_a_batch_is_as_large_as_free_memory_allows() -> None:
    assert devices.seconds_that_fit(0) == devices.LEAST_BATCH_SECONDS
    assert devices.seconds_that_fit(1 << 50) == devices.MOST_BATCH_SECONDS
    some, more = devices.seconds_that_fit(8 << 30), devices.seconds_that_fit(24 << 30)
    assert some < more and some % 30 == more % 30 == 0
