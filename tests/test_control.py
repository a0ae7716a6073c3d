"""The control for chance: what is gained when each row has the text of another."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from pages import Page
from published import FIXTURE
from refusals import refusal
from samples import csv, score_rows

from emobatch.cli.main import main
from emobatch.evaluation.metrics import metrics
from emobatch.fusion.control import DRAWS, Control, control, shuffled, shuffled_figures
from emobatch.fusion.selection.method import Selection
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn")
FIGURES = ("UA", "WA", "F1")
TOLD = {"angry": "negative", "happy": "positive", "neutral": "neutral", "sad": "negative"}


def crossval(rows: pl.DataFrame, *options: str) -> dict[str, Any]:
    arguments = ["crossval", "--by", "session", "--json", *options]
    result = CliRunner().invoke(main, arguments, input=csv(rows))
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def telling(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows, whose sentiment is what the label stands for."""
    return rows.with_columns(sentiment=pl.col("label").replace_strict(TOLD))


@pytest.fixture(scope="module")
def random_text() -> dict[str, Any]:
    """What `--control` finds of rows whose sentiment has nothing to do with their label."""
    return crossval(score_rows(900, seed=1), "--control")


@pytest.fixture(scope="module")
def telling_text() -> dict[str, Any]:
    return crossval(telling(score_rows(900)), "--control")


# Where one method shows it, of which there is the least to compute.
ALONE = ("--method", "selection-entropy", "--control")


@pytest.fixture(scope="module")
def of_one_method() -> dict[str, Any]:
    return crossval(telling(score_rows(300)), *ALONE)


@pytest.fixture(scope="module")
def of_the_fold() -> dict[str, Any]:
    """What `--control` finds of selection on the published fold."""
    result = CliRunner().invoke(main, ["crossval", str(FIXTURE.table), "--control", "--json"])
    found: dict[str, Any] = json.loads(result.stdout)["control"]["methods"]["selection"]
    return found


def scored(count: int = 300) -> pl.DataFrame:
    return with_uncertainty(score_rows(count).lazy(), FOUR).collect()


def test_a_gain_of_random_text_is_one_of_shuffled_text_too(random_text: dict[str, Any]) -> None:
    assert random_text["control"]["draws"] == DRAWS
    for figure in FIGURES:
        found = random_text["control"]["methods"]["selection"][figure]
        assert found["shuffled"]["low"] <= found["gain"] <= found["shuffled"]["high"]


def test_a_gain_of_telling_text_vanishes_when_it_is_shuffled(telling_text: dict[str, Any]) -> None:
    for figure in FIGURES:
        found = telling_text["control"]["methods"]["selection"][figure]
        assert found["gain"] > found["shuffled"]["high"] + 2
        assert found["shuffled"]["low"] <= found["shuffled"]["mean"] <= found["shuffled"]["high"]


def test_gains_are_those_of_the_means(telling_text: dict[str, Any]) -> None:
    methods, controls = telling_text["methods"], telling_text["control"]["methods"]
    assert list(controls) == ["selection-entropy", "selection-varentropy", "selection"]
    for method, found in controls.items():
        for figure in FIGURES:
            gain = methods[method][figure]["mean"] - methods["speech"][figure]["mean"]
            assert found[figure]["gain"] == pytest.approx(gain, abs=0.011)


def test_without_it_everything_else_is_the_same(telling_text: dict[str, Any]) -> None:
    plain = crossval(telling(score_rows(900)))
    assert "control" not in plain
    assert {name: value for name, value in telling_text.items() if name != "control"} == plain


def test_the_rows_order_makes_no_difference(of_one_method: dict[str, Any]) -> None:
    rows = telling(score_rows(300))
    assert crossval(rows.sample(fraction=1, shuffle=True, seed=1), *ALONE) == of_one_method


def test_of_the_published_fold_chance_explains_the_gain(of_the_fold: dict[str, Any]) -> None:
    found = of_the_fold["UA"]
    assert found["gain"] == pytest.approx(1.51, abs=0.01)
    assert found["shuffled"]["low"] < found["gain"] < found["shuffled"]["high"]


def test_what_is_said_of_a_row_goes_together_and_only_among_those_that_say_something() -> None:
    rows = scored().with_columns(
        sentiment=pl.when(pl.int_range(pl.len()) % 3 > 0).then("sentiment"),
        transcript=pl.col("id"),
        text_positive=pl.col("sentiment_score"),
    )
    drawn = shuffled(rows, 0)
    text = ["sentiment", "sentiment_score", "transcript", "text_positive"]
    assert drawn.select(pl.exclude(text)).equals(rows.select(pl.exclude(text)))
    silent = pl.col("sentiment").is_null()
    assert drawn.filter(silent).equals(rows.filter(silent))
    assert drawn.select(text).sort("transcript").equals(rows.select(text).sort("transcript"))
    moved = (drawn["transcript"] != rows["transcript"]).sum()
    assert moved > 0.9 * rows["sentiment"].count()
    assert not drawn.equals(shuffled(rows, 1))


def test_figures_of_draws_are_of_rows_with_the_text_of_others() -> None:
    rows = with_uncertainty(telling(score_rows(300)).lazy(), FOUR).collect()
    method = Selection.fit(rows, FOUR)
    figures = shuffled_figures(rows, method)
    for draw in (0, DRAWS - 1):
        decided = method.decide(shuffled(rows, draw).lazy()).collect()
        assert figures[draw] == metrics(rows["label"], decided["emotion"], FOUR.classes)
    found = control(rows, method)
    before = metrics(rows["label"], rows["speech_emotion"], FOUR.classes)
    for figure in FIGURES:
        gains = [draw[figure] - before[figure] for draw in figures]
        assert found.mean(figure) == pytest.approx(np.mean(gains), abs=0.005)
        # Student's t with 19 degrees of freedom, as tables of it have it.
        far = 2.0930 * np.std(gains, ddof=1) * np.sqrt(1 + 1 / 20)
        wanted = (np.mean(gains) - far, np.mean(gains) + far)
        assert found.interval(figure) == pytest.approx(wanted, abs=0.006)


