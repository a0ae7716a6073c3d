"""Strikes commands with pairs of signals: `python tests/endurance/signals.py --command score`.

Each pair is two of SIGINT, SIGTERM, SIGUSR1 and SIGHUP, the second at once or soon after the first,
which comes at any instant from the start of the process to its end. `score` and `features` are
struck on one output until that is done, which then has to equal an undisturbed one in every bit.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO

import click
import polars as pl
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from sounds import save, tone

DATA = Path(__file__).parents[1] / "data"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
LONGEST_WAIT = 300
# What no line on standard error may say.
NOISE = re.compile("Traceback|Exception ignored|panicked|terminate called|Aborted|Fatal")
SAVED = re.compile(r"(\d+) of \d+ rows are saved")
SAVERS = {"score": ["--models", "demo"], "features": ["--set", "handcrafted"]}
READERS = {
    "apply": ["-t", "{folder}/thresholds.toml", "-o", "{folder}/out.parquet"],
    "calibrate": ["--label-column", "truth", "-o", "{folder}/out.toml"],
    "evaluate": ["--label-column", "truth", "-o", "{folder}/out.json"],
    "crossval": ["--label-column", "truth", "--by", "speaker", "-o", "{folder}/out.json"],
    "report": ["--label-column", "truth", "-o", "{folder}/out.html"],
}


def make_manifest(folder: Path, rows: int) -> Path:
    """Short clips, one in eight without a transcript, some broken."""
    for number in range(4):
        save(folder / f"{number}.wav", tone(0.3 + number / 20, hertz=150 + 20 * number))
    (folder / "broken.wav").write_text("no sound")
    names = [f"{n % 4}.wav" if n % 17 else "broken.wav" for n in range(rows)]
    table = pl.DataFrame({"path": names, "id": [str(number) for number in range(rows)]})
    said = pl.when(pl.int_range(rows) % 8 > 0).then(pl.lit("what a wonderful surprise"))
    table.with_columns(transcript=said).write_csv(folder / "manifest.csv")
    return folder / "manifest.csv"


def heeds(process: int) -> bool:
    """Whether the command has begun to heed signals, so that the rest is its to do."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


def phase(process: int, parts: Path) -> str:
    """How far a run is."""
    chunks = len(list(parts.glob("[0-9]*.parquet")))
    try:
        maps = Path(f"/proc/{process}/maps").read_text()
        begun = heeds(process)
    except OSError:
        maps = ""
    if not maps:
        return "4 gone"  # whoever has ended has no memory
    if not begun:
        return "0 Python starts"
    if "polars" not in maps:
        return "0 before Polars"
    if "libtorch_cpu" not in maps:
        return "1 Polars and on"
    return "3 chunks are saved" if chunks else "2 torch and on"


