"""Runs `score` into a full disk: `python tests/endurance/full_disk.py` (root, for its small tmpfs).

The disk fills up in the middle of a run; then it is given space, and the same command again. The
table has to equal that of an undisturbed run. Then the same with a full folder for temporary files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import polars as pl
from kills import make_manifest


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of that size."""
    folder.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def score(manifest: Path, target: Path, **environment: str) -> tuple[int, str]:
    """Exit status and last line on standard error."""
    command = [sys.executable, "-m", "emobatch", "score", str(manifest), "--models", "demo"]
    done = subprocess.run(
        [*command, "-o", str(target)], capture_output=True, text=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.returncode, done.stderr.strip().splitlines()[-1]


@click.command()
@click.option("--rows", default=1_000, show_default=True)
def main(rows: int) -> None:
    """Print what was said, and whether the tables are equal."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make_manifest(folder, rows)
        score(manifest, folder / "whole.parquet")
        wanted = pl.read_parquet(folder / "whole.parquet")
        with disk(folder / "small", kilobytes=120) as small:
            target = small / "scores.parquet"
            status, said = score(manifest, target)
            click.echo(f"full disk: status {status}: {said}")
            saved = len(list((small / "scores.parquet.parts").glob("[0-9]*.parquet")))
            click.echo(f"chunks saved: {saved}; table there: {target.exists()}")
            subprocess.run(["mount", "-o", "remount,size=100m", small], check=True)
            again, said = score(manifest, target)
            equal = again == 0 and pl.read_parquet(target).equals(wanted)
            click.echo(f"with space: status {again}: {said}; equal: {equal}")
        with disk(folder / "temporary", kilobytes=8) as temporary:
            (temporary / "filler").write_bytes(bytes(4096))
            target = folder / "other.parquet"
            full, said = score(manifest, target, TMPDIR=str(temporary))
            click.echo(f"full folder for temporary files: status {full}: {said}")
    if not (equal and saved and status == full == 1):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
