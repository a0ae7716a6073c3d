"""Watches a long `score`: `python tests/endurance/soak.py --rows 200000`.

The demo's models score rows of speech, sound and broken files. After the first tenth of the rows,
the process may not hold more memory than it did then, but for 5 %.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import polars as pl
from kills import make_manifest

MOST_GROWTH = 1.05


def resident(process: int) -> float:
    """MiB that a process holds."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def watch(run: subprocess.Popen[bytes], parts: Path) -> list[tuple[int, float]]:
    """Chunks saved and MiB held, every other second."""
    seen = []
    while run.poll() is None:
        seen.append((len(list(parts.glob("[0-9]*.parquet"))), resident(run.pid)))
        time.sleep(2)
    return seen


@click.command()
@click.option("--rows", default=20_000, show_default=True)
def main(rows: int) -> None:
    """Print memory after the first tenth, and the most after it."""
    with tempfile.TemporaryDirectory() as name:
        manifest, target = make_manifest(Path(name), rows), Path(name) / "scores.parquet"
        command = [sys.executable, "-m", "emobatch", "score", str(manifest), "--models", "demo"]
        began = time.monotonic()
        with subprocess.Popen([*command, "-o", str(target)]) as run:
            seen = watch(run, target.with_name("scores.parquet.parts"))
        if run.returncode:
            raise SystemExit(run.returncode)
        seconds = time.monotonic() - began
        status = pl.read_parquet(target, columns=["status"])["status"]
    chunks = max(count for count, _ in seen)
    # The last samples are of the table being put together.
    tenth = max(held for count, held in seen if count <= chunks / 10)
    later = [held for count, held in seen if count > chunks / 10]
    click.echo(f"{len(status)} rows, {(status == 'error').sum()} failed, {seconds:.0f} s")
    for share in range(2, 11):
        upto = [held for count, held in seen if count <= chunks * share / 10]
        click.echo(f"{share * 10:3} %: {upto[-1]:.0f} MiB")
    growth = max(later) / tenth
    click.echo(
        f"after the first tenth: {tenth:.0f} MiB; most later: {max(later):.0f} MiB, {growth:.3f} x"
    )
    if growth > MOST_GROWTH:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
