"""`score -o s3://…`: tables and saved work in object storage."""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from forked import Forked
from object_store import Bucket, running
from sounds import save, tone

from emobatch.errors import StorageError
from emobatch.scoring.parts import Parts
from emobatch.storage import hold
from emobatch.storage.objects import Objects

Cli = Callable[..., Result]
DEMO = ("--models=demo", "--text=none", "--device=cpu", "--workers=1")
# The command, which waits once its first chunk is saved: it is never too fast to be killed.
WAITING = """
import time
from emobatch.scoring.parts import Parts
from emobatch.storage import mirror
def add_and_wait(self, first, frame, add=Parts.add):
    add(self, first, frame)
    time.sleep(600)
Parts.add, mirror.PERIOD = add_and_wait, 0.2
from emobatch.cli import run
run()
"""


@pytest.fixture(scope="module")
def service() -> Iterator[Bucket]:
    with running() as made:
        yield made


@pytest.fixture
def bucket(service: Bucket, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in service.environment.items():
        monkeypatch.setenv(name, value)
    service.clear()
    return service


def refusal(result: Result) -> str:
    """The line that says what is wrong, after the note that the demo's models are toys."""
    assert result.exit_code == 1 and result.stdout == ""
    return result.stderr.splitlines()[-1]


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Two chunks."""
    save(tmp_path / "a.wav", tone(0.3))
    columns = {"path": ["a.wav"] * 100, "id": [str(n) for n in range(100)], "transcript": "said"}
    pl.DataFrame(columns).write_csv(tmp_path / "m.csv")
    return tmp_path / "m.csv"


def test_a_killed_run_goes_on_from_what_is_stored(
    cli: Cli, few: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, alone = f"{bucket.address}/run/s.parquet", tmp_path / "alone.parquet"
    assert cli("score", few, "-o", alone, *DEMO).exit_code == 0
    command = ("score", few, "-o", target, *DEMO)
    with Forked(tmp_path / "said", *command, code=WAITING) as run:
        while run.poll() is None and not any("/0000" in name for name in bucket.names()):
            time.sleep(0.2)
        assert run.poll() is None, run.said
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
    kept = bucket.names()
    assert "run/s.parquet.parts/run.json" in kept and "run/s.parquet" not in kept
    held = cli(*command)
    assert held.exit_code == 75 and f"process {run.pid} on " in held.stderr
    monkeypatch.setattr(hold, "GONE", 0.0)
    again = cli(*command)
    assert again.exit_code == 0
    assert f"64 of 100 rows are saved in {bucket.address}/run/s.parquet.parts" in again.stderr
    assert f"emobatch apply {target}" in again.stderr
    assert bucket.names() == ["run/s.parquet"]
    made = bucket.copy(tmp_path / "copy") / "run" / "s.parquet"
    assert pl.read_parquet(made).equals(pl.read_parquet(alone))
    assert pl.read_parquet_metadata(made)["emobatch"] == pl.read_parquet_metadata(alone)["emobatch"]


def test_an_interrupted_run_lets_go_and_a_whole_table_is_left_alone(
    cli: Cli, few: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    target = f"{bucket.address}/s.csv"
    add = Parts.add

    def add_and_stop(self: Parts, first: int, frame: pl.DataFrame) -> None:
        add(self, first, frame)
        raise KeyboardInterrupt("interrupted by SIGTERM")

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "add", add_and_stop)
        stopped = cli("score", few, "-o", target, *DEMO)
    assert stopped.exit_code == 75
    assert f"64 of 100 rows are saved in {bucket.address}/s.csv.parts, the same" in stopped.stderr
    names = ["000000000000-000000000064.parquet", "run.json"]
    assert bucket.names() == [f"s.csv.parts/{name}" for name in names]
    assert cli("score", few, "-o", target, *DEMO).exit_code == 0
    assert bucket.names() == ["s.csv", "s.csv.meta.json"]
    before = bucket.read("s.csv")
    assert f"{target} is whole, nothing to do" in cli("score", few, "-o", target, *DEMO).stderr
    assert bucket.read("s.csv") == before and bucket.names() == ["s.csv", "s.csv.meta.json"]
    other = refusal(cli("score", few, "-o", target, *DEMO, "--beam-size=2"))
    assert f"{target}: " in other and "--beam-size (was " in other
    assert not [*tmp_path.glob("emobatch-*")]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("s3://nowhere/s.csv", "s3://nowhere/s.csv: "),
        ("https://host/s.csv", "nothing is stored at https://; s3:// and gs:// are written to"),
        ("s3://results/s.txt", "can't write that format"),
    ],
)
def test_what_cant_be_stored_is_said_before_anything_is_scored(
    cli: Cli, few: Path, bucket: Bucket, target: str, said: str
) -> None:
    assert said in refusal(cli("score", few, "-o", target, *DEMO))


def test_a_table_that_cant_be_stored_is_kept_here(
    cli: Cli, few: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Objects, name: str, source: Path) -> None:
        raise StorageError("can't be stored: its server answers 507")

    monkeypatch.setattr(Objects, "put", refuse)
    message = refusal(cli("score", few, "-o", f"{bucket.address}/s.csv", *DEMO))
    found = re.search(r"answers 507; the table is kept in (\S+)", message)
    assert found is not None and len(pl.read_csv(found[1])) == 100
    shutil.rmtree(Path(found[1]).parent)


def test_a_run_that_was_taken_for_gone_stops_and_stores_nothing(
    cli: Cli, few: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Parts.add

    def add_and_lose(self: Parts, first: int, frame: pl.DataFrame) -> None:
        bucket.write("s.csv.parts/lock", b"another's")
        add(self, first, frame)

    monkeypatch.setattr(Parts, "add", add_and_lose)
    result = cli("score", few, "-o", f"{bucket.address}/s.csv", *DEMO)
    assert result.exit_code == 75 and "another run took this one for gone" in result.stderr
    assert bucket.names() == ["s.csv.parts/lock"]
