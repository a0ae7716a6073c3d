"""Strikes a running `train` again and again: `python tests/endurance/train_kills.py`.

A checkpoint is trained undisturbed, then by runs that are struck within an epoch, each followed by
the same command. What is awaited before a strike is what the run itself saves, so that each run
comes some way before its own: a number of checkpoints drawn at random, and then, for every other
strike, the next one as it is being written. Some strikes are SIGKILL, some SIGTERM. The weights
have to be the same bit by bit, and so the figures of each epoch.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from trainings import corpus, save_base

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
INTERRUPTED = 75
# Seconds of a step or so, at a random part of which a run is struck.
STEP = 0.15
WHILE_SAVING, BETWEEN = "while it saved", "between two saves"


@dataclass(frozen=True)
class Training:
    """The command that is struck.

    Attributes:
        folder: with the manifest and the base.
        epochs: passes over the rows.
        save_every: seconds.
    """

    folder: Path
    epochs: int
    save_every: float

    @contextmanager
    def started(self, name: str) -> Iterator[subprocess.Popen[str]]:
        """Start it, and kill it should this script fail."""
        command = [sys.executable, "-m", "emobatch", "-q", "train", "speech", "manifest.csv"]
        command += ["--base", "base", "-o", name, "--device", "cpu", "--epochs", str(self.epochs)]
        command += ["--batch-seconds", "1", "--learning-rate", "0.003"]
        command += ["--save-every", str(self.save_every)]
        with subprocess.Popen(
            command, cwd=self.folder, stderr=subprocess.PIPE, text=True
        ) as running:
            try:
                yield running
            finally:
                running.kill()

    def whole(self, name: str) -> tuple[bytes, pl.DataFrame]:
        """Weights, and figures of each epoch but for how long it took."""
        folder = self.folder / name
        history = pl.read_csv(folder / "history.csv").drop("seconds")
        return (folder / "model.safetensors").read_bytes(), history


def saved(parts: Path, *, whole: bool) -> set[int]:
    """Steps after which a checkpoint was saved, or was begun to be."""
    folders = {int(each.name.partition("-")[2]): each for each in parts.glob("checkpoint-*")}
    return {step for step, each in folders.items() if (each / "progress.json").exists() == whole}


def awaited(running: subprocess.Popen[str], happened: Callable[[], bool]) -> bool:
    """Wait until something happened; False where the run ended before."""
    while running.poll() is None:
        if happened():
            return True
        time.sleep(0.001)
    return False


def strike(training: Training, number: int, generator: random.Random) -> str | None:
    """Run the command and strike it; says when and how, None where it was done before."""
    parts = training.folder / "struck.parts"
    seen = saved(parts, whole=True)
    before = max(seen, default=0)
    left, last = generator.randint(1, 4), before

    def came_far_enough() -> bool:
        nonlocal left, last
        newest = max(saved(parts, whole=True), default=0)
        left -= newest > last
        last = max(last, newest)
        return left <= 0

    with training.started("struck") as running:
        is_struck = awaited(running, came_far_enough)
        if is_struck and number % 2:
            is_struck = awaited(running, lambda: bool(saved(parts, whole=False)))
        else:
            time.sleep(generator.uniform(0, STEP))
        number_of_signal = SIGNALS[number // 2 % 2]
        running.send_signal(number_of_signal)
        _, said = running.communicate()
    if running.returncode == 0:
        return None
    expected = INTERRUPTED if number_of_signal == signal.SIGTERM else -signal.SIGKILL
    if not is_struck or running.returncode != expected:
        raise SystemExit(f"ended with {running.returncode}: {said}")
    found = saved(parts, whole=True)
    if not found or max(found) <= before:
        raise SystemExit("came no further than the run before")
    when = WHILE_SAVING if saved(parts, whole=False) else BETWEEN
    if number_of_signal == signal.SIGTERM:
        when = "and saved once more"
    return f"{number_of_signal.name} {when}; steps {before} to {max(found)} are saved"


@click.command()
@click.option("--strikes", default=10, show_default=True)
@click.option("--epochs", default=4, show_default=True)
@click.option("--rows", default=96, show_default=True, help="To train on; one or two to a step.")
@click.option("--save-every", default=0.2, show_default=True, help="Seconds.")
@click.option("--seed", default=0, show_default=True)
def main(strikes: int, epochs: int, rows: int, save_every: float, seed: int) -> None:
    """Train twice, once disturbed, and compare what comes out."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        training = Training(Path(name), epochs, save_every)
        corpus(training.folder, rows, 16)
        save_base(training.folder / "base")
        for number in range(strikes):
            said = strike(training, number, generator)
            if said is None:
                raise SystemExit(f"was done after {number} strikes; give it more --epochs")
            click.echo(f"{number + 1}: {said}")
        for name in ("struck", "whole"):
            with training.started(name) as running:
                _, said = running.communicate()
            if running.returncode:
                raise SystemExit(f"ended with {running.returncode}: {said}")
        (one, history), (other, figures) = training.whole("struck"), training.whole("whole")
        if one != other or not history.equals(figures):
            raise SystemExit(f"other weights or figures:\n{history}\n{figures}")
        if list(training.folder.glob("*.parts")):
            raise SystemExit("left saved work behind")
        click.echo(f"struck {strikes} times; weights and figures are those of an undisturbed run")
        click.echo(str(figures))


if __name__ == "__main__":
    main()
