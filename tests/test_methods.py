"""A method is one class and one line: every command then takes it."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import polars as pl
import pytest
import soundfile
from click.testing import Result
from espeak import RATE, speak
from published import DATA
from samples import csv, score_rows

from emobatch.fusion.checks import check_names
from emobatch.fusion.description import Section, Table, Value
from emobatch.fusion.method import Method
from emobatch.fusion.methods import METHODS
from emobatch.tasks.task import Task

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn", "unresampled")


@dataclass(frozen=True)
class Trusting(Method):
    """Takes the likeliest class of a sentiment wherever its score is high enough."""

    name = "trusting"
    header = "A positive sentiment is believed from this score on."
    task: Task
    score: float

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        said = rows.filter((pl.col("sentiment") == "positive") & (pl.col("label") == "happy"))
        return cls(task, float(said["sentiment_score"].quantile(0.01) or 1.0) / 2)

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        scored = pl.col("speech_emotion").is_not_null()
        sure = (pl.col("sentiment") == "positive") & (pl.col("sentiment_score") >= self.score)
        believed = self.needs_text() & sure.fill_null(False)
        return rows.with_columns(
            emotion=pl.when(believed).then(pl.lit("happy")).otherwise("speech_emotion"),
            decided_by=pl.when(scored).then(pl.when(believed).then(pl.lit("text")).otherwise(pl.lit("speech"))),
        )  # fmt: skip

    def needs_text(self) -> pl.Expr:
        return pl.col("speech_emotion") == "neutral"

    def to_document(self) -> dict[str, Any]:
        return {"trust": {"score": self.score}}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        check_names(document, ("trust", "fitted"), "the file")
        return cls(task, document["trust"]["score"])

    def describe(self) -> Sequence[Section]:
        row = ("positive", Value(self.score, 4))
        return [Section("Trust", (Table("Believed", ("sentiment", "score ≥"), (row,)),))]


@pytest.fixture(autouse=True)
def trusting() -> Iterator[None]:
    METHODS.register("trusting", Trusting)
    yield
    METHODS.remove("trusting")


@pytest.fixture
def thresholds(cli: Cli, tmp_path: Path) -> Path:
    """Fitted on the demo's scores."""
    target = tmp_path / "trust.toml"
    result = cli("calibrate", DATA / "demo_scores.parquet", "--method", "trusting", "-o", target)
    assert result.exit_code == 0, result.stderr
    assert "score ≥" in result.stderr
    return target


def test_calibrate_writes_its_sections(thresholds: Path) -> None:
    document = tomllib.loads(thresholds.read_text())
    assert (document["format"], document["method"]) == (2, "trusting")
    assert set(document["trust"]) == {"score"}
    assert "# A positive sentiment is believed" in thresholds.read_text()


def test_apply_decides_by_it(cli: Cli, thresholds: Path) -> None:
    score = tomllib.loads(thresholds.read_text())["trust"]["score"]
    final = cli("apply", "-t", thresholds, input=csv(score_rows(60)))
    assert final.exit_code == 0, final.stderr
    rows = pl.read_csv(io.StringIO(final.stdout))
    assert rows.columns[-2:] == ["emotion", "decided_by"]
    believed = (
        (pl.col("speech_emotion") == "neutral")
        & (pl.col("sentiment") == "positive")
        & (pl.col("sentiment_score") >= score)
    )
    assert rows.filter(believed)["emotion"].unique().to_list() == ["happy"]
    others = rows.filter(~believed)
    assert others["emotion"].equals(others["speech_emotion"], check_names=False)


def test_its_final_table_can_be_decided_by_another_method(cli: Cli, thresholds: Path) -> None:
    final = cli("apply", "-t", thresholds, input=csv(score_rows(60))).stdout
    again = cli("apply", "-t", DATA / "before" / "demo_thresholds.toml", input=final)
    direct = cli("apply", "-t", DATA / "before" / "demo_thresholds.toml", input=csv(score_rows(60)))
    assert again.exit_code == 0, again.stderr
    assert again.stdout == direct.stdout


