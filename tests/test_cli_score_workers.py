"""Scoring in several processes: the same table, the same end, and nobody left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from sounds import save, tone

Cli = Callable[..., Result]
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


def wait_for(what: Callable[[], object], said: str, seconds: float = 120) -> None:
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
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_interrupted_leaves_no_process_and_the_same_table(
    cli: Cli, manifest: Path, number: signal.Signals
) -> None:
    """Stopped with work saved, gone on with in one process, it is the table of one process."""
    target = manifest.with_name(f"{number.name}.parquet")
    arguments = command(manifest, target, "--workers=2")
    run = subprocess.Popen(
        [sys.executable, "-m", "emobatch", *arguments], stderr=subprocess.PIPE, text=True
    )
    family: set[int] = set()
    wait_for(
        lambda: (
            [*target.parent.glob(f"{target.name}.parts/**/0*.parquet")] or run.poll() is not None
        ),
        "nothing is saved",
    )
    family |= {*of_group(run.pid)}
    assert run.poll() is None and len(family) >= 3, "scored in one process"
    run.send_signal(number)
    said = run.communicate()[1]
    wait_for(lambda: not any(map(is_running, family)), "processes are left", 30)
    if number == signal.SIGTERM:
        assert run.returncode == 75
        assert f"interrupted by SIGTERM; {64}" in said or "of 200 rows are saved" in said
    assert cli(*arguments[:-1], "--workers=1").exit_code == 0
    alone = manifest.with_name("alone.parquet")
    if not alone.exists():
        assert cli(*command(manifest, alone, "--workers=1")).exit_code == 0
    assert pl.read_parquet(target).equals(pl.read_parquet(alone))
    assert (
        pl.read_parquet_metadata(target)["emobatch"] == pl.read_parquet_metadata(alone)["emobatch"]
    )


def test_two_processes_score_as_one(cli: Cli, manifest: Path) -> None:
    one, two = manifest.with_name("one.parquet"), manifest.with_name("two.parquet")
    assert cli(*command(manifest, one, "--workers=1")).exit_code == 0
    assert cli(*command(manifest, two, "--workers=2")).exit_code == 0
    assert pl.read_parquet(one).equals(pl.read_parquet(two))
    assert (
        pl.read_parquet(two)["status"].value_counts().filter(status="error")["count"].item() == 33
    )


def test_what_keeps_models_from_loading_is_said_once(
    cli: Cli, manifest: Path, tmp_path: Path, models: dict[str, Path]
) -> None:
    import shutil

    speech = Path(shutil.copytree(models["speech"], tmp_path / "speech"))
    (speech / "model.safetensors").write_bytes(b"none")
    options = [f"--speech-model={speech}", *(f"--{b}-model={models[b]}" for b in ("asr", "text"))]
    result = cli("score", manifest, "-o", tmp_path / "s.csv", *options, "--workers=2")
    assert result.exit_code == 1
    assert f"Error: {speech}: can't be loaded: " in result.stderr


def test_a_lost_process_ends_the_run_and_says_what_to_do(
    cli: Cli, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emobatch.scoring.runners import processes

    score = processes.Worker.score

    def kill(self: processes.Worker, chunk: object) -> object:
        self.ready.result()
        self.child.process.kill()
        return score(self, chunk)

    with monkeypatch.context() as patch:
        patch.setattr(processes.Worker, "score", kill)
        result = cli(*command(manifest, tmp_path / "s.parquet", "--workers=2"))
    assert result.exit_code == 1
    assert "a process that scores ended with SIGKILL" in result.stderr
    assert "fewer --workers" in result.stderr


def test_few_rows_are_scored_in_this_process(
    cli: Cli, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emobatch import processes

    started: list[str] = []
    start = processes.Child.start
    monkeypatch.setattr(
        processes.Child,
        "start",
        lambda entry, *given: started.append(entry) or start(entry, *given),
    )
    assert cli(*command(manifest, tmp_path / "s.parquet")).exit_code == 0
    assert {*started} == {"emobatch.manifests.decoder:serve"}
