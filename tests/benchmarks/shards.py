"""Whether shards cost alike: `python tests/benchmarks/shards.py`.

Clips of mixed lengths, of which some have a transcript, are scored chunk by chunk in one process
with the demo's models; the CPU seconds of each chunk are noted, but for those of decoding. A shard
takes those of its chunks: as `score --shard` cuts them, and beside it as cuts by rows or by the
clips' own seconds would.
"""

from __future__ import annotations

import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import polars as pl
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1]))

from clips import spoken_clips
from sounds import save

from emobatch.manifests import manifest
from emobatch.manifests.costs import Costs
from emobatch.manifests.shards import boundaries
from emobatch.models import devices
from emobatch.models.choice import Choice
from emobatch.models.names import DEMO, DEVICES
from emobatch.scorers.plan import Plan
from emobatch.scoring.recipe import Recipe

FILES = 64
MOST_TO_MEAN = 1.25


def make(
    folder: Path, rows: int, longest: float, given: float, *, in_order: bool, one_of: float
) -> Path:
    """Clips from 0.3 s on, each of them many times, and maybe a long one in the middle."""
    speech = np.concatenate(spoken_clips(FILES))
    rng = np.random.default_rng(0)
    lengths = np.exp(np.linspace(np.log(0.3), np.log(longest), FILES))
    for number, seconds in enumerate(lengths):
        samples = np.resize(np.roll(speech, -number * 9000), round(seconds * 16_000))
        save(folder / f"{number}.wav", samples)
    places = [n * FILES // rows for n in range(rows)]
    if not in_order:
        rng.shuffle(places)
    said = ["what a wonderful surprise" if each < given else None for each in rng.random(rows)]
    table = pl.DataFrame(
        {
            "path": [f"{place}.wav" for place in places],
            "id": [str(n) for n in range(rows)],
            "duration": [float(lengths[place]) for place in places],
            "transcript": pl.Series(said, dtype=pl.String),
        }
    )
    if one_of:
        save(folder / "long.wav", np.resize(speech, round(one_of * 16_000)))
        long = pl.col("id") == str(rows // 2)
        table = table.with_columns(
            path=pl.when(long).then(pl.lit("long.wav")).otherwise("path"),
            duration=pl.when(long).then(one_of).otherwise("duration"),
            transcript=pl.when(~long).then("transcript"),
        )
    table.write_csv(folder / "manifest.csv")
    return folder / "manifest.csv"


def cpu_seconds(source: Path) -> list[float]:
    """Of each chunk, one after the other."""
    choice = Choice(models=DEMO, device="cpu")
    plan = Plan.of(choice, choice.find_checkpoints())
    rows = manifest.read(str(source))
    recipe = Recipe(plan, devices.choose("cpu"), None, rows.root)
    used = []
    with recipe.open() as scorer:
        firsts = range(0, len(rows), recipe.device.chunk_rows)
        scorer.score(rows.frame(0, recipe.device.chunk_rows))  # the first one is slower
        for first in tqdm(firsts):
            began = time.process_time()
            scorer.score(rows.frame(first, recipe.device.chunk_rows))
            used.append(time.process_time() - began)
    return used


def most_to_mean(used: list[float], bounds: list[int]) -> float:
    parts = [sum(used[a:b]) for a, b in pairwise(bounds)]
    return max(parts) * len(parts) / sum(parts)


@click.command()
@click.option("--rows", default=4096, show_default=True)
@click.option("--shards", default=16, show_default=True)
@click.option("--longest", default=10.0, show_default=True, help="Seconds.")
@click.option("--given", default=0.5, show_default=True, help="Share that has a transcript.")
@click.option("--in-order", is_flag=True, help="The shortest clips first.")
@click.option("--one-of", default=0.0, help="Seconds of a long clip in the middle.")
def main(
    rows: int, shards: int, longest: float, given: float, in_order: bool, one_of: float
) -> None:
    """Print most to mean of the shards' CPU seconds; status 1 where that is over 1.25."""
    with tempfile.TemporaryDirectory() as name:
        source = make(Path(name), rows, longest, given, in_order=in_order, one_of=one_of)
        used = cpu_seconds(source)
        chunk = DEVICES["cpu"].chunk_rows
        read = manifest.read(str(source))
        ways = {
            "padded seconds of both branches": Costs().chunks(read, chunk),
            "seconds of the clips": Costs(text=False).chunks(read, chunk),
            "rows": [1] * len(used),
        }
    click.echo(f"{rows} rows of 0.3 to {longest:g} s, {sum(used):.0f} CPU s")
    found = {way: most_to_mean(used, boundaries(costs, shards)) for way, costs in ways.items()}
    for way, ratio in found.items():
        click.echo(f"{shards} shards by {way}: most to mean {ratio:.2f}")
    if next(iter(found.values())) > MOST_TO_MEAN:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
