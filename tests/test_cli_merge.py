"""`score --shard` and `merge`: several jobs over one manifest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from refusals import refusal
from samples import LOOSE_TOML
from sounds import save, tone

from emobatch.manifests import manifest
from emobatch.manifests.costs import Costs
from emobatch.manifests.manifest import Manifest
from emobatch.manifests.shards import Shard, boundaries
from emobatch.models.choice import Choice
from emobatch.scoring import sharing
from emobatch.tables import stored

Cli = Callable[..., Result]
# Rows to a chunk on the CPU, and those of the manifest: four chunks and a bit.
CHUNK, ROWS = 64, 260


def dearest(costs: list[int], count: int) -> int:
    """What the dearest of some parts costs at least, by trying all ways to cut."""
    ways = combinations(range(1, len(costs)), min(count, len(costs)) - 1)
    return min(max(sum(costs[a:b]) for a, b in pairwise((0, *cuts, len(costs)))) for cuts in ways)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=9), st.integers(1, 11))
def test_no_cut_is_better_and_no_part_needlessly_empty(costs: list[int], count: int) -> None:
    bounds = boundaries(costs, count)
    assert bounds[0] == 0 and bounds[-1] == len(costs) and len(bounds) == count + 1
    parts = [costs[a:b] for a, b in pairwise(bounds)]
    assert [cost for part in parts for cost in part] == costs
    assert max(map(sum, parts)) == dearest(costs, count)
    assert sum(map(bool, parts)) == min(count, len(costs))


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
    seconds = [0.3, 0.6, 0.4, 0.9, 0.5]
    for number, length in enumerate(seconds):
        save(folder / f"{number}.wav", tone(length, hertz=200 + 40 * number))
    # Rows that are transcribed, all in the first of five chunks, which costs as much as the others.
    said = ["" if n < 12 else "what a surprise" for n in range(ROWS)]
    rows = [f"{n % 5}.wav,{n},{seconds[n % 5]},0{n},{said[n]}\n" for n in range(ROWS)]
    (folder / "manifest.csv").write_text("path,id,duration,note,transcript\n" + "".join(rows))
    common = ["score", str(folder / "manifest.csv"), "--models", "demo"]
    for target, shard in [("whole", []), *((str(i), ["--shard", f"{i}/3"]) for i in range(3))]:
        arguments = [*common, "-o", str(folder / f"{target}.parquet"), *shard]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    return folder


def bits(table: pl.DataFrame) -> bytes:
    """All of a table, so that a difference in the last bit counts."""
    return table.rechunk().write_ipc(None).getvalue()


def test_shards_joined_in_any_order_are_the_whole(
    cli: Cli, scored: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    merged = tmp_path / "merged.parquet"
    shards = [scored / f"{number}.parquet" for number in (2, 0, 1)]
    assert cli("merge", *shards, "-o", merged).exit_code == 0
    whole, joined = pl.read_parquet(scored / "whole.parquet"), pl.read_parquet(merged)
    assert bits(joined) == bits(whole)
    lengths = [len(pl.read_parquet(scored / f"{number}.parquet")) for number in range(3)]
    assert lengths == [CHUNK, 3 * CHUNK, ROWS - 4 * CHUNK], "cut by cost, between chunks"
    assert "shard" not in json.loads(pl.read_parquet_metadata(merged)["emobatch"])
    # It is the table of the whole manifest, which a run would have nothing to add to.
    again = cli("score", scored / "manifest.csv", "--models", "demo", "-o", merged)
    assert again.exit_code == 0 and "is whole, nothing to do" in caplog.text


def test_a_glob_reads_and_merges(cli: Cli, scored: Path) -> None:
    result = cli("merge", scored / "[0-9].parquet")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == ROWS + 1


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


@pytest.mark.parametrize("extension", ["parquet", "csv", "jsonl"])
def test_one_long_row_among_many_leaves_shards_without_rows_and_no_holes(
    cli: Cli, tmp_path: Path, extension: str
) -> None:
    """61 rows are one chunk: one shard has them all, and the others' tables are empty."""
    save(tmp_path / "a.wav", tone(0.3))
    rows = "".join(f"a.wav,{n},{600 if n == 5 else 10},great\n" for n in range(61))
    (tmp_path / "m.csv").write_text("path,id,duration,transcript\n" + rows)
    command = ("score", tmp_path / "m.csv", "--models=demo", "-o")
    assert cli(*command, tmp_path / f"whole.{extension}").exit_code == 0
    tables = [tmp_path / f"{number}.{extension}" for number in range(3)]
    for number, table in enumerate(tables):
        for _ in ("scored", "found whole"):
            assert cli(*command, table, f"--shard={number}/3").exit_code == 0
    merged = tmp_path / f"merged.{extension}"
    assert cli("merge", *tables, "-o", merged).exit_code == 0
    assert merged.read_bytes() == (tmp_path / f"whole.{extension}").read_bytes()
    if extension == "parquet":
        empty = pl.read_parquet(tables[1])
        assert empty.is_empty() and empty.schema == pl.read_parquet(merged).schema
        assert stored.metadata(tables[1])["shard"]["rows"] == 0


