"""`evaluate`, `report` and `apply` of tables that a language model reviewed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from finals import decided, judged
from pages import Page
from refusals import refusal
from samples import csv, score_rows
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from emobatch.tables.judged import COLUMNS, unjudged

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn")
THRESHOLDS = [round(0.05 * step, 2) for step in range(21)]


def measured(labels: pl.Series, emotions: pl.Series) -> dict[str, float]:
    """UA, WA and macro F1 by scikit-learn."""
    figures = {
        "UA": balanced_accuracy_score(labels, emotions),
        "WA": accuracy_score(labels, emotions),
        "F1": f1_score(labels, emotions, average="macro"),
    }
    return {name: round(100 * value, 2) for name, value in figures.items()}


def at(rows: pl.DataFrame, least: float) -> pl.Series:
    """The emotions, were the judge taken from this confidence on."""
    sure = (pl.col("judge_confidence") >= least).fill_null(False)
    said = pl.when(sure).then("judge_emotion").otherwise("fused_emotion")
    return rows.select(said).to_series()


def evaluate(cli: Cli, rows: pl.DataFrame, *options: object) -> dict[str, Any]:
    result = cli("evaluate", "--json", "--bootstrap", 50, *options, input=csv(rows))
    assert result.exit_code == 0, result.stderr
    return dict(json.loads(result.stdout))


def test_figures_before_after_fusion_and_after_the_judge(cli: Cli) -> None:
    rows = judged()
    found = evaluate(cli, rows)
    review = found["judge"]
    stages = {"before": "speech_emotion", "after": "emotion"}
    for stage, column in stages.items():
        assert found[stage] == measured(rows["label"], rows[column])
    fused = measured(rows["label"], rows["fused_emotion"])
    assert review["fused"] == fused != found["after"]
    assert review["difference"] == {
        name: round(found["after"][name] - fused[name], 2) for name in fused
    }
    low, high = review["intervals"]["difference"]["UA"]
    assert low < review["difference"]["UA"] < high
    counts = {name: review[name] for name in ("asked", "answered", "unreadable", "failed")}
    status = rows["judge_status"]
    assert counts == {
        "asked": (status != "not-asked").sum(),
        "answered": (status == "ok").sum(),
        "unreadable": (status == "unreadable").sum(),
        "failed": 0,
    }
    assert review["taken"] == (rows["decided_by"] == "judge").sum()


def test_changes_of_the_judge_are_told_from_those_of_fusion(cli: Cli) -> None:
    rows = judged()
    review = evaluate(cli, rows)["judge"]
    right, was = rows["emotion"] == rows["label"], rows["fused_emotion"] == rows["label"]
    assert review["paired_test"]["better"] == (right & ~was).sum()
    assert review["paired_test"]["worse"] == (was & ~right).sum() > 0
    changed = rows.filter(pl.col("emotion") != pl.col("fused_emotion"))
    assert sum(each["rows"] for each in review["changes"]) == len(changed)
    assert sum(each["worse"] for each in review["changes"]) == review["paired_test"]["worse"]
    # What is said of flagged rows is of fusion, whatever the judge made of them.
    plain, told = (
        cli("evaluate", "--bootstrap", 0, input=csv(each)).stdout for each in (unjudged(rows), rows)
    )
    (line,) = [each for each in plain.splitlines() if "rows flagged" in each]
    assert line in told.splitlines()


def test_figures_by_confidence(cli: Cli) -> None:
    rows = judged()
    for each in evaluate(cli, rows)["judge"]["by_confidence"]:
        sure = pl.col("judge_confidence")
        below = sure <= each["high"] if each["high"] == 1 else sure < each["high"]
        part = rows.filter((sure >= each["low"]) & below)
        assert each["rows"] == len(part) > 0
        for name, column in (("judge", "judge_emotion"), ("fused", "fused_emotion")):
            assert each[name] == round(100 * (part[column] == part["label"]).mean(), 2)


def test_the_threshold_is_chosen_on_val_and_never_on_test(cli: Cli) -> None:
    rows = judged()
    review = evaluate(cli, rows)["judge"]
    val, test = (rows.filter(split=name) for name in ("dev", "test"))
    without, *points = review["by_threshold"]["val"]
    assert without["threshold"] is None
    assert {n: without[n] for n in ("UA", "WA", "F1")} == measured(val["label"], at(val, 2))
    for point, least in zip(points, THRESHOLDS, strict=True):
        assert point == {"threshold": least, **measured(val["label"], at(val, least))}
    best = max(point["F1"] for point in points)
    assert best > without["F1"]
    assert review["threshold"] == max(p["threshold"] for p in points if p["F1"] == best)
    of_test = {each["threshold"]: each["F1"] for each in review["by_threshold"]["test"]}
    assert of_test[0.8] == measured(test["label"], at(test, 0.8))["F1"]
    # Labels of test rows and of train rows have no say.
    other = pl.when(split="dev").then("label").otherwise(pl.lit("sad"))
    assert (
        evaluate(cli, rows.with_columns(label=other))["judge"]["threshold"] == review["threshold"]
    )


def test_without_rows_of_val_no_threshold_is_chosen_and_words_say_so(cli: Cli) -> None:
    for rows in (judged().drop("split"), judged().filter(split="test")):
        review = evaluate(cli, rows)["judge"]
        assert "threshold" not in review and list(review["by_threshold"]) == ["all"]
        said = cli("evaluate", "--bootstrap", 0, input=csv(rows)).stdout
        assert "no threshold is chosen, for no row is of the split 'val'" in said


def test_a_judge_that_is_always_wrong_is_never_to_be_believed(cli: Cli) -> None:
    wrong = pl.when(label="sad").then(pl.lit("angry")).otherwise(pl.lit("sad"))
    rows = judged().with_columns(
        judge_emotion=pl.when(pl.col("judge_emotion").is_not_null()).then(wrong)
    )
    review = evaluate(cli, rows)["judge"]
    assert review["threshold"] is None
    said = cli("evaluate", "--bootstrap", 0, input=csv(rows)).stdout
    assert "never to take its word gives the highest macro F1" in said


def test_the_terminal_shows_all_three_stages(cli: Cli) -> None:
    lines = cli("evaluate", input=csv(judged())).stdout.splitlines()
    stages = [line.split()[0] for line in lines[3:14] if line[:1].isalpha()]
    assert stages == ["before", "fused", "after", "difference", "by"]
    tables = [line for line in lines if "→" in line or "to 100%" in line]
    assert tables and all(len(line) <= 80 for line in tables)


def test_tables_that_nobody_judged_have_none_of_it(cli: Cli) -> None:
    rows = decided().with_columns(judge_reason=pl.lit("the user's own"))
    assert "judge" not in evaluate(cli, rows)
    assert "fused" not in cli("evaluate", "--bootstrap", 0, input=csv(rows)).stdout


def test_the_report_shows_the_review(cli: Cli, tmp_path: Path) -> None:
    source, target = tmp_path / "judged.parquet", tmp_path / "page.html"
    rows = judged()
    # Fusion changed these, and the judge changed them back.
    back = rows.filter(
        pl.col("emotion") == pl.col("speech_emotion"), pl.col("emotion") != pl.col("fused_emotion")
    )
    assert len(back)
    rows.write_parquet(source)
    assert cli("report", source, "-o", target).exit_code == 0
    page = Page(target.read_text(encoding="utf-8"))
    review = evaluate(cli, rows)["judge"]
    better, worse = (review["paired_test"][name] for name in ("better", "worse"))
    assert f"The judge made {better} right and {worse} wrong" in page.text
    assert "What the judge changed" in page.text and "after the judge" in page.text
    assert f"from a confidence of {review['threshold']:.2f} on" in page.text
    assert "so it sounds" in page.text
    assert back["id"][0] in page.text


def test_what_is_decided_anew_was_not_judged(cli: Cli, tmp_path: Path) -> None:
    thresholds, target = tmp_path / "t.toml", tmp_path / "final.parquet"
    assert cli("calibrate", "-o", thresholds, input=csv(score_rows(300))).exit_code == 0
    rows = judged()
    wanted = cli("apply", "-t", thresholds, "-o", target, input=csv(unjudged(rows)))
    assert wanted.exit_code == 0 and "judge" not in wanted.stderr
    plain = pl.read_parquet(target)
    result = cli("apply", "-t", thresholds, "-o", target, input=csv(rows))
    assert "the columns of a review by `emobatch judge` are left out" in result.stderr
    assert not set(COLUMNS) & set(pl.read_parquet(target).columns)
    assert pl.read_parquet(target).equals(plain)


def test_a_manifests_own_emotion_is_not_judged(cli: Cli) -> None:
    rows = decided().drop("decided_by", "flagged", "mapped_emotion")
    rows = rows.with_columns(transcript=pl.lit("well"), transcript_source=pl.lit("asr"))
    rows = rows.with_columns(status=pl.lit("ok"))
    message = refusal(cli("judge", "--model", "m", "--dry-run", input=csv(rows)))
    assert "`emobatch apply` writes final tables" in message


def test_a_column_that_would_be_overwritten_is_refused(cli: Cli) -> None:
    rows = decided().with_columns(transcript=pl.lit("well"), judge_reason=pl.lit("mine"))
    message = refusal(cli("judge", "--model", "m", "--dry-run", input=csv(rows)))
    assert "'judge_reason' is not of emobatch's making" in message
