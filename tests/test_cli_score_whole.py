"""What has nothing to do, or may not begin, says so before anything slow is loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from sounds import save, tone

from emobatch.models.checkpoints import Checkpoint
from emobatch.scoring.folder import HeldFolder

Cli = Callable[..., Result]
# Ends as the command does, and says whether the library was imported that would load models.
WATCHED = """
import sys
from emobatch.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print("torch" in sys.modules)
"""


@pytest.fixture
def command(tmp_path: Path) -> tuple[object, ...]:
    save(tmp_path / "a.wav", tone(0.3))
    (tmp_path / "m.csv").write_text("path\na.wav\nno.wav\n")
    target = tmp_path / "s.parquet"
    return ("score", tmp_path / "m.csv", "-o", target, "--models=demo", "--max-error-rate=1")


def watched(*command: object) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", WATCHED, *map(str, command)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


def test_a_whole_table_loads_nothing(cli: Cli, command: tuple[object, ...]) -> None:
    assert cli(*command).exit_code == 0
    done = watched(*command)
    assert (done.returncode, done.stdout) == (0, "False\n")
    assert "s.parquet is whole, nothing to do; --retry-errors scores" in done.stderr
    # Whatever device it was scored on; one that is insisted on has to be that.
    assert watched(*command, "--device=cpu").stdout == "False\n"
    other = watched(*command, "--device=cuda")
    assert (other.returncode, other.stdout) == (1, "False\n")
    assert "differs in --device (was cpu); " in other.stderr


def test_a_table_that_another_run_writes_loads_nothing(
    cli: Cli, command: tuple[object, ...], tmp_path: Path
) -> None:
    held = HeldFolder.take(tmp_path / "s.parquet.parts", lambda found: None)
    try:
        done = watched(*command)
    finally:
        held.release()
    assert (done.returncode, done.stdout) == (75, "False\n")
    assert "s.parquet.parts: another run is writing there" in done.stderr
    assert cli(*command).exit_code == 0
    assert pl.read_parquet(tmp_path / "s.parquet").height == 2


@pytest.mark.parametrize("gated", [True, False])
def test_weights_are_read_once(
    cli: Cli,
    command: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gated: bool,
) -> None:
    read: list[str] = []
    provenance = Checkpoint.provenance
    monkeypatch.setattr(
        Checkpoint, "provenance", lambda self: (read.append(self.option), provenance(self))[1]
    )
    (tmp_path / "gate.toml").write_text("format = 1\n[thresholds]\n")
    gate = (f"--gate={tmp_path / 'gate.toml'}",) if gated else ()
    assert cli(*command, *gate).exit_code == 0
    assert sorted(read) == ["--asr-model", "--speech-model", "--text-model"]