def test_a_gain_is_over_the_speech_branch() -> None:
    figures = [dict.fromkeys(FIGURES, value) for value in (60.0, 62.5, 59.0, 59.0)]
    found = Control.of(figures[0], figures[1], figures[2:]).as_dict()["WA"]
    assert found == {"gain": 2.5, "shuffled": {"mean": -1.0, "low": -1.0, "high": -1.0}}


def test_the_tables_have_rows_of_shuffled_text(
    cli: Cli, tmp_path: Path, of_one_method: dict[str, Any]
) -> None:
    rows = csv(telling(score_rows(300)))
    arguments = ["crossval", "--by", "session", *ALONE]
    lines = cli(*arguments, input=rows).stdout.splitlines()
    found, name = of_one_method["control"]["methods"][ALONE[1]], ALONE[1]
    at = next(n for n, line in enumerate(lines) if line.split()[:1] == [name] and "+" in line)
    gains = [f"{found[figure]['gain']:+.2f}" for figure in FIGURES]
    assert lines[at].split() == [name, *gains]
    means = [f"{found[figure]['shuffled']['mean']:+.2f}" for figure in FIGURES]
    assert lines[at + 1].split() == ["text", "shuffled", *means]
    low, high = (found["UA"]["shuffled"][bound] for bound in ("low", "high"))
    assert f"{low:.2f} to {high:.2f}" in lines[at + 2]
    assert cli(*arguments, "-o", tmp_path / "t.csv", input=rows).exit_code == 0
    table = pl.read_csv(tmp_path / "t.csv")
    drawn = table.filter(pl.col("method") == f"{name}, text shuffled")
    plain = table.filter(pl.col("method") == "speech")
    gain = drawn["UA"].mean() - plain["UA"].mean()  # type: ignore[operator]
    assert gain == pytest.approx(found["UA"]["shuffled"]["mean"], abs=0.02)


def test_the_report_shows_it(cli: Cli, tmp_path: Path, of_the_fold: dict[str, Any]) -> None:
    final, thresholds = tmp_path / "final.parquet", FIXTURE.committed
    where = ["--where", "split = 'test'"]
    assert cli("apply", FIXTURE.table, "-t", thresholds, *where, "-o", final).exit_code == 0
    options = ["-t", thresholds, "-o", tmp_path / "r.html"]
    assert cli("report", final, *options).exit_code == 0
    assert "text shuffled" not in (tmp_path / "r.html").read_text()
    result = cli("report", final, *options, "--control")
    assert result.exit_code == 0, result.stderr
    text = "".join(Page((tmp_path / "r.html").read_text()).text.split())
    found = of_the_fold["UA"]
    bounds = f"{found['shuffled']['low']:.2f}to{found['shuffled']['high']:.2f}"
    shown = f"UA{found['gain']:.2f}{found['shuffled']['mean']:.2f}{bounds}"
    assert shown.replace("-", "\N{MINUS SIGN}") in text


def test_the_report_needs_the_method_for_it(cli: Cli, tmp_path: Path) -> None:
    rows = csv(score_rows(60))
    for method, options in (("selection", []), ("speech", ["-t", tmp_path / "t.toml"])):
        fitted = cli("calibrate", "--method", method, "-o", tmp_path / "t.toml", input=rows)
        assert fitted.exit_code == 0, fitted.stderr
        final = cli("apply", "-t", tmp_path / "t.toml", input=rows).stdout
        assert "emotion" in pl.read_csv(io.StringIO(final)).columns
        said = cli("report", "--control", *options, "-o", tmp_path / "r.html", input=final)
        assert "--control" in refusal(said)
        assert not (tmp_path / "r.html").exists()


def test_copies_of_rows_that_were_fitted_on_are_said(
    cli: Cli, caplog: pytest.LogCaptureFixture, random_text: dict[str, Any]
) -> None:
    assert random_text["in_sample"]["rows"] == 0
    rows = score_rows(900)
    copied = pl.concat([rows, rows.filter(session="1")[:12].with_columns(session=pl.lit("2"))])
    found = crossval(copied)
    assert found["in_sample"] == {"rows": 24, "folds": {"1": 12, "2": 12, "3": 0}}
    assert "fold 1: 12 of 300 rows that test have the id of a row that was fitted on" in caplog.text
    assert "fold 3" not in caplog.text


def test_thresholds_of_a_fold_say_which_rows_they_were_fitted_on(cli: Cli, tmp_path: Path) -> None:
    rows = csv(score_rows(900))
    folder = tmp_path / "thresholds"
    crossed = cli("crossval", "--by", "session", "--thresholds-out", folder, input=rows)
    assert crossed.exit_code == 0, crossed.stderr
    final = tmp_path / "final.csv"
    assert cli("apply", "-t", folder / "session_2.toml", "-o", final, input=rows).exit_code == 0
    measured = json.loads(cli("evaluate", final, "--json", "--by", "session").stdout)
    assert measured["in_sample"]["rows"] == 600
    held_out = ["--where", "session = '2'"]
    measured = json.loads(cli("evaluate", final, "--json", *held_out).stdout)
    assert measured["in_sample"]["rows"] == 0
