"""Scoring in several processes: the same table, the same end, and nobody left behind."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from forked import Forked
from sounds import save, tone

from emobatch.errors import CheckpointError, OptionError
from emobatch.models import devices
from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.runners import local, processes, worker
from emobatch.scoring.runners.runner import Workers

Cli = Callable[..., Result]
DECODERS = True
ROWS = 200  # four chunks


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers")
    for number in range(5):
        save(folder / f"{number}.wav", tone(0.2 + number / 10, hertz=200 + 90 * number))
    rows = {"path": [f"{n % 6}.wav" for n in range(ROWS)], "id": [str(n) for n in range(ROWS)]}
    pl.DataFrame(rows).write_csv(folder / "m.csv")
    return folder / "m.csv"


def command(manifest: Path, target: Path, *options: object) -> list[str]:
    given = ("score", manifest, "-o", target, "--models=demo", "--max-error-rate=1", *options)
    return [str(each) for each in given]


def of_group(process: int) -> list[int]:
    """Processes that a process started, and those started by these."""
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True)
    parents = {int(a): int(b) for a, b in (line.split() for line in found.stdout.splitlines())}
    family = [process]
    for one in family:
        family += [child for child, parent in parents.items() if parent == one]
    return family[1:]


def wait_for(what: Callable[[], object], said: str, seconds: float = 600) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, said
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up there")
def test_two_processes_make_the_table_of_one_however_they_are_interrupted(
    cli: Cli, manifest: Path
) -> None:
    target, alone = manifest.with_name("two.parquet"), manifest.with_name("one.parquet")
    arguments = command(manifest, target, "--workers=2")
    saved = f"{target.name}.parts/**/*.parquet"
    with Forked(target.with_name("said"), *arguments) as run:
        wait_for(lambda: [*target.parent.glob(saved)] or run.poll() is not None, "nothing is saved")
        family = of_group(run.pid)
        assert run.poll() is None and len(family) >= 3, "scored in one process"
        run.send_signal(signal.SIGTERM)
        assert run.wait() == 75 and "interrupted by SIGTERM; " in run.said
    assert " of 200 rows are saved in " in run.said
    wait_for(lambda: not any(map(is_running, family)), "processes are left")
    for path in (target, alone):
        assert cli(*command(manifest, path, "--workers=1")).exit_code == 0
    table = pl.read_parquet(target)
    assert table.equals(pl.read_parquet(alone))
    assert (table["status"] == "error").sum() == 33
    made = [pl.read_parquet_metadata(path)["emobatch"] for path in (target, alone)]
    assert made[0] == made[1]


def test_a_lost_process_ends_the_run_and_says_what_to_do(
    cli: Cli, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = processes.Worker.begin

    def kill(self: processes.Worker, orders: worker.Orders) -> None:
        begin(self, orders)
        self.child.process.kill()

    monkeypatch.setattr(processes.Worker, "begin", kill)
    result = cli(*command(manifest, tmp_path / "s.parquet", "--workers=2"))
    assert result.exit_code == 1
    assert "Error: a process that scores ended with SIGKILL" in result.stderr
    assert "fewer --workers" in result.stderr


def test_what_keeps_models_from_loading_is_handed_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Recipe) -> None:
        logging.getLogger("emobatch.models").warning("note: %s", "first this")
        raise CheckpointError("speech: can't be loaded")

    monkeypatch.setattr(Recipe, "open", fail)
    log = logging.getLogger("emobatch")
    for name in ("handlers", "propagate", "level"):
        monkeypatch.setattr(log, name, [] if name == "handlers" else getattr(log, name))
    ours, theirs = multiprocessing.Pipe()
    demo = Choice(models="demo", device="cpu")
    plan = Plan.of(demo, demo.find_checkpoints())
    recipe = Recipe(plan, devices.choose("cpu"), None, Path())
    ours.send(worker.Orders(recipe, 1, logging.WARNING))
    worker.serve(theirs)
    noted, failed = ours.recv(), ours.recv()
    assert noted == worker.Noted("emobatch.models", logging.WARNING, "note: first this")
    assert failed.first is None and str(failed.error) == "speech: can't be loaded"
    assert isinstance(failed.error, CheckpointError)


def test_an_error_that_cant_be_sent_says_the_same() -> None:
    class OddError(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(f"{one} and {two}")

    assert str(worker.sendable(OddError(1, 2))) == "OddError: 1 and 2"
    error = CheckpointError("no")
    assert worker.sendable(error) is error


@pytest.mark.parametrize(
    ("chunks", "free", "expected"), [(7, 64, 1), (8, 64, 2), (400, 64, 3), (400, 1, 1), (400, 2, 2)]
)
def test_as_many_processes_as_chunks_cores_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, chunks: int, free: int, expected: int
) -> None:
    monkeypatch.setattr(local, "free_memory", lambda: free << 30)
    demo = Choice(models="demo", device="cpu")
    device = replace(devices.choose("cpu"), workers=3)
    recipe = Recipe(Plan.of(demo, demo.find_checkpoints()), device, None, Path())
    assert max(1, local.LocalRunner()._processes(recipe, chunks)) == expected
    on_gpu = replace(recipe, device=replace(device, name="cuda"))
    assert local.LocalRunner()._processes(on_gpu, chunks) == 1
    two = local.LocalRunner.of(Workers(workers=2), "local")
    assert two._processes(recipe, 400) == 2
    with pytest.raises(OptionError, match="--workers 2: several processes score on the CPU alone"):
        two._processes(on_gpu, 400)
