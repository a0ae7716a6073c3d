"""Whether shards cost alike: `python tests/benchmarks/shards.py`.

Clips of mixed lengths, of which some have a transcript, and one of ten minutes. Each shard is
scored by `emobatch score` in a process of its own, one after the other; what is compared is the CPU
time of each, without what a shard without rows takes to begin.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np
import polars as pl
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from clips import spoken_clips
from sounds import save

FILES = 64
LONG = 600.0
MOST_TO_MEAN = 1.25


def make(folder: Path, rows: int, longest: float, given: float, *, in_order: bool) -> Path:
    """Clips from 0.3 s on, each of them many times, and one of ten minutes."""
    speech = np.concatenate(spoken_clips(FILES))
    rng = np.random.default_rng(0)
    lengths = np.exp(np.linspace(np.log(0.3), np.log(longest), FILES))
    lengths = np.append(lengths, LONG)
    for number, seconds in enumerate(lengths):
        samples = np.resize(np.roll(speech, -number * 9000), round(seconds * 16_000))
        save(folder / f"{number}.wav", samples)
    places = [n * FILES // rows for n in range(rows)]
    if not in_order:
        rng.shuffle(places)
    places[rows // 3] = FILES
    said = ["what a wonderful surprise" if each < given else None for each in rng.random(rows)]
    table = pl.DataFrame(
        {
            "path": [f"{place}.wav" for place in places],
            "id": [str(n) for n in range(rows)],
            "duration": [float(lengths[place]) for place in places],
            "transcript": pl.Series(said, dtype=pl.String),
        }
    )
    table.write_csv(folder / "manifest.csv")
    return folder / "manifest.csv"


def seconds(source: Path, shard: str) -> float:
    """CPU seconds of a shard's process."""
    command = [sys.executable, "-m", "emobatch", "score", str(source), "--models=demo", "-q"]
    target = source.with_name("scores.parquet")
    command += ["--device=cpu", "--restart", "--shard", shard, "-o", str(target)]
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"shard {shard} ended with {status}")
    return used.ru_utime + used.ru_stime


@click.command()
@click.option("--rows", default=4096, show_default=True)
@click.option("--shards", default=16, show_default=True)
@click.option("--longest", default=4.0, show_default=True, help="Seconds, of all clips but one.")
@click.option("--given", default=0.75, show_default=True, help="Share that has a transcript.")
@click.option("--in-order", is_flag=True, help="The shortest clips first.")
def main(rows: int, shards: int, longest: float, given: float, in_order: bool) -> None:
    """Print the CPU seconds of each shard; status 1 where the most is over 1.25 times the mean."""
    with tempfile.TemporaryDirectory() as name:
        source = make(Path(name), rows, longest, given, in_order=in_order)
        idle = seconds(source, f"{10 * rows - 1}/{10 * rows}")
        each = [seconds(source, f"{n}/{shards}") for n in tqdm(range(shards))]
    work = [one - idle for one in each]
    click.echo(
        f"{rows} rows of 0.3 to {longest:g} s and one of {LONG:g} s in {shards} shards; CPU seconds"
    )
    click.echo(f"to begin: {idle:.1f}; of each: {' '.join(f'{one:.1f}' for one in work)}")
    ratio = max(work) * shards / sum(work)
    whole = max(each) * shards / sum(each)
    click.echo(f"most to mean: {ratio:.2f}, with what each takes to begin {whole:.2f}")
    if ratio > MOST_TO_MEAN:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
