"""The published fold and the demo give what they gave when there was one method."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from published import DATA

Cli = Callable[..., Result]
BEFORE = DATA / "before"
DECISIONS = ["flagged", "mapped_emotion", "emotion", "decided_by"]
FIT, TEST = ["--where", "split != 'test'"], ["--where", "split = 'test'"]
# Table, rows to fit on, rows to decide.
TABLES = {
    "fold": (DATA / "iemocap_fold_03.parquet", FIT, TEST),
    "demo": (DATA / "demo_scores.parquet", [], []),
}


@pytest.fixture(params=sorted(TABLES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def compare(before: Any, after: Any, path: str = "") -> None:
    """Every value of before is in after, numbers to the last digits of a logarithm."""
    if isinstance(before, dict):
        assert isinstance(after, dict), path
        for key, value in before.items():
            assert key in after, f"{path}.{key} is missing"
            compare(value, after[key], f"{path}.{key}")
    elif isinstance(before, list):
        assert isinstance(after, list) and len(after) == len(before), path
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            compare(one, other, f"{path}[{place}]")
    elif isinstance(before, float):
        assert after == pytest.approx(before, abs=1e-9), path
    else:
        assert after == before, path


def test_thresholds(cli: Cli, name: str) -> None:
    table, fitted_on, _ = TABLES[name]
    result = cli("calibrate", table, *fitted_on, "--trained-on", "train")
    before = tomllib.loads((BEFORE / f"{name}_thresholds.toml").read_text())
    assert before.pop("format") == 1
    for key in ("date", "software"):
        del before["fitted"][key]
    if models := before["fitted"].get("models"):
        models["text"] = models.pop("sentiment")  # what it is called by now
    compare(before, tomllib.loads(result.stdout))


def test_decisions_of_thresholds_of_format_1(cli: Cli, name: str) -> None:
    table, _, decided = TABLES[name]
    final = cli("apply", table, "-t", BEFORE / f"{name}_thresholds.toml", *decided)
    assert final.exit_code == 0, final.stderr
    after = pl.read_csv(io.StringIO(final.stdout)).select(DECISIONS)
    assert after.equals(pl.read_csv(BEFORE / f"{name}_decisions.csv"))


def test_figures(cli: Cli, name: str, tmp_path: Path) -> None:
    table, _, decided = TABLES[name]
    final = tmp_path / "final.parquet"
    cli("apply", table, "-t", BEFORE / f"{name}_thresholds.toml", *decided, "-o", final)
    result = cli("evaluate", final, "--json")
    assert result.exit_code == 0, result.stderr
    before = json.loads((BEFORE / f"{name}_evaluation.json").read_text())
    compare(before, json.loads(result.stdout))
