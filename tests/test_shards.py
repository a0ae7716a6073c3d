"""How alike 16 shards are by what rows cost, of manifests in any order: exact figures, no clock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import polars as pl
import pytest

from emobatch.manifests import manifest
from emobatch.manifests.costs import Costs
from emobatch.manifests.shards import boundaries

CHUNK, SHARDS = 64, 16


def clips(rows: int, *, shuffled: bool) -> pl.DataFrame:
    """Of 0.3 to 3 s, the shortest first or in any order; about half of them have a transcript."""
    order = random.Random(0)
    lengths = [round(0.3 * 10 ** (row / rows), 3) for row in range(rows)]
    if shuffled:
        order.shuffle(lengths)
    said = ["yes" if order.random() < 0.5 else None for _ in lengths]
    return pl.DataFrame({"duration": lengths, "transcript": pl.Series(said, dtype=pl.String)})


def one_long(rows: int) -> pl.DataFrame:
    """Clips of 2 s, and in the middle one of 600 s."""
    return pl.DataFrame({"duration": [600.0 if row == rows // 2 else 2.0 for row in range(rows)]})


def costs_of(folder: Path, rows: pl.DataFrame, **branches: bool) -> list[int]:
    """What each chunk costs, in milliseconds of both branches, or of one."""
    named = rows.with_columns(path=pl.lit("a.wav"), id=pl.int_range(pl.len()).cast(pl.String))
    named.write_parquet(folder / "m.parquet")
    return Costs(**branches).chunks(manifest.read(str(folder / "m.parquet")), CHUNK).tolist()


def at_quantiles(costs: Sequence[int]) -> list[int]:
    """Cuts where each sixteenth of the whole is reached, nearest: what is simpler, and worse."""
    ends = [0, *accumulate(costs)]
    wanted = [ends[-1] * n / SHARDS for n in range(SHARDS + 1)]
    return [min(range(len(ends)), key=lambda end: abs(ends[end] - want)) for want in wanted]


def most_to_mean(costs: Sequence[int], bounds: Sequence[int]) -> float:
    parts = [sum(costs[a:b]) for a, b in pairwise(bounds)]
    return round(max(parts) * len(parts) / sum(parts), 3)


MANIFESTS = {
    "in any order": clips(4096, shuffled=True),
    "sorted by length": clips(3072, shuffled=False),
    "one long among short ones": one_long(4096),
}


@pytest.mark.parametrize(
    ("name", "most", "simpler"),
    [
        ("in any order", 1.088, 1.215),
        ("sorted by length", 1.119, 1.233),
        ("one long among short ones", 1.132, 1.132),
    ],
)
def test_shards_cost_as_alike_as_their_chunks_allow(
    tmp_path: Path, name: str, most: float, simpler: float
) -> None:
    costs = costs_of(tmp_path, MANIFESTS[name])
    bounds = boundaries(costs, SHARDS)
    assert all(a < b for a, b in pairwise(bounds)), "none is empty"
    assert (most_to_mean(costs, bounds), most_to_mean(costs, at_quantiles(costs))) == (
        most,
        simpler,
    )
    # A millisecond less for the dearest, and there are too few shards.
    less = max(sum(costs[a:b]) for a, b in pairwise(bounds)) - 1
    filled = [0]
    for cost in costs:
        filled = [*filled[:-1], filled[-1] + cost] if filled[-1] + cost <= less else [*filled, cost]
    assert len(filled) > SHARDS


@pytest.mark.parametrize(
    ("name", "cut_as_if_equal", "had_it_been_known"),
    [
        ("in any order", 1.061, 1.061),
        ("sorted by length", 1.615, 1.17),
        ("one long among short ones", 1.465, 1.211),
    ],
)
def test_what_is_left_is_that_a_second_costs_the_branches_differently(
    tmp_path: Path, name: str, cut_as_if_equal: float, had_it_been_known: float
) -> None:
    """Of models whose text branch takes a tenth of the speech branch's time for a second."""
    heard = costs_of(tmp_path, MANIFESTS[name], text=False)
    said = costs_of(tmp_path, MANIFESTS[name], speech=False)
    equal = [one + other for one, other in zip(heard, said, strict=True)]
    true = [10 * one + other for one, other in zip(heard, said, strict=True)]
    found = [most_to_mean(true, boundaries(costs, SHARDS)) for costs in (equal, true)]
    assert found == [cut_as_if_equal, had_it_been_known]
