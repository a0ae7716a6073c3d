"""Processes of our own: they heed only whoever started them, and end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from emobatch import processes
from emobatch.processes import Child, free_memory

# Starts one that never ends by itself, says which, and waits.
PARENT = """
import sys
from emobatch.processes import Child
child = Child.start("test_processes:hang")
child.line.recv()
print(child.process.pid, flush=True)
sys.stdin.read()
"""


def echo(line: Connection) -> None:
    while True:
        line.send((line.recv(), os.environ.get("SAID"), os.getpgrp() == os.getpid()))


def hang(line: Connection) -> None:
    line.send("ready")
    while True:
        time.sleep(600)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(process: int) -> None:
    until = time.monotonic() + 60
    while is_running(process):
        assert time.monotonic() < until, "it is still there"
        time.sleep(0.01)


def test_it_answers_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    child = Child.start("test_processes:echo", {"SAID": "yes"})
    child.line.send([1, 2])
    # Of a group of its own: a terminal's Ctrl-C isn't for it.
    assert child.line.recv() == ([1, 2], "yes", True)
    # What a scheduler sends to all processes of a job is for the first of them to heed.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        child.process.send_signal(number)
    child.line.send(3)
    assert child.line.recv()[0] == 3
    assert child.end() == "SIGKILL"
    assert capfd.readouterr() == ("", "")


def test_it_ends_when_nobody_has_its_line() -> None:
    child = Child.start("test_processes:hang")
    assert child.line.recv() == "ready"
    child.line.close()
    assert child.process.wait(60) is not None


def test_it_ends_with_whoever_started_it_however_that_ends() -> None:
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path}, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_running(child)
    parent.kill()
    parent.communicate()
    wait_for_end(child)


def test_a_module_in_the_working_folder_is_none_of_its(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "socket.py").write_text("raise SystemExit('taken from the working folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder])
    child = Child.start("test_processes:echo")
    child.line.send("here")
    assert child.line.recv()[0] == "here"
    child.end()


def test_memory_is_what_the_job_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = free_memory()
    assert whole is None or whole > 1 << 20
    limit, used, missing = (tmp_path / name for name in ("max", "current", "no"))
    used.write_text("1000000\n")
    for said, expected in (("1500000", 500_000), ("900000", 0), ("max", whole)):
        limit.write_text(said + "\n")
        files = ((str(limit), str(used)), (str(missing), str(used)))
        monkeypatch.setattr(processes, "CGROUPS", files)
        found = free_memory()
        if said == "max":
            assert (found is None) == (expected is None)
        elif whole is not None:
            assert found == expected
