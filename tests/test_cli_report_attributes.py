"""`report` of tables with attributes and without final emotions: the figures of `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from pages import Page
from rated import rated_rows

from emobatch.cli.main import main
from emobatch.tasks.four import FOUR

pytestmark = pytest.mark.usefixtures("undrawn")
Cli = Callable[..., Result]
MINUS = "\N{MINUS SIGN}"
ATTRIBUTES = ("arousal", "valence", "dominance")
FIGURES = ("CCC", "Pearson", "RMSE")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ridge decided of 200 rows, fitted on 160 of them; of two rows no text is known."""
    folder = tmp_path_factory.mktemp("attributes")
    heard = pl.when(pl.int_range(pl.len()) > 1).then("text_valence")
    rows = rated_rows().with_columns(heard.alias("text_valence"))
    rows.write_parquet(folder / "scores.parquet")
    for arguments in (
        ["calibrate", "--method=ridge", "--alpha=1", "--where=session != '4'", "-o", "ridge.toml"],
        ["calibrate", "--method=average", "-o", "average.toml"],
        ["apply", "-t", "ridge.toml", "-o", "final.parquet"],
    ):
        named = [str(folder / each) if "." in each else each for each in arguments]
        result = CliRunner().invoke(main, [named[0], str(folder / "scores.parquet"), *named[1:]])
        assert result.exit_code == 0, result.stderr
    return folder


def reported(cli: Cli, table: Path, *options: object) -> Page:
    page = table.with_suffix(".html")
    result = cli("report", table, *options, "-o", page)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    return Page(page.read_text(encoding="utf-8"))


