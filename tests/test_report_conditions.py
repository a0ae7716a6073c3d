"""Improvised and scripted rows apart, in reports of rows that were decided by their dialogue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from pages import Page
from sklearn.metrics import recall_score

from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn")
HEADER = ["", "rows", "neighbours that share a label, %", "UA before, %", "after, %", "gain"]


def recorded(count: int = 400) -> pl.DataFrame:
    """Two speakers; improvised dialogues are of one emotion each, scripted ones of any."""
    rng = np.random.default_rng(0)
    turn, improvised = np.arange(count) % 20, np.arange(count) // 20 % 2 == 0
    alike = np.repeat(rng.integers(0, 4, count // 20), 20)
    labels = np.where(improvised, alike, rng.integers(0, 4, count))
    logits = 1.5 * np.eye(4)[labels] + rng.normal(0, 1.2, (count, 4))
    speech = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ids = [
        f"Ses01F_{'impro' if improvised[n] else 'script'}{n // 40:02}_{'FM'[n // 20 % 3 == 0]}"
        f"{turn[n]:03}"
        for n in range(count)
    ]
    return pl.DataFrame(
        {
            "id": ids,
            "speaker": [name[-4] for name in ids],
            "label": np.array(FOUR.classes)[labels],
            **dict(zip(FOUR.speech_columns, speech.T, strict=True)),
            "sentiment": rng.choice(["negative", "neutral", "positive"], count),
            "sentiment_score": rng.uniform(0.4, 0.9, count),
        }
    )


def reported(cli: Cli, folder: Path, rows: pl.DataFrame, *options: object) -> tuple[Page, Path]:
    table, final, page = folder / "scores.parquet", folder / "final.parquet", folder / "page.html"
    rows.write_parquet(table)
    for command in (
        ("calibrate", table, "--method", "logistic", *options, "-o", folder / "t.toml"),
        ("apply", table, "-t", folder / "t.toml", "-o", final),
        ("report", final, "-t", folder / "t.toml", "-o", page),
    ):
        result = cli(*command)
        assert result.exit_code == 0, result.output
    return Page(page.read_text(encoding="utf-8")), final


def test_improvised_and_scripted_rows_are_shown_apart(cli: Cli, tmp_path: Path) -> None:
    page, final = reported(cli, tmp_path, recorded(), "--context", "dialogue")
    (found,) = [table.rows for table in page.tables.values() if table.header == HEADER]
    assert [row[0] for row in found] == ["improvised", "scripted"]
    assert "expect less of context there" in page.text
    assert {"href": "#conditions"} in page.all("a")
    rows = pl.read_parquet(final)
    for row, part in zip(found, ("impro", "script"), strict=True):
        mine = rows.filter(pl.col("id").str.contains(part))
        assert row[1] == str(len(mine))
        before, after = (
            100 * recall_score(mine["label"], mine[name], average="macro")
            for name in ("speech_emotion", "emotion")
        )
        assert row[3].startswith(f"{before:.2f}")
        assert row[4].startswith(f"{after:.2f}")
        # To the hundredth by which both are rounded.
        gain = float(row[5].replace("\N{MINUS SIGN}", "-")[: 1 + row[5].index(".") + 2])
        assert gain == pytest.approx(after - before, abs=0.011)
    assert found[0][2] == "100.0"
    assert 10 < float(found[1][2]) < 45


def test_rows_of_one_kind_alone_are_shown(cli: Cli, tmp_path: Path) -> None:
    rows = recorded().filter(pl.col("id").str.contains("impro"))
    page, _ = reported(cli, tmp_path, rows, "--context", "dialogue")
    (found,) = [table.rows for table in page.tables.values() if table.header == HEADER]
    assert [row[0] for row in found] == ["improvised"]


def test_without_context_they_are_not(cli: Cli, tmp_path: Path) -> None:
    page, _ = reported(cli, tmp_path, recorded())
    assert HEADER not in [table.header for table in page.tables.values()]
    assert "mprovised" not in page.text


def test_ids_of_other_corpora_say_nothing_of_it(cli: Cli, tmp_path: Path) -> None:
    rows = recorded()
    parts = rows["id"].str.extract_groups(r"_(\w+)_([FM])(\d+)$").struct.unnest()
    parts.columns = ["dialogue", "speaker", "turn"]
    rows = rows.with_columns(parts["dialogue"], parts["turn"].cast(pl.Int64))
    rows = rows.with_columns(id=pl.format("clip{}", pl.int_range(pl.len())))
    page, final = reported(cli, tmp_path, rows, "--context", "dialogue")
    assert "context" in pl.read_parquet(final)["decided_by"]
    assert "mprovised" not in page.text


def test_tables_of_several_runs_are_shown_as_well(cli: Cli, tmp_path: Path) -> None:
    _, final = reported(cli, tmp_path, recorded(), "--context", "dialogue")
    once = pl.read_parquet(final)
    again = once.with_columns(pl.col("sentiment_score") / 2)  # another text model's
    pl.concat([once, again]).write_csv(final.with_suffix(".csv"))
    result = cli("report", final.with_suffix(".csv"), "-o", tmp_path / "two.html")
    assert result.exit_code == 0, result.output
    page = Page((tmp_path / "two.html").read_text(encoding="utf-8"))
    (found,) = [table.rows for table in page.tables.values() if table.header == HEADER]
    assert [row[1] for row in found] == ["400", "400"]
    assert found[0][2] == "100.0"
