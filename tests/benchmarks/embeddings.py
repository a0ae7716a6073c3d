"""What embeddings cost in memory: `python tests/benchmarks/embeddings.py --rows 1000000`.

Two shards of rows with an array each, made up, are saved chunk by chunk, made into tables, and
merged, in a process of its own for a short and for a long run. Shown is the most memory that it
held beyond what it began with; no model is loaded. A million rows of 768 numbers take 3 GiB of
disk three times over: `--folder` says where.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import polars as pl
from memory import held
from rich.console import Console
from rich.table import Table

SHARDS = 2
SPEECH = ("speech_angry", "speech_happy", "speech_neutral", "speech_sad")


def chunk(first: int, rows: int, width: int) -> pl.DataFrame:
    """Rows as they are saved, from a number on."""
    generator = np.random.default_rng(first)
    numbers = generator.normal(size=(rows, width)).astype(np.float32)
    shares = generator.dirichlet(np.ones(len(SPEECH)), rows)
    return pl.DataFrame(
        {
            "path": "clip.wav",
            "id": [f"row{first + row}" for row in range(rows)],
            **dict(zip(SPEECH, shares.T, strict=True)),
            "speech_embedding": pl.Series(numbers.ravel()).reshape((rows, width)),
            "status": "ok",
            "error": pl.Series([None] * rows, dtype=pl.String),
        }
    )


def save(folder: Path, rows: int, width: int, chunk_rows: int) -> None:
    """In the process that is measured: print MiB beyond the start, and seconds, by step."""
    from emobatch.manifests.merge import merge
    from emobatch.scoring.parts import Parts
    from emobatch.tables import content

    chunk(0, 1, width).lazy().collect(engine="streaming")
    before, began = held("VmRSS"), time.perf_counter()
    each = rows // SHARDS
    for index in range(SHARDS):
        first = index * each
        note = {"index": index, "count": SHARDS, "first": first, "rows": each}
        shard = {**note, "manifest": "made up", "manifest_rows": each * SHARDS}
        ids = pl.LazyFrame({"id": [f"row{first + row}" for row in range(each)]})
        wanted = content.describe(ids, [], ["id"])
        with Parts.open(folder / f"{index}.parquet", {"shard": shard}, restart=True) as parts:
            for start in range(0, each, chunk_rows):
                parts.add(start, chunk(first + start, min(chunk_rows, each - start), width))
            click.echo(f"saving {held('VmHWM') - before:.0f} {time.perf_counter() - began:.1f}")
            scored = {**dict.fromkeys(SPEECH, pl.Float64), "id": pl.String}
            parts.finish({"shard": shard}, scored, wanted)
        click.echo(f"finishing {held('VmHWM') - before:.0f} {time.perf_counter() - began:.1f}")
    merge([str(folder / f"{index}.parquet") for index in range(SHARDS)], folder / "all.parquet")
    found = pl.scan_parquet(folder / "all.parquet").select(pl.len()).collect().item()
    if found != each * SHARDS:
        raise SystemExit(f"{found} of {each * SHARDS} rows came out")
    click.echo(f"merging {held('VmHWM') - before:.0f} {time.perf_counter() - began:.1f}")


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="Of the longer run.")
@click.option("--width", default=768, show_default=True, help="Numbers to a row.")
@click.option("--chunk-rows", default=256, show_default=True, help="Rows that are saved together.")
@click.option("--folder", type=click.Path(path_type=Path, exists=True), help="Where to write.")
@click.option("--child", nargs=2, hidden=True)
def main(
    rows: int, width: int, chunk_rows: int, folder: Path | None, child: tuple[str, str] | None
) -> None:
    """Print peak memory beyond the start, and seconds, by step, of a short and a long run."""
    if child is not None:
        return save(Path(child[0]), int(child[1]), width, chunk_rows)
    table = Table("rows", "step", "MiB beyond the start, at most", "seconds so far")
    for count in (max(rows // 10, 2), rows):
        with tempfile.TemporaryDirectory(dir=folder) as name:
            sizes = [f"--width={width}", f"--chunk-rows={chunk_rows}"]
            command = [sys.executable, __file__, *sizes, "--child", name, str(count)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for line in said.splitlines():
            table.add_row(f"{count:,}", *line.split())
    Console(width=90).print(table)
    return None


if __name__ == "__main__":
    main()
