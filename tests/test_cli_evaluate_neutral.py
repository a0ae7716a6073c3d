"""What `evaluate` and `report` show of rows that a hierarchy calls neutral."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from pages import blank_figures
from samples import LOOSE_TOML, csv, score_rows
from sklearn.metrics import precision_score, recall_score

from emobatch.cli.main import main

Cli = Callable[..., Result]
THRESHOLDS = (0.25, 0.3, 0.35, 0.4)


def rows() -> pl.DataFrame:
    return score_rows(200, seed=4)


def decided(folder: Path, threshold: str) -> str:
    """The rows as a hierarchy of that threshold decides them, as CSV."""
    file = folder / "hierarchy.toml"
    command = ["calibrate", "--method", "hierarchy", "--threshold", threshold, "-o", str(file)]
    fitted = CliRunner().invoke(main, command, input=csv(rows()))
    assert fitted.exit_code == 0, fitted.stderr
    return CliRunner().invoke(main, ["apply", "-t", str(file)], input=csv(rows())).stdout


def measured(cli: Cli, table: str) -> dict[str, Any]:
    return json.loads(cli("evaluate", "--json", "--bootstrap", 0, input=table).stdout)


def test_the_curve_is_what_each_threshold_decides(cli: Cli, tmp_path: Path) -> None:
    points = {
        point["threshold"]: point
        for point in measured(cli, decided(tmp_path, "0.3"))["neutral"]["by_threshold"]
    }
    assert len(points) == 21
    for threshold in (*THRESHOLDS, 0.8):
        final = pl.read_csv(io.StringIO(decided(tmp_path, str(threshold))))
        true, found = (final[name] == "neutral" for name in ("label", "emotion"))
        wanted = [100 * score(true, found) for score in (precision_score, recall_score)]
        point = points[threshold]
        assert [point["precision"], point["recall"]] == pytest.approx(wanted, abs=0.006)
    assert len({point["recall"] for point in points.values()}) > 2


def test_emotional_rows_called_neutral_are_counted_by_what_became_of_them(
    cli: Cli, tmp_path: Path
) -> None:
    table = decided(tmp_path, "0.35")
    final = pl.read_csv(io.StringIO(table))
    called = final.filter((pl.col("speech_neutral") >= 0.5) & (pl.col("label") != "neutral"))
    shares = {entry["label"]: entry for entry in measured(cli, table)["neutral"]["emotional"]}
    assert set(shares) == {None, "angry", "happy", "sad"}
    for label, entry in shares.items():
        mine = called if label is None else called.filter(pl.col("label") == label)
        right = (mine["label"] == mine["emotion"]).mean()
        assert entry["rows"] == len(mine)
        assert entry["put_right"] == pytest.approx(100 * right, abs=0.006)


def test_the_terminal_shows_the_papers_thresholds(cli: Cli, tmp_path: Path) -> None:
    table = decided(tmp_path, "0.3")
    found = measured(cli, table)["neutral"]
    lines = [line.split() for line in cli("evaluate", input=table).stdout.splitlines()]
    for point in found["by_threshold"]:
        shown = [f"{point[name]:.2f}" for name in ("threshold", "precision", "recall")]
        assert (shown in lines) is (point["threshold"] in THRESHOLDS)
    whole = found["emotional"][0]
    assert ["all", str(whole["rows"]), f"{whole['put_right']:.2f}"] in lines


def test_tables_of_other_methods_have_no_such_figures(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "selection.toml"
    file.write_text(LOOSE_TOML)
    table = cli("apply", "-t", file, input=csv(rows())).stdout
    assert "neutral" not in measured(cli, table)
    assert "neutral" not in measured(cli, csv(rows()))


def test_the_report_shows_the_rows_and_the_curve(cli: Cli, tmp_path: Path) -> None:
    final = tmp_path / "final.csv"
    final.write_text(decided(tmp_path, "0.3"))
    page = tmp_path / "report.html"
    with blank_figures(but=["neutral_by_threshold"]):
        assert cli("report", final, "-o", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert '<h2 id="neutral">Rows called neutral</h2>' in text
    points = measured(cli, final.read_text())["neutral"]["by_threshold"]
    first = points[0]
    said = f"at 0 precision {first['precision']:.2f} % and recall {first['recall']:.2f} %"
    assert said in text
    (tmp_path / "selection.toml").write_text(LOOSE_TOML)
    other = cli("apply", "-t", tmp_path / "selection.toml", input=csv(rows())).stdout
    with blank_figures():
        assert cli("report", "-o", page, input=other).exit_code == 0
    assert "Rows called neutral" not in page.read_text(encoding="utf-8")
