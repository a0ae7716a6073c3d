"""`score --shard` and `merge`: several jobs over one manifest."""

from __future__ import annotations

import json
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
from refusals import refusal
from samples import LOOSE_TOML
from sounds import save, tone

from emobatch.manifests import manifest
from emobatch.manifests.shards import Shard, boundaries
from emobatch.tables import stored

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

    from emobatch.cli.main import main

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


def test_shards_joined_in_any_order_are_the_whole(
    cli: Cli, scored: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
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
    assert "shard" not in json.loads(pl.read_parquet_metadata(merged)["emobatch"])
    # It is the table of the whole manifest, which a run would have nothing to add to.
    again = cli("score", scored / "manifest.csv", "--models", "demo", "-o", merged)
    assert again.exit_code == 0 and "is whole, nothing to do" in caplog.text


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


def cut(scored: Path, tmp_path: Path, *options: object) -> list[Path]:
    """The shards' tables, of which one went through `apply --where`, and they all through it."""
    from click.testing import CliRunner

    from emobatch.cli.main import main

    (tmp_path / "t.toml").write_text(LOOSE_TOML)
    finals = []
    for number in range(3):
        finals.append(tmp_path / f"final{number}.parquet")
        command = ["apply", str(scored / f"{number}.parquet"), "-t", str(tmp_path / "t.toml")]
        command += ["-o", str(finals[-1]), *(map(str, options) if number == 1 else ())]
        assert CliRunner().invoke(main, command).exit_code == 0
    return finals


def test_shards_that_were_cut_by_apply_are_refused(cli: Cli, scored: Path, tmp_path: Path) -> None:
    target = tmp_path / "merged.parquet"
    whole = cut(scored, tmp_path)
    assert cli("merge", *whole, "-o", target).exit_code == 0
    assert len(pl.read_parquet(target)) == 10
    target.unlink()
    some = cut(scored, tmp_path, "--where", "note != '02'")
    message = refusal(cli("merge", *some, "-o", target))
    assert f"{some[1]}: not as it was scored: 4 rows where 5 were written" in message
    assert "choose rows afterwards" in message
    assert not target.exists()


CHANGES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "cut": lambda rows: rows.head(2),
    "sorted": lambda rows: rows.sort("id", descending=True),
    "of another shard": lambda rows: rows.with_columns(id=pl.col("id") + "x"),
    "another emotion": lambda rows: rows.with_columns(speech_emotion=pl.lit("sad")),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_shards_that_were_changed_are_refused(
    cli: Cli, scored: Path, tmp_path: Path, extension: str, change: str
) -> None:
    shards = [Path(shutil.copy(scored / f"{number}.parquet", tmp_path)) for number in range(3)]
    made = {"emobatch": pl.read_parquet_metadata(shards[1])["emobatch"]}
    rows = CHANGES[change](pl.read_parquet(shards[1]))
    if extension == "parquet":
        rows.write_parquet(shards[1], metadata=made)
    else:
        shards[1] = tmp_path / "1.csv"
        rows.write_csv(shards[1])
        (tmp_path / "1.csv.meta.json").write_text(made["emobatch"])
    target = tmp_path / "merged.parquet"
    message = refusal(cli("merge", *shards, "-o", target))
    assert f"{shards[1]}: not as it was scored: " in message
    assert not target.exists()


def test_a_text_table_that_was_edited_is_said_to_be(cli: Cli, scored: Path, tmp_path: Path) -> None:
    table = tmp_path / "0.csv"
    command = ("score", scored / "manifest.csv", "--models=demo", "--shard=0/3", "-o", table)
    assert cli(*command).exit_code == 0
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:2]))
    shards = [table, scored / "1.parquet", scored / "2.parquet"]
    assert "0.csv: was changed since it was scored" in refusal(cli("merge", *shards))


def test_a_shard_of_before_is_known_by_its_rows_number(
    cli: Cli, scored: Path, tmp_path: Path
) -> None:
    for keep, status in ((99, 0), (2, 1)):
        shards = []
        for number in range(3):
            rows = pl.read_parquet(scored / f"{number}.parquet")
            made = stored.metadata(scored / f"{number}.parquet")
            del made["table"]
            shards.append(tmp_path / f"{number}.parquet")
            rows.head(keep).write_parquet(shards[-1], metadata={"emobatch": json.dumps(made)})
        assert cli("merge", *shards).exit_code == status


NOTE = {"index": 0, "count": 1, "first": 0, "rows": 1, "manifest": "x", "manifest_rows": 1}


