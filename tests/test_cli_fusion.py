"""Methods of fusion by the commands: apply --adapt, shards, gates, and what they say."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fusion_reference as reference
import numpy as np
import polars as pl
import pytest
from click.testing import Result
from refusals import refusal

from emobatch.tables import stored, writing

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("unresampled")
FINAL = [f"final_{name}" for name in reference.CLASSES]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "scores.parquet"
    reference.table().write_parquet(file)
    return file


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.stderr
    return result


def test_adapting_needs_no_label_and_no_text_and_says_how_many_rows_there_are(
    cli: Cli, table: Path
) -> None:
    final = table.with_name("final.csv")
    rows = pl.read_parquet(table).drop("label", "sentiment", "sentiment_score")
    rows.write_parquet(table)
    result = done(cli("apply", table, "--adapt", "speaker", "-o", final))
    counts = rows["speaker"].value_counts().sort("count", "speaker").rows()
    assert ", ".join(f"{name} {count}" for name, count in counts) in result.stderr
    written = pl.read_csv(final)
    assert written["id"].cast(pl.Int64).to_list() == list(range(600))
    assert written.select(FINAL).sum_horizontal().to_numpy() == pytest.approx(1)
    together = done(cli("apply", table, "--adapt", "speaker", "--context", "dialogue"))
    assert ",context" in together.stdout


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ((), 2, "--adapt speaker"),
        (("--adapt", "speaker", "-t", "x.toml"), 1, "either --thresholds"),
        (("-t", "x.toml", "--context", "dialogue"), 1, "--context goes with --adapt"),
    ],
    ids=["neither", "both", "context"],
)
def test_a_file_or_adaptation_is_wanted(
    cli: Cli, table: Path, options: tuple[str, ...], status: int, said: str
) -> None:
    result = cli("apply", table, *options)
    assert result.exit_code == status
    assert said in result.stderr


def test_shards_are_to_be_merged_where_rows_count_for_each_other(cli: Cli, table: Path) -> None:
    shard = table.with_name("shard.parquet")
    made = {"shard": {"index": 0, "count": 2, "manifest": "0" * 64}}
    writing.write(pl.scan_parquet(table), shard, made)
    assert "shard" in stored.metadata(str(shard))
    assert "emobatch merge" in refusal(cli("apply", shard, "--adapt", "speaker"))
    thresholds = table.with_name("t.toml")
    fit = ("--method", "logistic", "-o", thresholds)
    assert "emobatch merge" in refusal(cli("calibrate", shard, *fit))
    done(cli("calibrate", table, *fit))
    assert "emobatch merge" in refusal(cli("apply", shard, "-t", thresholds))
    done(cli("calibrate", shard, "--centre", "none", *fit))
    done(cli("apply", shard, "-t", thresholds))


def test_a_final_table_is_decided_anew(cli: Cli, table: Path) -> None:
    for method in ("logistic", "selection"):
        done(cli("calibrate", table, "--method", method, "-o", table.with_name(f"{method}.toml")))

    def apply(source: Path, method: str, target: str) -> pl.DataFrame:
        file = table.with_name(target)
        done(cli("apply", source, "-t", table.with_name(f"{method}.toml"), "-o", file))
        return pl.read_parquet(file)

    once = apply(table, "logistic", "once.parquet")
    assert apply(table.with_name("once.parquet"), "logistic", "twice.parquet").equals(once)
    other = apply(table.with_name("once.parquet"), "selection", "other.parquet")
    assert other.equals(apply(table, "selection", "plain.parquet"))
    assert not set(FINAL) & set(other.columns)


def test_a_column_of_that_name_is_not_overwritten(cli: Cli, table: Path) -> None:
    rows = pl.read_parquet(table).with_columns(final_sad=pl.lit("mine"))
    said = refusal(cli("apply", "--adapt", "speaker", input=rows.write_csv()))
    assert "'final_sad' is not of emobatch's making" in said


def test_probabilities_of_a_final_csv_are_read_as_numbers(cli: Cli, table: Path) -> None:
    final = table.with_name("final.csv")
    done(cli("apply", table, "--adapt", "speaker", "-o", final))
    kept = done(cli("evaluate", final, "--json", "--where", "final_sad > 0.5"))
    assert 0 < json.loads(kept.stdout)["rows"] < 480


def test_a_speaker_of_one_class_is_noted(cli: Cli, table: Path) -> None:
    # Of s0 all rows are of one class, and surely so.
    mine = pl.when(pl.col("speaker") == "s0")
    sure = [
        mine.then(0.97 if name == "speech_sad" else 0.01).otherwise(name).alias(name)
        for name in (f"speech_{each}" for each in reference.CLASSES)
    ]
    few = table.with_name("few.parquet")
    pl.read_parquet(table).with_columns(sure).write_parquet(few)
    thresholds = table.with_name("t.toml")
    result = done(cli("calibrate", table, "--method", "logistic", "-o", thresholds))
    assert "few classes" not in result.stderr
    result = done(cli("apply", few, "-t", thresholds))
    assert result.stderr.count("the rows of 1 speakers seem to be of few classes") == 1
    assert "s0" in result.stderr.split("few classes")[1]


def test_a_gate_asks_for_the_share_that_was_wished(cli: Cli, table: Path) -> None:
    thresholds, final = table.with_name("t.toml"), table.with_name("final.parquet")
    options = ("--method", "logistic", "--gate-share", "0.2")
    result = done(cli("calibrate", table, *options, "-o", thresholds))
    fitted = tomllib.loads(thresholds.read_text())["fitted"]["gate"]
    assert "asked about" in result.stderr
    for figure in (fitted["gated"], fitted["whole"]):
        assert f"{figure:.2f}" in result.stderr
    done(cli("apply", table, "-t", thresholds, "-o", final))
    decided = pl.read_parquet(final)
    assert decided["flagged"].mean() == pytest.approx(0.2, abs=0.005)
    assert set(decided.filter(~pl.col("flagged"))["decided_by"]) == {"speech"}
    # What is not asked for makes no difference.
    mute = pl.read_parquet(table).with_columns(
        pl.when(decided["flagged"]).then("sentiment").alias("sentiment")
    )
    mute.write_parquet(table)
    done(cli("apply", table, "-t", thresholds, "-o", final))
    assert pl.read_parquet(final)["emotion"].equals(decided["emotion"])


@pytest.mark.parametrize(
    "options",
    [("--C", "0"), ("--C", "much"), ("--gate-share", "2"), ("--threshold", "-1")],
    ids=" ".join,
)
def test_numbers_out_of_range_are_wrong_usage(
    cli: Cli, table: Path, options: tuple[str, str]
) -> None:
    result = cli("calibrate", table, "--method", "logistic", *options)
    assert result.exit_code == 2
    assert options[0] in result.stderr


def test_a_penalty_is_chosen_by_leaving_speakers_out(cli: Cli, table: Path) -> None:
    thresholds = table.with_name("t.toml")
    # Of fewer rows, which planes part, the weakest penalties take longest.
    reference.table(600, speakers=2).write_parquet(table)
    options = ("--method", "logistic", "--centre", "none", "--C", "grid")
    result = done(cli("calibrate", table, *options, "-o", thresholds))
    assert "C, leaving speakers out" in result.stderr
    strength = tomllib.loads(thresholds.read_text())["logistic"]["C"]
    assert strength in (0.001, 0.01, 0.1, 1, 10, 100, 1000)
    one = pl.read_parquet(table).drop("speaker")
    said = refusal(cli("calibrate", *options, input=one.write_csv()))
    assert "speaker" in said


def test_rows_that_the_speech_model_saw_count_as_the_user_says(cli: Cli, table: Path) -> None:
    def fitted(*options: str) -> dict[str, object]:
        target = table.with_name("t.toml")
        done(cli("calibrate", table, "--method", "logistic", *options, "-o", target))
        found: dict[str, object] = tomllib.loads(target.read_text())["logistic"]
        return found

    plain = fitted()
    assert fitted("--trained-on", "train") == plain
    assert fitted("--trained-on", "none") != plain


def test_what_reading_the_neutral_rows_came_to(cli: Cli, table: Path) -> None:
    rng = np.random.default_rng(0)
    said = rng.dirichlet([1.0, 1.0, 1.0], 600)
    said[:, 1] += 0.2
    said /= said.sum(axis=1, keepdims=True)
    columns = {f"text_{name}": said[:, place] for place, name in enumerate(reference.SENTIMENTS)}
    top = {
        "sentiment": np.array(reference.SENTIMENTS)[said.argmax(axis=1)],
        "sentiment_score": said.max(axis=1),
    }
    pl.read_parquet(table).with_columns(**columns, **top).write_parquet(table)

    def measured(threshold: str) -> dict[str, Any]:
        thresholds, final = table.with_name("t.toml"), table.with_name("final.parquet")
        options = ("--method", "hierarchy", "--threshold", threshold)
        done(cli("calibrate", table, *options, "-o", thresholds))
        done(cli("apply", table, "-t", thresholds, "-o", final))
        found: dict[str, Any] = json.loads(done(cli("evaluate", final, "--json")).stdout)
        return found

    points = {at["threshold"]: at for at in measured("0.3")["neutral"]["by_threshold"]}
    for threshold in ("0.3", "0.45"):
        last = measured(threshold)["neutral"]["emotional"][0]
        rows = pl.read_parquet(table.with_name("final.parquet")).drop_nulls("label")
        called, true = rows["emotion"] == "neutral", rows["label"] == "neutral"
        at, both = points[float(threshold)], 100 * int((called & true).sum())
        assert at["precision"] == pytest.approx(both / called.sum(), abs=0.006)
        assert at["recall"] == pytest.approx(both / true.sum(), abs=0.006)
    assert len({at["recall"] for at in points.values()}) > 5
    missed = rows.filter(pl.col("speech_neutral") >= 0.5, pl.col("label") != "neutral")
    right = (missed["emotion"] == missed["label"]).mean()
    assert last["rows"] == len(missed)
    assert last["put_right"] == pytest.approx(100 * float(right), abs=0.006)  # type: ignore[arg-type]