class Strike:
    """A command that is struck twice.

    Attributes:
        phase: how far it was when it was struck.
        status: that it ended with.
        lines: its standard error, without notes.
    """

    def __init__(self, command: list[str], source: IO[bytes] | int, parts: Path, after: float):
        pair = random.choices(SIGNALS, k=2)
        soon = random.choice((0.0, 0.0, 0.001, 0.01, 0.1, 0.5))
        with subprocess.Popen(
            command, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as run:
            time.sleep(after)
            self.phase = phase(run.pid, parts)
            run.send_signal(pair[0])
            time.sleep(soon)
            run.send_signal(pair[1])
            _, said = run.communicate(timeout=LONGEST_WAIT)
        self.status = run.returncode
        self.said = said.decode()
        self.pair = "+".join(number.name for number in pair) + f" {soon}"
        self.lines = [line for line in self.said.splitlines() if not line.startswith("note: ")]

    def complaint(self) -> str:
        """What is wrong with how it ended, empty if nothing is."""
        if self.phase.startswith("0 Python"):
            return ""  # Python's own way to end, counted
        if self.status not in (0, 75):
            return f"status {self.status}"
        if NOISE.search(self.said):
            return "noise"
        interrupted = [line for line in self.lines if line.startswith("Error: interrupted by SIG")]
        if self.status == 75 and (len(interrupted) != 1 or len(self.lines) != 1):
            return f"{len(self.lines)} lines"
        return "lines of a run that is done" if self.status == 0 and interrupted else ""


def rows_saved(parts: Path) -> int:
    """Rows that the next run finds."""
    return sum(pl.read_parquet(file).height for file in parts.glob("[0-9]*.parquet"))


def strike_saver(name: str, folder: Path, pairs: int, rows: int) -> list[Strike]:
    """Strike a command on one output after another; complains of tables that differ."""
    manifest, target = make_manifest(folder, rows), folder / "scores.parquet"
    parts = folder / "scores.parquet.parts"

    def command(output: Path) -> list[str]:
        emobatch = [sys.executable, "-m", "emobatch", name, str(manifest), *SAVERS[name]]
        return [*emobatch, "--max-error-rate", "0.5", "-o", str(output)]

    wanted, seconds = undisturbed(command(folder / "whole.parquet"), None)
    wanted = pl.read_parquet(folder / "whole.parquet").write_ipc(None).getvalue()
    struck = []
    for place in tqdm(range(pairs)):
        left = 1.1 * seconds * random.random()
        strike = Strike(command(target), subprocess.DEVNULL, parts, left)
        struck.append(strike)
        if found := SAVED.search("\n".join(strike.lines)):
            strike.phase += ", says how many rows are saved"
            if int(found[1]) != rows_saved(parts):
                raise SystemExit(f"{rows_saved(parts)} are saved: {strike.said}")
        if place == pairs - 1 and strike.status != 0:
            subprocess.run(command(target), check=True, stderr=subprocess.DEVNULL)
        if strike.status == 0 or place == pairs - 1:
            if pl.read_parquet(target).write_ipc(None).getvalue() != wanted:
                raise SystemExit(f"another table after {strike.said}")
            check_left(folder, {"whole.parquet", "scores.parquet"})
            target.unlink()
    return struck


def strike_reader(name: str, folder: Path, pairs: int) -> list[Strike]:
    """Strike a command that reads standard input: a file, or a pipe that never ends."""
    table = folder / "scores.csv"
    pl.read_parquet(DATA / "demo_scores.parquet").write_csv(table)
    emobatch = [sys.executable, "-m", "emobatch"]
    fit = [*emobatch, "calibrate", str(table), "--label-column", "truth"]
    with (folder / "thresholds.toml").open("wb") as thresholds:
        subprocess.run(fit, check=True, stdout=thresholds, stderr=subprocess.DEVNULL)
    final = folder / "final.csv"
    apply = [*emobatch, "apply", str(table), "-t", str(folder / "thresholds.toml"), "-o"]
    subprocess.run([*apply, str(final)], check=True, stderr=subprocess.DEVNULL)
    source = final if name in ("evaluate", "report") else table
    options = [option.format(folder=folder) for option in READERS[name]]
    command, output = [*emobatch, name, *options], Path(options[-1])
    before = {file.name for file in folder.iterdir()}
    with source.open("rb") as opened:
        _, seconds = undisturbed(command, opened)
    output.unlink()
    struck = []
    for _ in tqdm(range(pairs)):
        if random.random() < 0.3:
            with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE) as silent:  # fmt: skip
                assert silent.stdout is not None
                after = seconds * random.random()
                strike = Strike(command, silent.stdout.fileno(), folder, after)
                strike.phase += ", input without end"
                silent.communicate(b"\n")
        else:
            with source.open("rb") as opened:
                after = 1.1 * seconds * random.random()
                strike = Strike(command, opened.fileno(), folder, after)
        struck.append(strike)
        if strike.status == 0 and not output.exists():
            raise SystemExit("status 0 without an output")
        output.unlink(missing_ok=True)
        Path(f"{output}.meta.json").unlink(missing_ok=True)
        check_left(folder, before)
    return struck


def undisturbed(command: list[str], source: IO[bytes] | None) -> tuple[None, float]:
    """Run a command; gives seconds that it takes."""
    began = time.monotonic()
    subprocess.run(command, check=True, stdin=source, stdout=subprocess.DEVNULL)
    return None, time.monotonic() - began


def check_left(folder: Path, expected: set[str]) -> None:
    """Refuse files that a run has left behind."""
    tables = {file.name for file in folder.iterdir() if file.suffix not in (".wav",)}
    if left := tables - expected - {"manifest.csv"}:
        click.echo(f"left behind: {left}")
        for name in left:
            (folder / name).unlink()


@click.command()
@click.option("--command", "name", type=click.Choice([*SAVERS, *READERS]), default="score")
@click.option("--pairs", default=100, show_default=True)
@click.option("--rows", default=640, show_default=True, help="Of the manifest that is scored.")
@click.option("--seed", default=0, show_default=True)
def main(name: str, pairs: int, rows: int, seed: int) -> None:
    """Print how the runs ended, by how far they were."""
    random.seed(seed)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if name in SAVERS:
            struck = strike_saver(name, folder, pairs, rows)
        else:
            struck = strike_reader(name, folder, pairs)
    ends = Counter((strike.phase, strike.status) for strike in struck)
    for (when, status), number in sorted(ends.items()):
        click.echo(f"{number:4} {name}: {when}: status {status}")
    bad = [strike for strike in struck if strike.complaint()]
    for strike in bad:
        click.echo(f"{strike.complaint()}; {strike.pair}; {strike.phase}:\n{strike.said}")
    click.echo(f"{len(struck) - len(bad)} of {len(struck)} ended well")
    if bad:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
