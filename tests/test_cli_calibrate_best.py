"""`calibrate --method best`: which method it takes, and what it says of that."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from samples import csv, score_rows
from sklearn.metrics import recall_score

from emobatch.fusion.best import choose
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("unresampled")
SIMPLEST_FIRST = ("speech", "max", "average", "hierarchy", "selection", "logistic")


def spoken(count: int, speakers: int = 5) -> pl.DataFrame:
    name = pl.concat_str(pl.lit("s"), pl.int_range(pl.len()) % speakers)
    return score_rows(count, seed=3).with_columns(speaker=name)


def telling(rows: pl.DataFrame) -> pl.DataFrame:
    """Sentiments that tell what the labels are, so that most methods gain a lot."""
    meant = {"angry": "negative", "sad": "negative", "neutral": "neutral", "happy": "positive"}
    return rows.with_columns(
        sentiment=pl.col("label").replace_strict(meant), sentiment_score=pl.lit(0.97)
    )


def best(cli: Cli, rows: pl.DataFrame, file: Path, *options: str) -> dict[str, Any]:
    result = cli("calibrate", "--method", "best", *options, "-o", file, input=csv(rows))
    assert result.exit_code == 0, result.stderr
    return tomllib.loads(file.read_text())


def left_out(cli: Cli, rows: pl.DataFrame, method: str, file: Path) -> list[float]:
    """UA of each speaker in turn, of what is fitted on the others' labels."""
    found = []
    for speaker in sorted(set(rows["speaker"])):
        known = rows.with_columns(label=pl.when(pl.col("speaker") != speaker).then("label"))
        fitted = cli("calibrate", "--method", method, "-o", file, input=csv(known))
        assert fitted.exit_code == 0, fitted.stderr
        final = cli("apply", "-t", file, input=csv(rows)).stdout
        mine = pl.read_csv(io.StringIO(final)).filter(pl.col("speaker") == speaker)
        found.append(100 * recall_score(mine["label"], mine["emotion"], average="macro"))
    return found


def test_the_simplest_within_a_standard_error_of_the_best_is_taken(
    cli: Cli, tmp_path: Path
) -> None:
    rows = spoken(200, speakers=4)
    some = pl.int_range(pl.len()) % 3 == 0
    rows = pl.concat([telling(rows).filter(some), rows.filter(~some)])
    document = best(cli, rows, tmp_path / "best.toml")
    chosen = document["fitted"]["chosen"]
    means = chosen["UA"]
    assert list(means) == list(SIMPLEST_FIRST)
    found = {name: left_out(cli, rows, name, tmp_path / "t.toml") for name in ("speech", "average")}
    for name, values in found.items():
        assert means[name] == pytest.approx(np.mean(values), abs=0.011)
    assert max(means, key=lambda name: means[name]) == "average"
    error = np.std(found["average"], ddof=1) / 2
    assert chosen["standard_error"] == pytest.approx(error, abs=0.011)
    assert 0 < means["average"] - means["speech"] < error
    assert document["method"] == "speech"
    assert (chosen["speakers"], chosen["groups"]) == (4, 4)
    assert chosen["why"].startswith("speech is the simplest whose mean UA")


def test_what_gains_much_is_taken_and_its_file_is_the_ordinary_one(
    cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = telling(spoken(200, speakers=3))
    document = best(cli, rows, tmp_path / "best.toml")
    name, chosen = document["method"], document["fitted"]["chosen"]
    assert chosen["UA"][name] > chosen["UA"]["speech"] + 5
    assert f"note: --method best: {chosen['why']}" in caplog.messages
    own = tmp_path / "own.toml"
    assert cli("calibrate", "--method", name, "-o", own, input=csv(rows)).exit_code == 0
    plain = tomllib.loads(own.read_text())
    chosen_alone = document["fitted"].pop("chosen")
    assert chosen_alone and document == plain
    assert cli("apply", "-t", tmp_path / "best.toml", input=csv(rows)).exit_code == 0


def test_many_speakers_are_left_out_in_ten_groups_whatever_the_rows_order() -> None:
    rows = with_uncertainty(spoken(240, speakers=24).lazy(), FOUR).collect()
    turned = rows.sample(fraction=1, shuffle=True, seed=1)
    options: dict[str, dict[str, Any]] = {"max": {}, "speech": {}}
    first, again = (choose(each, rows.clear(), FOUR, options) for each in (rows, turned))
    assert (first.speakers, first.groups) == (24, 10)
    assert first == again


def test_a_method_that_cannot_be_fitted_is_passed_over_with_the_reason(
    cli: Cli, tmp_path: Path
) -> None:
    rows = telling(spoken(160, speakers=2)).filter(pl.col("label") != "neutral")
    names = ["speech_angry", "speech_happy", "speech_sad"]
    total = pl.sum_horizontal(names)
    rows = rows.drop("speech_neutral").with_columns(pl.col(name) / total for name in names)
    chosen = best(cli, rows, tmp_path / "t.toml")["fitted"]["chosen"]
    assert "neutral" in chosen["skipped"]["hierarchy"] and "hierarchy" not in chosen["UA"]


def test_options_go_to_the_methods_that_have_them(cli: Cli, tmp_path: Path) -> None:
    rows = spoken(120, speakers=3)
    plain = best(cli, rows, tmp_path / "t.toml")["fitted"]["chosen"]["UA"]
    none = best(cli, rows, tmp_path / "t.toml", "--centre", "none")["fitted"]["chosen"]["UA"]
    assert {name for name in plain if plain[name] != none[name]} == {"logistic"}


@pytest.mark.parametrize("rows", [spoken(60).drop("speaker"), spoken(60, speakers=1)])
def test_without_two_speakers_there_is_no_choice(cli: Cli, rows: pl.DataFrame) -> None:
    said = refusal(cli("calibrate", "--method", "best", input=csv(rows)))
    assert "add a column 'speaker' to the table, or name a method" in said


def test_the_choice_is_in_the_provenance_of_what_it_decides(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "rows.parquet"
    spoken(100, speakers=2).write_parquet(table)
    cli("calibrate", table, "--method", "best", "-o", tmp_path / "t.toml")
    cli("apply", table, "-t", tmp_path / "t.toml", "-o", tmp_path / "final.csv")
    stored = json.loads((tmp_path / "final.csv.meta.json").read_text())
    assert stored["thresholds"]["chosen"]["groups"] == 2
