"""Presses Ctrl-C in a terminal at every command: `python tests/endurance/terminal.py`.

Each command runs in a pseudo-terminal and is interrupted at several instants, evenly from its start
to its end: once, twice, and with SIGTERM right after. It has to say so in one line, to end with
status 75, and to leave the terminal as it was.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections import Counter
from pathlib import Path

import click
import polars as pl
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from signals import DATA, NOISE, heeds, make_manifest

CTRL_C = b"\x03"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
READING = b"note: reading CSV from standard input; Ctrl-D ends it"
LONGEST_WAIT = 300
KINDS = ("once", "twice", "with SIGTERM")
# Those with `-` or without a table wait for what is typed.
COMMANDS = {
    "score -": "score - --models demo",
    "calibrate -": "calibrate -",
    "apply -": "apply - -t {0}/t.toml",
    "evaluate -": "evaluate",
    "report -": "report -o {0}/x.html",
    "crossval -": "crossval",
    "folds -": "folds - --scheme session",
    "leakage -": "leakage -",
    "score": "score {0}/manifest.csv --models demo -o {0}/x.parquet --restart",
    "merge": "merge {0}/a.csv {0}/b.csv",
    "verify": "verify {0}/s.parquet --sample 400",
    "models": "models --models demo",
    "doctor": "doctor --models demo",
    "folds": "folds {0}/scores.csv --scheme session",
    "leakage": "leakage {0}/split.csv",
    "demo": "demo {0}/demo",
    "crossval": "crossval {0}/scores.csv --label-column truth --by speaker",
    "report": "report {0}/final.csv --label-column truth -o {0}/x.html",
}


class Session:
    """A command in a terminal of its own.

    Attributes:
        status: that it ended with, None before.
        said: all that the terminal was sent.
    """

    def __init__(self, arguments: str, folder: Path) -> None:
        self.status: int | None = None
        self.said = b""
        self.process, self.terminal = pty.fork()
        if not self.process:
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, "-m", "emobatch", *arguments.split()])
        self.before = termios.tcgetattr(self.terminal)

    def watch(self, seconds: float) -> None:
        """Read what it says for some time, or until it has ended."""
        until = time.monotonic() + seconds
        while self.status is None and (left := until - time.monotonic()) > 0:
            if select.select([self.terminal], [], [], min(left, 0.02))[0]:
                self._read()
            done, status = os.waitpid(self.process, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(status)
                while select.select([self.terminal], [], [], 0)[0] and self._read():
                    pass

    def _read(self) -> bool:
        try:
            said = os.read(self.terminal, 1 << 16)
        except OSError:
            time.sleep(0.01)  # the other end is closed
            return False
        self.said += said
        return bool(said)

    def strike(self, kind: str) -> bool:
        """Interrupt it; gives whether it heeded signals by then."""
        try:
            ready = heeds(self.process)
            os.write(self.terminal, CTRL_C)
            if kind == "twice":
                self.watch(0.03)
                os.write(self.terminal, CTRL_C)
            elif kind == "with SIGTERM" and self.status is None:
                os.kill(self.process, signal.SIGTERM)
        except OSError:
            return False
        return ready

    def complaint(self, ready: bool) -> str:
        """What is wrong with how it ended, empty if nothing is."""
        if self.status is None:
            return "still there"
        if termios.tcgetattr(self.terminal) != self.before:
            return "the terminal is another"
        if self.said.rfind(HIDDEN) > self.said.rfind(SHOWN):
            return "no cursor"
        if not ready:
            return ""
        if NOISE.search(self.said.decode()):
            return "noise"
        interrupted = self.said.count(b"Error: interrupted by SIG")
        if self.status == 75 and (interrupted != 1 or not self.said.endswith(b"\n")):
            return f"{interrupted} lines"
        return "" if self.status in (0, 75) else f"status {self.status}"

    def close(self) -> None:
        """Let the terminal go, and what is still in it."""
        if self.status is None:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.terminal)


def prepare(folder: Path) -> None:
    """Make the tables that the commands read."""
    emobatch = [sys.executable, "-m", "emobatch"]
    table = pl.read_parquet(DATA / "demo_scores.parquet")
    scores = str(folder / "scores.csv")
    sessions = 1 + pl.int_range(pl.len()) % 5
    table.with_columns(session=sessions, gender=pl.lit("F")).write_csv(scores)
    manifest = make_manifest(folder, 400)
    score = ["score", str(manifest), "--models", "demo", "--max-error-rate", "0.5", "-o"]
    target = str(folder / "t.toml")
    for arguments in (
        ["folds", scores, "--scheme", "session", "-o", str(folder / "split.csv")],
        ["calibrate", scores, "--label-column", "truth", "-o", target],
        ["apply", scores, "-t", target, "-o", str(folder / "final.csv")],
        [*score, str(folder / "s.parquet")],
        [*score, str(folder / "a.csv"), "--shard", "0/2"],
        [*score, str(folder / "b.csv"), "--shard", "1/2"],
    ):
        subprocess.run([*emobatch, *arguments], check=True, stderr=subprocess.DEVNULL)


def measure(arguments: str, folder: Path) -> float:
    """Seconds that a command takes, or that it takes to begin to read."""
    session, began = Session(arguments, folder), time.monotonic()
    while session.status is None and READING not in session.said:
        session.watch(0.05)
        if time.monotonic() - began > LONGEST_WAIT:
            raise SystemExit(f"{arguments}: doesn't end, and doesn't say that it reads")
    if session.status not in (None, 0):
        raise SystemExit(f"{arguments}: status {session.status}\n{session.said.decode()}")
    seconds = time.monotonic() - began
    session.close()
    return seconds


@click.command()
@click.option("--only", type=click.Choice([*COMMANDS]), multiple=True, default=[*COMMANDS])
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, default=KINDS)
@click.option("--instants", default=10, show_default=True)
def main(only: tuple[str, ...], kinds: tuple[str, ...], instants: int) -> None:
    """Print how many of each command's runs ended well, and with which status."""
    bad = 0
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        prepare(folder)
        for name in tqdm(only):
            arguments = COMMANDS[name].format(folder)
            seconds = measure(arguments, folder)
            ends: Counter[str] = Counter()
            for kind in kinds:
                for place in range(instants):
                    session = Session(arguments, folder)
                    session.watch((place + 0.5) / instants * seconds * 1.2)
                    ready = session.strike(kind)
                    session.watch(LONGEST_WAIT)
                    what = session.complaint(ready)
                    ends["as Python starts, or gone" if not ready else str(session.status)] += 1
                    if what:
                        bad += 1
                        click.echo(f"{name} {kind} {place}: {what}\n{session.said.decode()}")
                    session.close()
            click.echo(f"{name} ({seconds:.1f} s): {dict(ends)}")
    click.echo(f"{bad} ended badly")
    if bad:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
