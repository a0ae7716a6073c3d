"""What a spreadsheet would take for a formula or a number stays the text that it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from finals import decided, scored
from samples import LOOSE_TOML
from sounds import save, tone

Cli = Callable[..., Result]
VALUES = [
    *("=1+1", "=HYPERLINK(\"https://example.org\",\"x\")", "+cmd|' /C calc'!A0", "-2+3"),
    *("@SUM(A1:A9)", "\t=1", "'=1", "+5", "-5", "007", "1e3", "TRUE", "2024-01-02", "3.10"),
]  # fmt: skip
COLUMNS = ["id", "speaker", "note"]


def column(text: str, name: str) -> list[str]:
    """A column of CSV, by Python's own reader."""
    return [row[name] for row in csv.DictReader(io.StringIO(text, newline=""))]


@pytest.mark.parametrize("extension", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_score_and_apply_carry_it_through(cli: Cli, tmp_path: Path, extension: str) -> None:
    save(tmp_path / "a.wav", tone(0.5))
    rows = pl.DataFrame({"path": ["a.wav"] * len(VALUES), **dict.fromkeys(COLUMNS, VALUES)})
    rows.with_columns(transcript=pl.Series(VALUES)).write_csv(tmp_path / "manifest.csv")
    (tmp_path / "t.toml").write_text(LOOSE_TOML)
    scores, final = tmp_path / f"scores{extension}", tmp_path / "final.csv"
    done = cli("score", tmp_path / "manifest.csv", "--models=demo", "-o", scores)
    assert done.exit_code == 0, done.stderr
    assert cli("apply", scores, "-t", tmp_path / "t.toml", "--force", "-o", final).exit_code == 0
    for name in [*COLUMNS, "transcript"]:
        assert column(final.read_text(encoding="utf-8"), name) == VALUES


def test_apply_to_standard_output_carries_it_through(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(LOOSE_TOML)
    values = pl.Series(VALUES)
    rows = scored(count=len(VALUES)).with_columns(values.alias(name) for name in COLUMNS)
    result = cli("apply", "-t", tmp_path / "t.toml", input=rows.write_csv())
    for name in COLUMNS:
        assert column(result.stdout, name) == VALUES


def test_folds_carry_it_through(cli: Cli) -> None:
    rows = pl.DataFrame({"speaker": [*"abcd"] * len(VALUES), "note": VALUES * 4})
    result = cli("folds", "-", "--scheme", "speaker", input=rows.write_csv())
    assert result.exit_code == 0, result.stderr
    assert set(column(result.stdout, "note")) == set(VALUES)


def test_figures_of_groups_are_named_by_it(cli: Cli, tmp_path: Path) -> None:
    rows = decided(count=140).with_columns(note=pl.Series(VALUES * 10))
    target = tmp_path / "figures.csv"
    assert cli("evaluate", "--by", "note", "-o", target, input=rows.write_csv()).exit_code == 0
    assert set(column(target.read_text(encoding="utf-8"), "group")) == {"", *VALUES}
