"""`emobatch doctor`: what would stop a run is found before it, with the remedy."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ctranslate2
import numpy as np
import pytest
import torch
from checkpoints import EIGHT_LABELS, save_speech, save_text_emotion
from click.testing import Result
from safetensors.torch import load_file, save_file

from emobatch.doctor import decoders, folders, machine
from emobatch.doctor import devices as device_checks
from emobatch.doctor.finding import check
from emobatch.errors import DeviceError, ExaminationError
from emobatch.manifests import audio
from emobatch.models import devices
from emobatch.models.choice import Choice
from emobatch.tables import provenance

Cli = Callable[..., Result]
CHECKS = [
    *("software", "cores", "output", "temporary files", "decoders"),
    *("speech model", "asr model", "text model", "memory"),
    *("device", "precision", "Whisper's device", "speech scores", "asr scores", "text scores"),
]
ON_THE_CPU = ("doctor", "--device=cpu", "--models=demo")


def failed(result: Result) -> dict[str, str]:
    """What the lines that begin with FAIL say, by the check's name."""
    lines = [line.removeprefix("FAIL  ") for line in result.stdout.splitlines() if "FAIL" in line]
    assert result.exit_code == (1 if lines else 0)
    assert ("checks failed" in result.stderr) == bool(lines)
    return dict(line.split(": ", 1) for line in lines)


def test_a_machine_that_is_ready_passes_every_check(cli: Cli, tmp_path: Path) -> None:
    result = cli(*ON_THE_CPU, "-o", tmp_path / "scores.parquet")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"pass  {name}" for name in CHECKS]
    says = dict(line.removeprefix("pass  ").split(": ", 1) for line in lines)
    assert says["decoders"] == "wav, flac, ogg, mp3, m4a decoded"
    assert says["precision"] == "float32 on cpu"
    assert f"torch {torch.__version__}" in says["software"]
    assert list(tmp_path.iterdir()) == []


def test_json_has_every_check(cli: Cli, tmp_path: Path) -> None:
    result = cli(*ON_THE_CPU, "--json", "--asr-model", "./none")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["checks"]
    assert {name for finding in found for name in finding} == {"name", "passed", "says"}
    bad = [finding["name"] for finding in found if not finding["passed"]]
    assert bad == ["asr model"]


def test_missing_models_come_with_the_command_that_fetches_them(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    result = cli("doctor", "--device=cpu", "--asr-model=demo", "--text-model=demo")
    found = failed(result)
    memory = next(line for line in result.stdout.splitlines() if "memory: " in line)
    assert memory.endswith("unknown what superb/wav2vec2-base-superb-er would need beside them")
    assert list(found) == ["speech model"]
    command = "`emobatch models --fetch --asr-model=demo --text-model=demo` fetches"
    assert command in found["speech model"]


def test_labels_that_cant_be_mapped_name_the_option(cli: Cli, tmp_path: Path) -> None:
    names = tuple(f"LABEL_{number}" for number in range(4))
    folder = save_speech(tmp_path / "speech", labels=names)
    arguments = [*ON_THE_CPU, "--speech-model", folder]
    found = failed(cli(*arguments))
    assert list(found) == ["speech scores"]
    assert "--label-map LABEL_0=angry" in found["speech scores"]
    pairs = zip(names, ("angry", "happy", "neutral", "sad"), strict=True)
    mapped = ",".join(f"{name}={emotion}" for name, emotion in pairs)
    assert failed(cli(*arguments, "--label-map", mapped)) == {}


def test_classes_and_text_models_are_those_of_the_run(cli: Cli, tmp_path: Path) -> None:
    speech = save_speech(tmp_path / "speech", labels=EIGHT_LABELS)
    text = save_text_emotion(tmp_path / "text")
    arguments = [*ON_THE_CPU, "--speech-model", speech, "--text-model", text]
    assert failed(cli(*arguments, "--classes=eight")) == {}
    assert failed(cli(*arguments, "--classes=checkpoint")) == {}
    found = failed(cli(*arguments))
    assert list(found) == ["speech scores", "text scores"]
    assert "--classes checkpoint" in found["speech scores"]
    assert "neither the sentiments" in found["text scores"]
    dropped = "--text-label-map=disgust=none,fear=none,surprise=none"
    assert list(failed(cli(*arguments, dropped))) == ["speech scores"]


def test_a_head_that_was_never_trained_fails(cli: Cli, tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    found = failed(cli(*ON_THE_CPU, "--speech-model", folder))
    assert "not a trained classifier" in found["speech scores"]


def test_weights_that_give_no_numbers_fail(cli: Cli, tmp_path: Path) -> None:
    folder = save_speech(tmp_path / "speech")
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = weights["classifier.bias"] + float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    found = failed(cli(*ON_THE_CPU, "--speech-model", folder))
    assert "is no number in auto precision; use --precision fp32" in found["speech scores"]


def test_a_language_that_the_recogniser_doesnt_know_fails(cli: Cli) -> None:
    assert "--language auto or one of en" in failed(cli(*ON_THE_CPU, "--language=de"))["asr scores"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_its_device_nothing_is_tried_on_it(cli: Cli) -> None:
    result = cli("doctor", "--models=demo", "--device=cuda")
    found = failed(result)
    assert list(found) == ["device"]
    assert "install a build of PyTorch" in found["device"]
    assert result.stdout.splitlines()[-1].startswith("FAIL  device")


def test_a_gpu_that_only_torch_can_use_fails_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (16 << 30, 80 << 30))
    monkeypatch.setattr(ctranslate2, "get_cuda_device_count", lambda: 1)
    monkeypatch.setattr(devices, "can_open", lambda library: False)
    with pytest.raises(DeviceError, match=r"libcublas\.so\.12: pip install nvidia-cublas-cu12"):
        device_checks.whisper_device(Choice())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_products_are_held_against_exact_ones(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    device = replace(devices.choose("cpu"), dtype=dtype)
    monkeypatch.setattr(devices, "choose", lambda *_: device)
    assert device_checks.precision(Choice()).endswith(" on cpu")
    right = torch.Tensor.__matmul__
    monkeypatch.setattr(
        torch.Tensor,
        "__matmul__",
        lambda one, other: right(one, other) * (1 if one.dtype == torch.float64 else 1.2),
    )
    with pytest.raises(ExaminationError, match="use --precision fp32"):
        device_checks.precision(Choice())


@pytest.mark.parametrize(
    ("target", "remedy"),
    [("no/scores.csv", "mkdir -p"), ("scores.xlsx", "can't write that format")],
)
def test_an_output_that_cant_be_written_fails(tmp_path: Path, target: str, remedy: str) -> None:
    found = check("output", lambda: folders.output(tmp_path / target))
    assert not found.passed
    assert remedy in found.says


def test_a_folder_without_room_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=5_000_000))
    with pytest.raises(ExaminationError, match=r"5\.0 MB free, .*make room"):
        folders.output(tmp_path / "scores.csv")


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_quota_that_is_used_up_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda dir: full("wb", buffering=0))
    with pytest.raises(
        ExaminationError, match=r"No space left on device; name|No space .*make room"
    ):
        folders.output(tmp_path / "scores.csv")