@pytest.mark.parametrize(
    "note",
    [
        {},
        {"shard": {}},
        {"shard": 3},
        {"shard": {"index": 0}},
        *({"shard": {key: NOTE[key] for key in NOTE if key != gone}} for gone in NOTE),
        {"shard": {**NOTE, "index": "0"}},
        {"shard": {**NOTE, "index": 1}},
        {"shard": {**NOTE, "index": -1}},
        {"shard": {**NOTE, "count": 0}},
        {"shard": {**NOTE, "count": True}},
        {"shard": {**NOTE, "count": 10**15, "manifest_rows": 10**15}},
        {"shard": {**NOTE, "rows": 2}},
        {"shard": {**NOTE, "first": 1}},
        {"shard": {**NOTE, "manifest": None}},
        {"shard": NOTE, "table": {}},
        {"shard": NOTE, "table": {"rows": 1, "numbers": [], "texts": {"id": 3}}},
        {"shard": NOTE, "table": {"rows": 1, "texts": {"gone": ""}}},
        {"shard": NOTE, "table": 3},
    ],
    ids=str,
)
def test_what_no_run_says_of_its_shard_is_one_line(
    cli: Cli, tmp_path: Path, note: dict[str, object]
) -> None:
    table = tmp_path / "s.csv"
    table.write_text("id,path\na,a.wav\n")
    (tmp_path / "s.csv.meta.json").write_text(json.dumps(note))
    assert refusal(cli("merge", table))


def test_a_shard_that_no_row_fell_to_is_not_missed(cli: Cli, tmp_path: Path) -> None:
    """One clip that outlasts the others leaves nothing for the second of three shards."""
    save(tmp_path / "a.wav", tone(0.3))
    rows = "".join(f"a.wav,{n},{length}\n" for n, length in enumerate((100, 1, 1)))
    (tmp_path / "m.csv").write_text("path,id,duration\n" + rows)
    tables = []
    for number in range(3):
        target = tmp_path / f"{number}.parquet"
        command = ("score", tmp_path / "m.csv", "--models=demo", f"--shard={number}/3")
        if cli(*command, "-o", target).exit_code == 0:
            tables.append(target)
    assert len(tables) == 2
    result = cli("merge", *tables)
    assert result.exit_code == 0 and result.stdout.count("\n") == 4


def test_a_duration_that_is_missing_leaves_shards_of_as_many_rows(tmp_path: Path) -> None:
    for column in ("9,1,1,1", "9,1,,1", "9,0,1,1", "9,nan,1,1", "9,inf,1,1", "9,-1,1,1"):
        rows = [f"{n}.wav,{seconds}" for n, seconds in enumerate(column.split(","))]
        (tmp_path / "m.csv").write_text("path,duration\n" + "\n".join(rows))
        taken, _ = Shard(0, 2).take(manifest.read(str(tmp_path / "m.csv")))
        assert len(taken) == (1 if column == "9,1,1,1" else 2)


def test_shards_that_overlap_are_refused(cli: Cli, scored: Path, tmp_path: Path) -> None:
    """As many rows as the manifest has, and not each of them once."""
    shards = [Path(shutil.copy(scored / f"{number}.parquet", tmp_path)) for number in range(3)]
    made = json.loads(pl.read_parquet_metadata(shards[1])["emobatch"])
    made["shard"]["first"] -= 1
    pl.read_parquet(shards[1]).write_parquet(shards[1], metadata={"emobatch": json.dumps(made)})
    assert "shards missing: some rows of 3" in refusal(cli("merge", *shards))


@pytest.mark.parametrize("other", [{"manifest": "another"}, {"count": 4}, {"manifest_rows": 9}])
def test_shards_of_another_manifest_or_split_are_refused(
    cli: Cli, scored: Path, tmp_path: Path, other: dict[str, object]
) -> None:
    shards = [Path(shutil.copy(scored / f"{number}.parquet", tmp_path)) for number in range(3)]
    made = json.loads(pl.read_parquet_metadata(shards[1])["emobatch"])
    made["shard"] |= other
    pl.read_parquet(shards[1]).write_parquet(shards[1], metadata={"emobatch": json.dumps(made)})
    message = refusal(cli("merge", *shards))
    assert f"{shards[1]}: a shard of another manifest or split" in message


def test_final_tables_of_other_thresholds_are_refused(
    cli: Cli, scored: Path, tmp_path: Path
) -> None:
    finals = cut(scored, tmp_path)
    made = json.loads(pl.read_parquet_metadata(finals[1])["emobatch"])
    made["thresholds"] = {"file": "other.toml"}
    pl.read_parquet(finals[1]).write_parquet(finals[1], metadata={"emobatch": json.dumps(made)})
    message = refusal(cli("merge", *finals))
    assert f"{finals[1]} and {finals[0]} were not decided by the same thresholds" in message


def test_shards_of_other_options_are_refused(cli: Cli, scored: Path, tmp_path: Path) -> None:
    shards = [Path(shutil.copy(scored / f"{number}.parquet", tmp_path)) for number in range(3)]
    made = json.loads(pl.read_parquet_metadata(shards[1])["emobatch"])
    made["options"]["beam_size"] = 5
    pl.read_parquet(shards[1]).write_parquet(shards[1], metadata={"emobatch": json.dumps(made)})
    message = refusal(cli("merge", *shards))
    assert f"{shards[1]} and {shards[0]} were scored with different options.beam_size" in message