def test_a_shard_without_rows_streams_its_header(cli: Cli, scored: Path) -> None:
    result = cli("score", scored / "manifest.csv", "--models=demo", "--shard=8/9")
    assert result.exit_code == 0 and result.stdout.count("\n") == 1
    assert result.stdout.startswith("path,note,id,duration,speech_angry,")


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
    assert len(pl.read_parquet(target)) == ROWS
    target.unlink()
    some = cut(scored, tmp_path, "--where", "note != '0100'")
    message = refusal(cli("merge", *some, "-o", target))
    assert f"{some[1]}: not as it was scored: 191 rows where 192 were written" in message
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
    for keep, status in ((999, 0), (2, 1)):
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


def read(tmp_path: Path, text: str) -> Manifest:
    (tmp_path / "m.csv").write_text(text)
    return manifest.read(str(tmp_path / "m.csv"))


COSTS = {
    # 29 s are padded to 30, 31 s to 60; what has a transcript isn't transcribed.
    "both": (Costs(), [59000, 91000, 1000]),
    "fit": (Costs(fits=True), [59000, 66000, 1000]),
    "speech": (Costs(text=False), [29000, 31000, 1000]),
    "text": (Costs(speech=False), [30000, 60000, 0]),
}


@pytest.mark.parametrize("case", COSTS)
def test_a_row_costs_the_padded_seconds_of_both_branches(tmp_path: Path, case: str) -> None:
    rows = read(tmp_path, "path,duration,transcript\na.wav,29,\nb.wav,31,\nc.wav,1,yes\n")
    costs, wanted = COSTS[case]
    assert costs.chunks(rows, 1).tolist() == wanted
    assert costs.chunks(rows, 2).tolist() == [wanted[0] + wanted[1], wanted[2]]


def test_a_segment_is_as_long_as_it_says(tmp_path: Path) -> None:
    text = "path,start,end,duration\na.wav,1.5,3,9\na.wav,,2,9\na.wav,4,,5\n"
    assert Costs(text=False).chunks(read(tmp_path, text), 1).tolist() == [1500, 2000, 5000]


@pytest.mark.parametrize("missing", ["", "0", "nan", "inf", "-1", "x"])
def test_a_row_without_a_duration_counts_as_much_as_others(
    tmp_path: Path, missing: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "emobatch")
    rows = read(tmp_path, f"path,duration\na.wav,10\nb.wav,{missing}\nc.wav,2\n")
    assert Costs(text=False).chunks(rows, 1).tolist() == [10000, 6000, 2000]
    Shard(0, 2).take(rows, Costs(), 64)
    assert "note: 1 row of 3 without a duration," in caplog.text


def test_where_no_row_has_a_duration_shards_have_as_many_rows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "emobatch")
    rows = read(tmp_path, "path\n" + "".join(f"{n}.wav\n" for n in range(9)))
    taken = [len(Shard(n, 3).take(rows, Costs(), 1)[0]) for n in range(3)]
    assert taken == [3, 3, 3]
    assert "note: no row says how long it is" in caplog.text and "emobatch plan" in caplog.text


def test_cuts_fall_between_the_chunks_of_the_device(tmp_path: Path) -> None:
    """As a table that is there says it; of one that isn't, as the device would have it."""
    rows = read(tmp_path, "path\n" + "".join(f"{n}.wav\n" for n in range(700)))
    table = tmp_path / "t.parquet"
    for size, lengths in ((64, [320, 380]), (256, [256, 444])):
        made = json.dumps({"options": {"chunk_rows": size}})
        pl.DataFrame({"id": ["a"]}).write_parquet(table, metadata={"emobatch": made})
        for choice in (Choice(device="cuda" if size == 256 else "cpu"), Choice(device="cpu")):
            target = table if choice.device == "cpu" else None
            taken = [sharing.take(Shard(n, 2), rows, choice, target)[0] for n in range(2)]
            assert [len(each) for each in taken] == lengths


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