def test_temporary_files_elsewhere_are_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(ExaminationError, match="another folder in TMPDIR"):
        folders.temporary()


def test_a_decoder_that_gives_another_sound_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    right = audio.read_windows

    def halve(file: Path, *limits: float | None) -> list[np.ndarray]:
        heard = right(file, *limits)
        return [window[::2] if file.suffix == ".mp3" else window for window in heard]

    monkeypatch.setattr(audio, "read_windows", halve)
    with pytest.raises(ExaminationError, match=r"^mp3: decoded to another sound.*pip install"):
        decoders.decode_all()


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "SCORING_PACKAGES", ("torch", "no-such-package"))
    with pytest.raises(ExaminationError, match="pip install no-such-package"):
        machine.software()


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A machine with 8 GB to be had, as Linux tells it."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n")
    return tmp_path


def limit(system: Path, group: str, file: str, text: str) -> None:
    (system / "proc/self/cgroup").write_text(group + "\n")
    (system / "sys/fs/cgroup" / file).parent.mkdir(parents=True, exist_ok=True)
    (system / "sys/fs/cgroup" / file).write_text(text + "\n")


def test_memory_is_what_is_free(system: Path) -> None:
    assert machine.available_memory(system) == 8_000_000 * 1024


@pytest.mark.parametrize(
    ("group", "file", "text", "expected"),
    [
        ("0::/slurm/job_7/step_0", "slurm/job_7/memory.max", "4000000000", 4_000_000_000),
        ("0::/slurm/job_7/step_0", "slurm/job_7/memory.max", "max", 8_000_000 * 1024),
        ("4:memory:/job", "memory/job/memory.limit_in_bytes", "3000000000", 3_000_000_000),
        ("4:cpu:/job", "cpu/job/memory.limit_in_bytes", "3000000000", 8_000_000 * 1024),
    ],
)
def test_memory_is_no_more_than_a_jobs_limit(
    system: Path, group: str, file: str, text: str, expected: int
) -> None:
    limit(system, group, file, text)
    assert machine.available_memory(system) == expected


def test_too_little_memory_for_the_models_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: 900_000_000)
    with pytest.raises(ExaminationError, match=r"900\.0 MB to be had, .*--mem"):
        machine.memory(Choice(models="demo"), ["speech", "asr", "text"])
