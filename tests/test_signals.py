"""Signals end a command with one line and status 75, at whatever moment they come."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = [sys.executable, "-m", "emobatch"]
THRESHOLDS = Path(__file__).parents[1] / "thresholds" / "iemocap" / "fold_03.toml"
READERS = {
    "calibrate": "calibrate",
    "apply": f"apply - -t {THRESHOLDS}",
    "evaluate": "evaluate",
    "crossval": "crossval",
    "report": "report -o r.html",
    "score": "score - --models demo",
    "folds": "folds - --scheme session",
    "leakage": "leakage -",
}
LONGEST_WAIT = 60
GRACE = "import emobatch.cli.signals; emobatch.cli.signals.GRACE"
HIDE_CURSOR, SHOW_CURSOR = b"\x1b[?25l", b"\x1b[?25h"


def run_beside(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command with the modules of a folder before all others."""
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
    return subprocess.run(
        [*PROGRAM, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT,
        **options,
    )


def kills(*names: str) -> str:
    """Code that sends its own process signals, the second before the first can be handled."""
    # Blocked, so that all are pending when they are let through.
    return (
        "import os, signal\n"
        f"numbers = [getattr(signal, name) for name in {names!r}]\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, numbers)\n"
        "for number in numbers: os.kill(os.getpid(), number)\n"
        "signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)\n"
    )


class Typed:
    """A command at a terminal, which is its standard input and error."""

    def __init__(self, command: str, folder: Path) -> None:
        self.said = b""
        self.process, self.terminal = pty.fork()
        if not self.process:  # pragma: no cover - becomes the command
            os.chdir(folder)
            path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
            environment = {**os.environ, "PYTHONPATH": path}
            os.execve(sys.executable, [*PROGRAM, *command.split()], environment)

    def read_to(self, wanted: bytes) -> bool:
        """Read until something is said; whether it is, before the command ends."""
        while wanted not in self.said:
            if not select.select([self.terminal], [], [], LONGEST_WAIT)[0]:
                return False
            try:
                self.said += os.read(self.terminal, 1 << 16)
            except OSError:
                return False  # closed at the other end
        return True

    def end(self) -> int:
        """Read to the end; gives the status."""
        self.read_to(b"nothing that is ever said")
        _, status = os.waitpid(self.process, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize("command", READERS)
def test_ctrl_c_at_a_terminal_that_is_read(command: str, tmp_path: Path) -> None:
    # Else the command would be ended in the end, whatever it does.
    (tmp_path / "sitecustomize.py").write_text(f"{GRACE} = {2 * LONGEST_WAIT}")
    typed = Typed(READERS[command], tmp_path)
    assert typed.read_to(b"note: reading CSV from standard input; Ctrl-D ends it\r\n"), typed.said
    os.write(typed.terminal, b"\x03")
    assert typed.read_to(b"Error: interrupted by SIGINT\r\n"), typed.said
    assert typed.end() == 75
    assert typed.said.endswith(b"Error: interrupted by SIGINT\r\n")
    assert typed.said.count(b"Error") == 1
    assert typed.said.rfind(HIDE_CURSOR) <= typed.said.rfind(SHOW_CURSOR)


def test_a_file_as_standard_input_is_not_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path\nx.wav\n")
    with (tmp_path / "a.csv").open() as table:
        done = run_beside(tmp_path, "leakage", "-", stdin=table)
    assert "Ctrl-D" not in done.stderr


@pytest.mark.parametrize("module", ["click", "polars", "torch"])
@pytest.mark.parametrize("names", [("SIGINT", "SIGTERM"), ("SIGTERM", "SIGTERM"), ("SIGUSR1",)])
def test_signals_during_an_import(module: str, names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text(kills(*names))
    (tmp_path / "a.csv").write_text("path\nx.wav\n")
    done = run_beside(tmp_path, "score", "a.csv", "--models", "demo", "-o", "s.csv")
    assert done.returncode == 75
    *notes, said = done.stderr.splitlines()
    assert said == f"Error: interrupted by {names[0]}"
    assert all(note.startswith("note: ") for note in notes)
    assert {file.name for file in tmp_path.iterdir()} <= {f"{module}.py", "a.csv", "__pycache__"}


def test_what_was_ignored_at_the_start_stays_ignored(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(kills("SIGHUP", "SIGINT"))
    ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    done = run_beside(tmp_path, "models", preexec_fn=ignore)
    assert (done.returncode, done.stderr) == (75, "Error: interrupted by SIGINT\n")


def write_folds(folder: Path, code: str) -> tuple[int, str]:
    """Run a command that writes a file, with code that Python runs as it starts.

    Gives its status, and what it says beside notes.
    """
    (folder / "sitecustomize.py").write_text(f"import os, signal\n{code}")
    rows = "".join(f"{number}.wav,{number % 5}\n" for number in range(10))
    (folder / "a.csv").write_text("path,session\n" + rows)
    done = run_beside(folder, "folds", "a.csv", "--scheme", "session", "-o", "out.csv")
    lines = done.stderr.splitlines(keepends=True)
    return done.returncode, "".join(line for line in lines if not line.startswith("note: "))


def files(folder: Path) -> set[str]:
    ours = {"a.csv", "sitecustomize.py", "__pycache__"}
    return {file.name for file in folder.iterdir()} - ours


BOTH = "for number in (15, 2): os.kill(os.getpid(), number)"
# What a command calls just before its file takes its place.
LAST_WRITE = """
from pathlib import Path
def last_write(self, target, replace=Path.replace):
    {}
    return replace(self, target)
Path.replace = last_write
"""


def last_write(*lines: str) -> str:
    return LAST_WRITE.format("\n    ".join(lines))


def test_the_undisturbed_command_writes_its_file(tmp_path: Path) -> None:
    assert write_folds(tmp_path, last_write("pass")) == (0, "")
    assert "out.csv" in files(tmp_path)


def test_signals_during_the_last_write_leave_nothing(tmp_path: Path) -> None:
    assert write_folds(tmp_path, last_write(BOTH)) == (75, "Error: interrupted by SIGTERM\n")
    assert not files(tmp_path)


AFTER = {
    "click ends": "import sys\ndef end(code):\n    {}\n    raise SystemExit(code)\nsys.exit = end",
    "threads are joined": "import threading\ndef end():\n    {}\nthreading._register_atexit(end)",
    "Python ends": "import atexit\ndef end():\n    {}\natexit.register(end)",
}


@pytest.mark.parametrize("when", AFTER)
def test_signals_after_the_work_make_no_failure_of_it(when: str, tmp_path: Path) -> None:
    assert write_folds(tmp_path, AFTER[when].format(BOTH)) == (0, "")
    assert "out.csv" in files(tmp_path)


@pytest.mark.parametrize("error", ["Signal 15 ignored due to race condition", "disk full"])
def test_a_signal_that_comes_as_signals_are_given_up_is_not_said(
    error: str, tmp_path: Path
) -> None:
    """Python says it where no error can be raised; what else it says there is shown."""
    code = f"""
import atexit
class Closing:
    def __del__(self):
        raise OSError({error!r})
atexit.register(Closing)
"""
    status, said = write_folds(tmp_path, code)
    assert status == 0
    assert (error in said) == (error == "disk full")


def test_a_signal_in_a_destructor_ends_the_command(tmp_path: Path) -> None:
    code = "class Closing:\n    def __del__(self):\n        os.kill(os.getpid(), 10)\n"
    assert write_folds(tmp_path, code + last_write("Closing()")) == (
        75,
        "Error: interrupted by SIGUSR1\n",
    )
    assert "out.csv" not in files(tmp_path)


def test_a_signal_that_a_library_swallows_is_not_lost(tmp_path: Path) -> None:
    swallow = ("try: os.kill(os.getpid(), 15)", "except BaseException: pass")
    assert write_folds(tmp_path, last_write(*swallow)) == (75, "Error: interrupted by SIGTERM\n")


def test_an_error_that_a_library_makes_of_a_signal_is_not_shown(tmp_path: Path) -> None:
    swallow = ("try: os.kill(os.getpid(), 15)", "except BaseException: raise ImportError('torch')")
    assert write_folds(tmp_path, last_write(*swallow)) == (75, "Error: interrupted by SIGTERM\n")


def test_a_command_that_does_not_heed_a_signal_is_ended(tmp_path: Path) -> None:
    code = f"import time\n{GRACE} = 0.1\n"
    stuck = ("while True:", "    try: os.kill(os.getpid(), 15); time.sleep(60)",
             "    except BaseException: pass")  # fmt: skip
    assert write_folds(tmp_path, code + last_write(*stuck)) == (
        75,
        "Error: interrupted by SIGTERM\n",
    )


def test_sigint_breaks_off_a_query_of_polars(tmp_path: Path) -> None:
    """It would take minutes, if Polars' own handler weren't in its place."""
    query = """
    import polars as pl, threading, time
    def strike():
        time.sleep(0.5)
        os.kill(os.getpid(), 2)
    threading.Thread(target=strike).start()
    few, many = pl.LazyFrame({"a": range(3000)}), pl.LazyFrame({"b": range(100_000)})
    pairs = few.join(many, how="cross").join(few, how="cross", suffix="_2")
    pairs.select((pl.col("a") * pl.col("b")).sin().sum()).collect(engine="streaming")
"""
    assert write_folds(tmp_path, last_write(query.strip())) == (
        75,
        "Error: interrupted by SIGINT\n",
    )
    assert not files(tmp_path)
