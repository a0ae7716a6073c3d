"""`score --engine ray`: two workers that share a GPU, one of them killed, give the same table."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from sounds import save, tone

from emobatch.scoring.parts import Parts

Cli = Callable[..., Result]
DEMO = ("--models=demo", "--max-error-rate=1", "--device=cpu")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    os.environ["OMP_NUM_THREADS"] = "1"
    for _ in range(3):
        with suppress(Exception):  # Ray waits 30 s for a node of its own, whatever else is run
            # A GPU that isn't there is shared out like one that is.
            ray.init("local", num_cpus=2, num_gpus=1, log_to_driver=False, logging_level="error")
            break
        ray.shutdown()
    else:
        pytest.skip("Ray can't begin a cluster here: the machine is too busy")
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ray")
    for number in range(5):
        save(folder / f"{number}.wav", tone(0.3 + number / 10, hertz=200 + 90 * number))
    said = ["", "what a wonderful surprise", "no"]
    rows = [f"{n % 6}.wav,{n},{said[n % 3]}" for n in range(300)]  # of six files one isn't there
    (folder / "m.csv").write_text("\n".join(["path,id,transcript", *rows]) + "\n")
    return folder / "m.csv"


def workers() -> list[int]:
    """Processes of Ray's that score, which name themselves so."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().startswith(b"ray::RayWorker"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def both_workers() -> list[int]:
    """Two, each with half of the one GPU, as soon as they are there."""
    import ray

    until = time.monotonic() + 120
    while len(found := workers()) < 2 or ray.available_resources().get("GPU", 0.0):
        assert time.monotonic() < until, "two workers don't share a GPU"
        time.sleep(0.05)
    assert len(found) == 2
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.usefixtures("cluster")
def test_the_table_is_the_same_though_a_worker_is_killed(
    cli: Cli, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, ray = (manifest.with_name(name) for name in ("local.parquet", "ray.parquet"))
    assert cli("score", manifest, "-o", alone, *DEMO).exit_code == 0
    saved: list[int] = []
    add = Parts.add

    def add_and_kill(parts: Parts, first: int, frame: pl.DataFrame) -> None:
        add(parts, first, frame)
        saved.append(first)
        if len(saved) == 1:
            os.kill(both_workers()[0], signal.SIGKILL)

    monkeypatch.setattr(Parts, "add", add_and_kill)
    # By their cores there would be room for four of them, and by their halves of a GPU for two.
    share = ("--gpus-per-worker=0.5", "--cpus-per-worker=0.5")
    result = cli("score", manifest, "-o", ray, *DEMO, "--engine=ray", *share)
    assert result.exit_code == 0, result.stderr
    assert sorted(saved) == [0, 64, 128, 192, 256]
    one, other = (pl.read_parquet(file) for file in (alone, ray))
    assert one.write_ipc(None).getvalue() == other.write_ipc(None).getvalue()
    assert (one["status"] == "error").sum() == 50
    # It is known for the same run, and whole.
    assert cli("score", manifest, "-o", ray, *DEMO).exit_code == 0
    # What its nodes can't use is said in one line.
    result = cli("score", manifest, "-o", ray.with_name("x.csv"), *DEMO[:2], "--engine=ray",
                 "--device=cuda", "--gpus-per-worker=0")  # fmt: skip
    assert result.exit_code == 1 and "--gpus-per-worker" in result.stderr


def test_without_ray_the_extra_is_named(
    cli: Cli, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    result = cli("score", manifest, *DEMO, "--engine=ray")
    assert result.exit_code == 1 and result.stdout == ""
    assert "pip install 'emobatch[ray]'" in result.stderr.splitlines()[-1]


def test_options_of_workers_are_refused_where_there_are_none(cli: Cli, manifest: Path) -> None:
    result = cli("score", manifest, *DEMO, "--address=here:1")
    assert result.exit_code == 1
    assert "--address: --engine local has no use for it" in result.stderr
