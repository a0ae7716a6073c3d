"""`score --shard` and `merge`: several jobs over one manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import save, tone

from emobatch.manifests.shards import Shard, boundaries

Cli = Callable[..., Result]


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(0.1, 60), min_size=1, max_size=80), st.integers(1, 9))
def test_shards_are_contiguous_whole_and_of_like_weight(weights: list[float], count: int) -> None:
    bounds = boundaries(weights, count)
    assert bounds[0] == 0 and bounds[-1] == len(weights) and len(bounds) == count + 1
    assert bounds == sorted(bounds)
    parts = [sum(weights[a:b]) for a, b in pairwise(bounds)]
    assert max(parts) <= sum(weights) / count + max(weights) + 1e-6


@pytest.mark.parametrize("text", ["", "1", "2/2", "-1/2", "a/b", "1/0", "0/0"])
def test_a_shard_that_is_none_is_refused(cli: Cli, text: str) -> None:
    result = cli("score", "m.csv", "--shard", text)
    assert result.exit_code in (1, 2) and "--shard" in result.stderr


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest whose rows differ in duration, its table, and the tables of three shards."""
    from click.testing import CliRunner

    from emobatch.cli import main

    folder = tmp_path_factory.mktemp("shards")
    seconds = [0.3, 2.0, 0.3, 0.3, 0.3, 0.3, 1.0, 0.5, 0.3, 0.3]
    for number, length in enumerate(seconds):
        save(folder / f"{number}.wav", tone(length, hertz=200 + 40 * number))
    rows = [f"{n}.wav,{length},0{n}\n" for n, length in enumerate(seconds)]
    (folder / "manifest.csv").write_text("path,duration,note\n" + "".join(rows))
    common = ["score", str(folder / "manifest.csv"), "--models", "demo"]
    for target, shard in [("whole", []), *((str(i), ["--shard", f"{i}/3"]) for i in range(3))]:
        arguments = [*common, "-o", str(folder / f"{target}.parquet"), *shard]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    return folder


def test_shards_joined_in_any_order_are_the_whole(cli: Cli, scored: Path, tmp_path: Path) -> None:
    merged = tmp_path / "merged.parquet"
    shards = [scored / f"{number}.parquet" for number in (2, 0, 1)]
    assert cli("merge", *shards, "-o", merged).exit_code == 0
    whole, joined = pl.read_parquet(scored / "whole.parquet"), pl.read_parquet(merged)
    assert joined.schema == whole.schema
    for name, kind in whole.schema.items():
        if kind == pl.Float64:
            np.testing.assert_allclose(joined[name], whole[name], atol=1e-5, err_msg=name)
        else:
            assert joined[name].equals(whole[name]), name
    lengths = [len(pl.read_parquet(shard)) for shard in shards]
    assert sum(lengths) == 10 and lengths != [4, 3, 3], "balanced by duration, not by rows"


def test_a_glob_reads_and_merges(cli: Cli, scored: Path) -> None:
    result = cli("merge", scored / "[0-9].parquet")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 11


def test_missing_and_doubled_shards_are_named(cli: Cli, scored: Path, tmp_path: Path) -> None:
    target = tmp_path / "merged.csv"
    missing = cli("merge", scored / "0.parquet", scored / "2.parquet", "-o", target)
    assert missing.exit_code == 1 and "shards missing: 1 of 3" in missing.stderr
    twin = shutil.copy(scored / "0.parquet", tmp_path / "twin.parquet")
    doubled = cli("merge", *(scored / f"{n}.parquet" for n in range(3)), twin, "-o", target)
    assert doubled.exit_code == 1 and "the same shard 0 as" in doubled.stderr
    foreign = cli("merge", scored / "whole.parquet", "-o", target)
    assert foreign.exit_code == 1 and "not written by" in foreign.stderr
    assert not target.exists()


def test_more_shards_than_rows_are_refused(cli: Cli, scored: Path) -> None:
    result = cli("score", scored / "manifest.csv", "--models", "demo", "--shard", "1/900")
    assert result.exit_code == 1 and "use fewer shards" in result.stderr


def test_the_value_of_shard() -> None:
    assert Shard.parse("3/8") == Shard(3, 8)
