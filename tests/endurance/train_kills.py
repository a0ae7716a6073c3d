"""Kills a running `train` again and again: `python tests/endurance/train_kills.py`.

A checkpoint is trained undisturbed, then with kills and signals at random instants, each followed
by the same command. The weights have to be the same, bit by bit.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[1]))

from trainings import corpus, save_base

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1)


def start(folder: Path, name: str, epochs: int) -> subprocess.Popen[bytes]:
    """Start the command."""
    command = [sys.executable, "-m", "emobatch", "-q", "train", "speech", "manifest.csv"]
    command += ["--base", "base", "-o", name, "--device", "cpu", "--epochs", str(epochs)]
    return subprocess.Popen([*command, "--batch-seconds", "2"], cwd=folder)


@click.command()
@click.option("--kills", default=10, show_default=True)
@click.option("--epochs", default=40, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, epochs: int, seed: int) -> None:
    """Train twice, once disturbed, and compare the weights."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus(folder)
        save_base(folder / "base")
        with start(folder, "whole", epochs) as run:
            if run.wait():
                raise SystemExit(f"ended with {run.returncode}")
        struck = []
        while not (folder / "killed" / "config.json").exists():
            with start(folder, "killed", epochs) as run:
                begun = folder / "killed.parts" / "run.json"
                after = generator.uniform(0.5, 8) if len(struck) < kills else None
                while after is not None and not begun.exists() and run.poll() is None:
                    run_waits(run, 0.1)
                if after is None or run_waits(run, after):
                    if run.wait():
                        raise SystemExit(f"ended with {run.returncode}")
                    continue
                struck.append(generator.choice(SIGNALS))
                run.send_signal(struck[-1])
                if run.wait() not in (75, -struck[-1], 0):
                    raise SystemExit(f"{struck[-1].name}: ended with {run.returncode}")
        one, other = (
            load_file(folder / each / "model.safetensors") for each in ("whole", "killed")
        )
        differing = [key for key in one if not torch.equal(one[key], other[key])]
        if differing:
            raise SystemExit(f"{len(differing)} tensors differ, as {differing[0]}")
        click.echo(f"struck {len(struck)} times; {len(one)} tensors are the same")


def run_waits(run: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the command; whether it has ended."""
    try:
        run.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


if __name__ == "__main__":
    main()