def test_crossval_measures_it_beside_the_speech_branch(cli: Cli, tmp_path: Path) -> None:
    rows = score_rows(300).with_columns(fold=pl.Series([str(n % 3) for n in range(300)]))
    result = cli("crossval", "--method", "trusting,selection", "--json", input=csv(rows))
    assert result.exit_code == 0, result.stderr
    methods = json.loads(result.stdout)["methods"]
    assert {"speech", "trusting", "selection"} <= set(methods)
    assert [fold["fold"] for fold in methods["trusting"]["UA"]["folds"]] == ["0", "1", "2"]
    shown = cli("crossval", "--method", "trusting", input=csv(rows)).stdout
    # What flags no row is told from what flags none of many.
    target = tmp_path / "folds.csv"
    cli("crossval", "--method", "trusting", "-o", target, input=csv(rows))
    counted = pl.read_csv(target).select("method", "flagged").unique().rows()
    assert set(counted) == {("speech", 0), ("trusting", None)}
    assert "trusting" in shown and "selection" not in shown


def test_evaluate_and_report_show_it(cli: Cli, thresholds: Path, tmp_path: Path) -> None:
    final = tmp_path / "final.parquet"
    cli("apply", DATA / "demo_scores.parquet", "-t", thresholds, "-o", final)
    measured = cli("evaluate", final, "--json", "--bootstrap", 0)
    assert measured.exit_code == 0, measured.stderr
    assert "after" in json.loads(measured.stdout)
    page = tmp_path / "report.html"
    reported = cli("report", final, "-t", thresholds, "-o", page)
    assert reported.exit_code == 0, reported.stderr
    html = page.read_text(encoding="utf-8")
    assert "<h2" in html and "Trust" in html and "score ≥" in html


def test_it_gates_scoring(
    cli: Cli, thresholds: Path, tmp_path: Path, model_options: list[str]
) -> None:
    # The demo's thresholds were fitted on other models than these, which a gate refuses.
    text = thresholds.read_text()
    thresholds.write_text(text[: text.index("[fitted")])
    for number in range(6):
        speech = speak(f"this is sentence number {number}")
        soundfile.write(tmp_path / f"{number}.wav", speech, RATE)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path\n" + "".join(f"{number}.wav\n" for number in range(6)))
    whole = cli("score", manifest, *model_options)
    gated = cli("score", manifest, "--gate", thresholds, *model_options)
    assert gated.exit_code == 0, gated.stderr
    sources = pl.read_csv(io.StringIO(gated.stdout))
    needed = sources["speech_emotion"] == "neutral"
    assert (sources["transcript_source"] == "gated").to_list() == (~needed).to_list()
    decided = [
        pl.read_csv(io.StringIO(cli("apply", "-t", thresholds, input=table).stdout))["emotion"]
        for table in (whole.stdout, gated.stdout)
    ]
    assert decided[0].equals(decided[1])


def test_a_method_that_reads_no_text_needs_none(cli: Cli, tmp_path: Path) -> None:
    rows = score_rows(60).drop("sentiment", "sentiment_score")
    fitted = cli("calibrate", "--method", "speech", "-o", tmp_path / "t.toml", input=csv(rows))
    assert fitted.exit_code == 0, fitted.stderr
    final = cli("apply", "-t", tmp_path / "t.toml", input=csv(rows))
    assert final.exit_code == 0, final.stderr
    decided = pl.read_csv(io.StringIO(final.stdout))
    assert decided["emotion"].equals(decided["speech_emotion"], check_names=False)
    folds = rows.with_columns(fold=pl.int_range(60) % 2)
    assert cli("crossval", "--method", "speech", input=csv(folds)).exit_code == 0
    assert "no column sentiment" in cli("crossval", input=csv(folds)).stderr


def test_what_a_method_cannot_resample_is_refused(cli: Cli) -> None:
    options = ("--method", "speech", "--bootstrap", 100)
    result = cli("calibrate", *options, input=csv(score_rows()))
    assert result.exit_code == 1 and "speech has nothing to resample" in result.stderr


def test_what_a_variant_of_selection_cannot_resample_is_refused(cli: Cli) -> None:
    options = ("--method", "selection-entropy", "--bootstrap", 100)
    result = cli("calibrate", *options, input=csv(score_rows()))
    assert result.exit_code == 1 and "selection-entropy has nothing to resample" in result.stderr


@pytest.mark.parametrize("command", ["calibrate", "crossval"])
def test_an_unknown_method_is_wrong_usage(cli: Cli, command: str) -> None:
    result = cli(command, "--method", "selektion", input=csv(score_rows()))
    assert result.exit_code == 2
    assert "did you mean 'selection'?" in result.stderr


def test_an_option_of_another_method_is_refused(cli: Cli) -> None:
    result = cli(
        "calibrate", "--method", "trusting", "--protocol", "paper", input=csv(score_rows())
    )
    assert result.exit_code == 1
    assert "--protocol is for --method selection" in result.stderr
