"""Kills a running `score` again and again: `python tests/endurance/kills.py`.

A manifest is scored undisturbed, then once for each kill and each SIGTERM: started, struck at a
random instant, started again, until it is done. Every table has to equal the undisturbed one, byte
for byte in every value.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import polars as pl
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from sounds import save, tone

LONGEST_WAIT = 600


def make_manifest(folder: Path, rows: int) -> Path:
    """Clips of 20 lengths, some with a transcript, some broken."""
    for number in range(20):
        save(folder / f"{number}.wav", tone(0.3 + number / 10, hertz=150 + 20 * number))
    (folder / "broken.wav").write_text("no sound")
    names = [f"{n % 20}.wav" if n % 17 else "broken.wav" for n in range(rows)]
    table = pl.DataFrame({"path": names, "id": [str(number) for number in range(rows)]})
    said = pl.when(pl.int_range(rows) % 3 == 0).then(pl.lit("what a wonderful surprise"))
    table.with_columns(transcript=said).write_csv(folder / "manifest.csv")
    return folder / "manifest.csv"


def strike(command: list[str], number: signal.Signals, after: float) -> bool:
    """Start, strike once, and start again till it is done; whether it was struck at all."""
    struck = False
    while True:
        with subprocess.Popen(command, stderr=subprocess.PIPE) as run:
            try:
                status = run.wait(timeout=LONGEST_WAIT if struck else after)
            except subprocess.TimeoutExpired:
                run.send_signal(number)
                struck = True
                status = run.wait(timeout=60)
        if status == 0:
            return struck
        if status not in (75, -number):
            raise SystemExit(f"ended with {status} after {after:.2f} s")


@click.command()
@click.option("--kills", default=100, show_default=True)
@click.option("--terms", default=30, show_default=True)
@click.option("--rows", default=1000, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, terms: int, rows: int, seed: int) -> None:
    """Print how many of the tables equal the undisturbed one."""
    random.seed(seed)
    signals = [signal.SIGKILL] * kills + [signal.SIGTERM] * terms
    equal = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make_manifest(folder, rows)
        options = ["--models", "demo", "--max-error-rate", "0.5"]

        def command(target: Path) -> list[str]:
            score = [sys.executable, "-m", "emobatch", "score", str(manifest), *options]
            return [*score, "-o", str(target)]

        began = time.monotonic()
        whole = folder / "whole.parquet"
        subprocess.run(command(whole), check=True)
        undisturbed = time.monotonic() - began
        wanted = pl.read_parquet(whole)
        for place, number in enumerate(tqdm(signals)):
            target = folder / f"{place}.parquet"
            while not strike(command(target), number, random.uniform(0, undisturbed)):
                target.unlink()  # it was done before it could be struck
            found = pl.read_parquet(target)
            # As bytes, so that a difference in the last bit counts.
            equal += found.write_ipc(None).getvalue() == wanted.write_ipc(None).getvalue()
            left = [file.name for file in folder.glob(f"*{place}.parquet?*")]
            if left:
                raise SystemExit(f"left behind: {left}")
            target.unlink()
    click.echo(f"{equal} of {len(signals)} tables equal the undisturbed one")
    if equal < len(signals):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
