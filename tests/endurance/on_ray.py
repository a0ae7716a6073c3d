"""What a Ray cluster may do to `score --engine ray`: `python tests/endurance/on_ray.py`.

A cluster of two nodes is started on this machine. In turn a worker, the command and a node are
ended in the middle of a run, a row ends each worker that scores it, and the disk is full. Each
table has to equal that of plain `score`, in every bit.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import polars as pl
import ray
from ray.cluster_utils import Cluster
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from deadly import DEADLY
from full_disk import disk
from kills import make_manifest
from sounds import save, tone

HERE = Path(__file__).parent
OPTIONS = ["--models=demo", "--device=cpu", "--max-error-rate=1"]
# As a plug-in would: the command knows a scorer that ends its process.
WITH_DEADLY = "import deadly; from emobatch.cli import run; run()"


class Runs:
    """Starts the command and waits for it."""

    def __init__(self, folder: Path, manifest: Path, address: str) -> None:
        self.folder, self.manifest, self.address = folder, manifest, address
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def start(
        self,
        target: Path,
        engine: str = "ray",
        manifest: Path | None = None,
        *,
        deadly: bool = False,
    ) -> subprocess.Popen[str]:
        how = ["-c", WITH_DEADLY] if deadly else ["-m", "emobatch"]
        command = [sys.executable, *how, "score", str(manifest or self.manifest)]
        command += ["-o", str(target), *OPTIONS, "--engine", engine]
        if engine == "ray":
            command += ["--address", self.address, "--workers", "2"]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=self.environment)

    def whole(self, target: Path, engine: str = "ray", **how: Any) -> tuple[int, str]:
        run = self.start(target, engine, **how)
        _, said = run.communicate(timeout=1200)
        return run.returncode, (said.strip().splitlines() or [""])[-1]

    def struck(self, target: Path, strike: Callable[[subprocess.Popen[str]], None]) -> int:
        """Strike once the first chunk is saved; the status that the command ends with."""
        run = self.start(target)
        parts = target.with_name(target.name + ".parts")
        while run.poll() is None and not list(parts.glob("0*.parquet")):
            time.sleep(0.05)
        if run.poll() is not None:
            raise SystemExit(f"it was done before it could be struck: {run.communicate()[1]}")
        strike(run)
        run.communicate(timeout=1200)
        return run.returncode


def kill_a_worker(run: subprocess.Popen[str]) -> None:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cmdline").read_bytes().startswith(b"ray::RayWorker"):
                os.kill(int(folder.name), signal.SIGKILL)
                return


def different(one: Path, other: Path, without: str = "") -> int:
    """Cells that differ, but for those of one row."""
    first, second = (
        pl.read_parquet(file).filter(pl.col("path") != without) for file in (one, other)
    )
    if first.columns != second.columns or len(first) != len(second):
        raise SystemExit(f"{one} and {other} have other rows or columns")
    return sum(int(first[name].ne_missing(second[name]).sum()) for name in first.columns)


def make_deadly(folder: Path) -> tuple[Path, Path]:
    """A manifest with a row that nobody survives, and one where its file is broken instead."""
    save(folder / "deadly.wav", tone(DEADLY / 16_000))
    rows = pl.DataFrame({"path": [f"{number % 9}.wav" for number in range(100)]})
    rows = rows.with_row_index("id").with_columns(pl.col("id").cast(pl.String))
    fails = []
    for name in ("deadly.wav", "broken.wav"):
        fails.append(folder / f"with-{name}.csv")
        here = pl.when(pl.col("id") == "37").then(pl.lit(name)).otherwise("path").alias("path")
        rows.with_columns(here).write_csv(fails[-1])
    return fails[0], fails[1]


@click.command()
@click.option("--rows", default=1_000, show_default=True)
def main(rows: int) -> None:
    """Print what was done, how the command ended, and how many cells differ."""
    shown, bad = Table("what", "status", "cells that differ", "seconds"), 0
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = make_manifest(folder, rows)
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        node = cluster.add_node(num_cpus=1)
        runs = Runs(folder, manifest, cluster.address)
        local = folder / "local.parquet"
        runs.whole(local, "local")

        def note(what: str, status: object, cells: int, began: float) -> None:
            nonlocal bad
            bad += cells
            shown.add_row(what, str(status), str(cells), f"{time.monotonic() - began:.0f}")
            click.echo(f"{what}: {status}, {cells} cells differ")

        def after(what: str, strike: Callable[[Any], None], then: str | None = None) -> None:
            target, began = folder / f"{what}.parquet", time.monotonic()
            status = [runs.struck(target, strike)]
            if then is not None:
                status.append(runs.whole(target, then)[0])
            note(what, status, different(local, target), began)

        def remove_a_node(run: object) -> None:
            cluster.remove_node(node, allow_graceful=False)
            cluster.add_node(num_cpus=1)

        try:
            began = time.monotonic()
            note("undisturbed", runs.whole(folder / "u.parquet")[0],
                 different(local, folder / "u.parquet"), began)  # fmt: skip
            after("a worker killed", kill_a_worker)
            after("the command killed, then Ray", lambda run: run.kill(), "ray")
            after("the command killed, then local", lambda run: run.kill(), "local")
            after("SIGTERM, then Ray", lambda run: run.terminate(), "ray")
            after("a node removed", remove_a_node)
            began = time.monotonic()
            deadly, broken = make_deadly(folder)
            wanted, found = folder / "broken.parquet", folder / "deadly.parquet"
            runs.whole(wanted, "local", manifest=broken, deadly=True)
            status, said = runs.whole(found, manifest=deadly, deadly=True)
            row = pl.read_parquet(found).filter(path="deadly.wav")
            fine = pl.read_parquet(wanted).filter(pl.col("path") != "broken.wav")
            fine.write_parquet(wanted)
            note(f"a deadly row: {row['error'].item()}", status,
                 different(wanted, found, "deadly.wav"), began)  # fmt: skip
            began = time.monotonic()
            if os.geteuid() == 0:
                with disk(folder / "small", kilobytes=120) as small:
                    target = small / "s.parquet"
                    full, said = runs.whole(target)
                    subprocess.run(["mount", "-o", "remount,size=100m", small], check=True)
                    again = runs.whole(target)[0]
                    note(f"a full disk: {said}", [full, again], different(local, target), began)
        finally:
            ray.shutdown()
            cluster.shutdown()
    Console(width=110).print(shown)
    if bad:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