def evaluated(cli: Cli, table: Path, *options: object) -> dict[str, Any]:
    result = cli("evaluate", table, "--json", *options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def headings(table: Path) -> list[str]:
    text = unescape(table.with_suffix(".html").read_text(encoding="utf-8"))
    return [part.partition("</h2>")[0].partition(">")[2] for part in text.split("<h2 ")[1:]]


def shown(value: float, bounds: list[float] | None, digits: int) -> str:
    between = "" if bounds is None else " to ".join(f"{each:.{digits}f}" for each in bounds)
    return f"{value:.{digits}f}{between}".replace("-", MINUS)


def test_the_page_has_the_figures_of_evaluate(cli: Cli, folder: Path) -> None:
    final = folder / "final.parquet"
    page = reported(cli, final, "-t", folder / "ridge.toml")
    found = evaluated(cli, final, "--by", "speaker")
    expected = [
        [
            *(stage, name),
            *(shown(values[each], bounds[stage][name][each], 3) for each in FIGURES),
            str(values["rows"]),
        ]
        for bounds in [found["attributes_intervals"]]
        for stage, by_name in found["attributes_by_stage"].items()
        for name, values in by_name.items()
    ]
    tables = iter(page.tables.values())
    assert next(tables).rows == expected and len(expected) == 12
    assert next(tables).rows == [
        [name, "20", *(f"{each['attributes'][one]['CCC']:.3f}" for one in (*ATTRIBUTES, "mean"))]
        for name, each in found["by"].items()
    ]
    assert next(tables).rows == [
        ["have attributes of the speech branch", "200"],
        ["have attributes of the text branch", "200"],
        ["were decided by both branches (fusion)", "198"],
        ["were decided by the speech branch alone (no-text)", "2"],
        ["have no attributes", "0"],
    ]
    names = ("UA", "WA", "F1")
    bounds = found["intervals"]["before"]
    assert next(tables).rows == [
        ["speech branch", *(shown(found["before"][name], bounds[name], 2) for name in names)]
    ]
    recalls = [shown(found["classes"]["before"][name]["recall"], None, 2) for name in FOUR.classes]
    assert [row[3][:5] for row in next(tables).rows] == recalls
    assert "1000 bootstrap resamples of 10 speakers" in page.text
    after = found["attributes"]["mean"]["CCC"]
    assert f"both branches, fused {after:.3f}" in page.text
    assert "the thresholds were fitted on 160 of these 200 rows" in page.text


def test_it_says_how_the_table_was_made(cli: Cli, folder: Path) -> None:
    final = folder / "final.parquet"
    page = reported(cli, final, "-t", folder / "ridge.toml")
    assert headings(final) == [
        *("Arousal, valence, dominance", "Rows", "The speech branch's emotions", "Ridge"),
        *("Labels", "What was run"),
    ]
    assert "Thresholds of attributes" in page.text and "ridge.toml" in page.text
    assert "200, of which 200 have attributes and 200 labels of attributes" in page.text
    assert page.script == "" and "script-src 'none'" in str(page.all("meta"))
    once = final.with_suffix(".html").read_bytes()
    reported(cli, final, "-t", folder / "ridge.toml")
    assert final.with_suffix(".html").read_bytes() == once
    alone = reported(cli, final)
    assert "Without a thresholds file (-t)" in alone.text and "session != '4'" in alone.text
    assert "Ridge" not in headings(final)


def test_of_attributes_alone_nothing_else_is_shown(cli: Cli, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "alone.csv"
    rows = rated_rows().drop(FOUR.speech_columns)
    rows.write_csv(table)  # labels of classes, and no emotions
    page = reported(cli, table)
    assert headings(table) == [*("Arousal, valence, dominance", "Rows", "Labels", "What was run")]
    found = evaluated(cli, table)
    assert f"the speech branch {found['attributes']['mean']['CCC']:.3f}" in page.text
    assert "Mean valence and arousal: all rows" in str(page.all("svg"))
    rows.drop(ATTRIBUTES).write_csv(table)
    page = reported(cli, table)
    assert "No row has a label that anything was predicted of" in page.text
    assert "CCC" not in page.text and "Mean valence and arousal: all rows" in str(page.all("svg"))


def test_rows_that_failed_are_counted_by_cause(cli: Cli, tmp_path: Path) -> None:
    table, place = tmp_path / "scores.csv", pl.int_range(pl.len())
    heard = [f"{branch}_{name}" for branch in ("speech", "text") for name in ATTRIBUTES]
    said = pl.when(place < 3).then(pl.format("audio: no such file: {}", "path"))
    rows = rated_rows(2).with_columns(path=pl.format("{}.wav", place))
    rows.with_columns(
        *(pl.when(place > 3).then(name).alias(name) for name in (*heard, *FOUR.speech_columns)),
        status=pl.when(place < 4).then(pl.lit("error")).otherwise(pl.lit("ok")),
        error=said.when(place == 3).then(pl.lit("speech: out of memory")),
    ).write_csv(table)
    page = reported(cli, table)
    counted = page.tables["2"].rows
    assert counted[-3:] == [
        ["have no attributes", "4"],
        ["failed: audio: no such file", "3"],
        ["failed: speech: out of memory", "1"],
    ]
    assert "40 rows, 4 of them without attributes" in page.text


def test_an_attribute_without_labels_has_no_figures(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "scores.parquet"
    none = pl.lit(None, pl.Float64).alias("dominance")
    rated_rows(2).drop("label").with_columns(none).write_parquet(table)
    page = reported(cli, table)
    assert page.tables["1"].header == ["speaker", "rows", "arousal", "valence"]
    assert page.tables["1"].column("rows") == ["20", "20"]
    assert "Mean CCC" not in page.text  # over attributes of which one is unknown


def test_of_many_speakers_those_with_most_rows_are_listed(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emobatch.reporting.attributes_section.MOST_SPEAKERS", 2)
    table = tmp_path / "scores.parquet"
    rows = rated_rows(4).filter((pl.col("speaker") != "s01") | (pl.int_range(pl.len()) > 40))
    rows.drop("label").write_parquet(table)
    by_speaker = reported(cli, table).tables["1"]
    assert by_speaker.column("speaker") == ["s00", "s02"]
    rows.drop("label").filter(pl.col("speaker") == "s00").write_parquet(table)
    assert (
        "speaker" not in reported(cli, table).tables["1"].header
    )  # of one there is nothing to say


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        ("final", ["--control"], "--control: the table has no final emotions"),
        ("final", ["--audio"], "--audio: the table has no final emotions"),
        ("final", ["-t", "average.toml"], "average decides emotions"),
        ("scores", ["-t", "ridge.toml"], "no column 'attributes_by'"),
        ("final", ["--label-column", "nope"], "no column 'nope' to read labels from"),
    ],
)
def test_what_makes_no_sense_is_refused(
    cli: Cli, folder: Path, table: str, options: list[str], said: str
) -> None:
    named = [str(folder / each) if "." in each else each for each in options]
    page = folder / "refused.html"
    result = cli("report", folder / f"{table}.parquet", *named, "-o", page)
    assert result.exit_code == 1 and said in result.stderr and not page.exists()


def test_the_manifest_s_own_emotions_are_labels_and_not_final(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "scores.parquet"
    own = rated_rows(2).rename({"label": "emotion"}).with_columns(transcript_source=pl.lit("asr"))
    own.write_parquet(table)
    page = reported(cli, table, "--label-column", "emotion")
    assert "Labels of column &#39;emotion&#39;" in table.with_suffix(".html").read_text()
    assert "Mean valence and arousal by the speech branch's emotion" in str(page.all("svg"))
