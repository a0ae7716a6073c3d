from __future__ import annotations

import logging
import re
from collections.abc import Callable
from ctypes.util import find_library
from pathlib import Path

import ctranslate2
import pytest
import torch
from click.testing import Result
from sounds import save, tone

from emobatch.errors import DeviceError
from emobatch.models import devices
from emobatch.models.cores import available_cores as cores_of


def test_the_cpu_computes_in_single_precision_on_every_core() -> None:
    device = devices.choose("cpu")
    assert (device.dtype, device.compute_type) == (torch.float32, "default")
    assert device.workers >= 1


def test_cores_are_those_that_a_job_may_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("emobatch.models.cores.QUOTA", tmp_path)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {3, 5, 6}, raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert cores_of(tmp_path) == 3
    assert devices.choose("cpu").workers == 3
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {*range(64)})
    cpu = devices.choose("cpu")
    assert (cpu.workers, cpu.threads) == (devices.MOST_WORKERS, 1)


def test_cores_are_no_more_than_a_task_was_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By Slurm where it binds nothing, and by a container, whose share binds nothing either."""
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {*range(8)}, raising=False)
    for given, cores in (("3", 3), ("64", 8), ("0", 8), ("", 8), ("x", 8)):
        monkeypatch.setenv("SLURM_CPUS_PER_TASK", given)
        assert cores_of(tmp_path) == cores
    quota = tmp_path / "sys/fs/cgroup/cpu.max"
    quota.parent.mkdir(parents=True)
    shares = {"250000 100000": 3, "5000 100000": 1, "max 100000": 8, "": 8, "9900000 100000": 8}
    for share, cores in shares.items():
        quota.write_text(share)
        assert cores_of(tmp_path) == cores


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
    beside = devices.MODEL_BYTES + 630 * devices.BYTES_PER_SECOND
    assert devices.seconds_that_fit(beside) == 630
    some, more = devices.seconds_that_fit(8 << 30), devices.seconds_that_fit(24 << 30)
    assert some < more and some % 30 == more % 30 == 0


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that the libraries see so many GPUs, and that the loader finds cuBLAS or not."""

    def pretend(*, torch_sees: bool, ctranslate2_sees: int, cublas: bool = True) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: torch_sees)
        monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: ctranslate2_sees)
        monkeypatch.setattr(devices, "can_open", lambda library: cublas)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (16 << 30, 80 << 30))

    return pretend


def test_a_gpu_that_both_libraries_see_runs_all_models(
    cuda: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    cuda(torch_sees=True, ctranslate2_sees=1)
    device = devices.choose()
    assert (device.name, device.ctranslate2, device.workers) == ("cuda", "cuda", 1)
    assert (device.dtype, device.compute_type) == (torch.float16, "float16")
    assert device.batch_seconds == devices.seconds_that_fit(16 << 30) == 690
    assert not caplog.records


TROUBLE = {
    "CTranslate2 sees no GPU": ({"ctranslate2_sees": 0}, "CTranslate2 .* sees no GPU: install"),
    "no cuBLAS": (
        {"ctranslate2_sees": 1, "cublas": False},
        r"libcublas\.so\.12: pip install nvidia",
    ),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_whisper_falls_back_to_the_cpu_and_says_what_to_install(
    cuda: Callable[..., None], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    lacking, remedy = TROUBLE[name]
    cuda(torch_sees=True, **lacking)
    device = devices.choose("auto")
    assert (device.name, device.ctranslate2, device.compute_type) == ("cuda", "cpu", "default")
    assert device.threads == devices.available_cores()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert caplog.messages[0].startswith("note: Whisper runs on the CPU, which is slow")
    assert re.search(remedy, caplog.messages[0])


@pytest.mark.parametrize("name", TROUBLE)
def test_insisting_on_cuda_is_an_error_that_says_what_to_install(
    cuda: Callable[..., None], name: str
) -> None:
    lacking, remedy = TROUBLE[name]
    cuda(torch_sees=True, **lacking)
    with pytest.raises(DeviceError, match=f"{remedy}.*use --device auto or cpu"):
        devices.choose("cuda")


def test_a_gpu_that_torch_doesnt_see_is_announced_and_the_cpu_scores(
    cli: Callable[..., Result],
    cuda: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    model_options: list[str],
    tmp_path: Path,
) -> None:
    cuda(torch_sees=False, ctranslate2_sees=1)
    save(tmp_path / "a.wav", tone(0.5))
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    result = cli("score", tmp_path / "m.csv", *model_options)
    assert (result.exit_code, ",ok," in result.stdout) == (0, True)
    (message,) = [each for each in caplog.messages if "CPU" in each]
    assert message.startswith("note: all models run on the CPU, which is slow: there is a GPU")
    assert message.endswith("install a build of PyTorch for it")


def test_a_library_is_open_where_the_loader_finds_it() -> None:
    assert devices.can_open(find_library("c") or "")
    assert not devices.can_open("libcublas.so.12345")
