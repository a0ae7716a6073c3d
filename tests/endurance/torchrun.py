"""Trains in two processes on the CPU: `python tests/endurance/torchrun.py`.

Each notes which rows it is given in which epoch. No row may be given twice in an epoch, and none
left out; both processes must end with one checkpoint. With `--term`, the first attempt is
interrupted by SIGTERM, and the same command goes on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from trainings import corpus, fit, save_base

ROWS, EPOCHS = 24, 3


def work(folder: Path) -> None:
    """Train, as one of the processes."""
    from emobatch.training.batches import Examples

    read = Examples.__getitem__
    rank = os.environ["RANK"]

    def noted(self: Examples, place: int) -> object:
        rows, examples = read(self, place)
        with (folder / f"seen.{rank}").open("a") as file:
            file.write(json.dumps([self._epoch, rows.tolist()]) + "\n")
        return rows, examples

    Examples.__getitem__ = noted  # type: ignore[method-assign, assignment]
    stop = time.monotonic() + float(os.environ.get("STOP_AFTER", "inf"))

    def asked() -> str | None:
        return "interrupted by the test" if time.monotonic() > stop and rank == "1" else None

    fit(
        folder / "manifest.csv",
        folder / "out",
        folder / "base",
        epochs=EPOCHS,
        batch=2.0,
        stop=asked,
    )


def start(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start torchrun, which starts two of this."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", "29577", __file__, "--worker", str(folder)]
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1", **environment})


@click.command()
@click.option("--worker", type=click.Path(path_type=Path), hidden=True)
@click.option("--term", is_flag=True, help="Interrupt the first attempt.")
def main(worker: Path | None, term: bool) -> None:
    """Train in two processes, and look at what each was given."""
    if worker is not None:
        work(worker)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus(folder, ROWS, 8)
        save_base(folder / "base")
        if term:
            with start(folder, {"STOP_AFTER": "0"}) as run:
                run.wait()
            if not list(folder.glob("out.parts/checkpoint-*/progress.json")):
                raise SystemExit("was interrupted, and saved nothing")
            for file in folder.glob("seen.*"):
                file.unlink()
        with start(folder, {}) as run:
            if run.wait():
                raise SystemExit(f"ended with {run.returncode}")
        seen: Counter[tuple[int, int]] = Counter()
        for file in folder.glob("seen.*"):
            for line in file.read_text().splitlines():
                epoch, rows = json.loads(line)
                seen.update((epoch, row) for row in rows)
        twice = [key for key, times in seen.items() if times > 1]
        wanted = ROWS * EPOCHS
        if twice or (len(seen) != wanted and not term) or not (folder / "out/config.json").exists():
            raise SystemExit(f"twice: {twice}; {len(seen)} of {wanted} were given")
        click.echo(f"{len(seen)} rows in {EPOCHS} epochs, none twice; one checkpoint")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
