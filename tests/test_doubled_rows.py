"""Rows that are given twice: in a table and its copy, or twice in one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from samples import csv, score_rows

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn")
COMMANDS = {
    "evaluate": ["--bootstrap", "0", "--json"],
    "calibrate": ["--bootstrap", "0"],
    "apply": ["--adapt", "speaker"],
    "report": ["-o", "page.html"],
    "crossval": ["--by", "session", "--method", "max"],
}


@pytest.fixture
def rows() -> pl.DataFrame:
    return score_rows(60).with_columns(speaker=pl.col("session").cast(pl.String))


@pytest.fixture
def given(
    rows: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Writes tables to the working folder."""
    monkeypatch.chdir(tmp_path)

    def write(**tables: pl.DataFrame) -> list[str]:
        for name, table in tables.items():
            table.write_parquet(f"{name}.parquet")
        return [f"{name}.parquet" for name in tables]

    return write


@pytest.mark.parametrize("command", COMMANDS)
def test_a_table_and_its_copy_are_refused(
    cli: Cli, rows: pl.DataFrame, given: Callable[..., list[str]], command: str
) -> None:
    names = given(whole=rows, copy=rows.tail(20))
    said = refusal(cli(command, *names, *COMMANDS[command]))
    first = rows["id"].tail(20).min()
    assert said.startswith("whole.parquet and 1 more: 20 rows are given twice, ")
    assert f"as id {first!r} (whole.parquet, copy.parquet)" in said


def test_a_row_twice_in_one_table_is_refused(cli: Cli, rows: pl.DataFrame) -> None:
    said = refusal(cli("evaluate", input=csv(pl.concat([rows, rows.head(1)]))))
    assert said.startswith(f"standard input: 1 row is given twice, as id {rows['id'][0]!r}: ")


def test_rows_that_where_leaves_out_are_not_given_twice(
    cli: Cli, rows: pl.DataFrame, given: Callable[..., list[str]]
) -> None:
    names = given(whole=rows.with_columns(split=pl.lit("test")), copy=rows.with_columns(split=None))
    found = cli("evaluate", *names, *COMMANDS["evaluate"], "--where", "split = 'test'")
    assert found.exit_code == 0 and json.loads(found.stdout)["rows"] == 60
    assert "id of another row" not in found.stderr


@pytest.mark.parametrize("command", ["evaluate", "crossval"])
def test_an_id_stands_once_in_each_fold(
    cli: Cli, rows: pl.DataFrame, given: Callable[..., list[str]], command: str
) -> None:
    folds = {f"f{fold}": rows.with_columns(fold=pl.lit(fold)) for fold in (1, 2)}
    options = ["--method", "max"] if command == "crossval" else COMMANDS[command]
    found = cli(command, *given(**folds), *options)
    assert found.exit_code == 0, found.stderr
    assert "id of another row" not in found.stderr


def test_an_id_of_rows_that_differ_is_noted(
    cli: Cli, rows: pl.DataFrame, given: Callable[..., list[str]]
) -> None:
    # Other corpora may use the same ids, and other models score the same clips.
    names = given(ours=rows, theirs=rows.head(3).with_columns(speaker=pl.lit("another")))
    found = cli("evaluate", *names, *COMMANDS["evaluate"])
    assert found.exit_code == 0 and json.loads(found.stdout)["rows"] == 63
    first = rows["id"].head(3).min()
    said = f"note: 3 rows have the id of another row, as {first!r} (ours.parquet, theirs.parquet)"
    assert said in found.stderr


def test_equal_rows_without_path_and_scores_may_be_two_clips(cli: Cli) -> None:
    rows = pl.DataFrame({"id": ["s1", "s1", "s2"], "label": ["sad"] * 3, "emotion": ["sad"] * 3})
    found = cli("evaluate", "--json", "--bootstrap", "0", input=csv(rows))
    assert found.exit_code == 0 and json.loads(found.stdout)["rows"] == 3
    assert "note: 1 row has the id of another row, as 's1'" in found.stderr


def test_rows_without_ids_are_not_looked_at(cli: Cli, rows: pl.DataFrame) -> None:
    without = pl.concat([rows, rows]).with_columns(id=pl.lit(None, dtype=pl.String))
    found = cli("evaluate", *COMMANDS["evaluate"], input=csv(without))
    assert found.exit_code == 0 and "id of another row" not in found.stderr
