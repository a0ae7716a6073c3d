"""`crossval -o PAGE.html`: the same figures as `--json`, and what methods gain by fold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from pages import Page
from rated import rated_rows
from samples import csv, score_rows

from emobatch.cli.main import main
from emobatch.reporting.figures.gains import gains_by_fold

Cli = Callable[..., Result]
NOTHING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
OPTIONS = ["--method", "max,hierarchy", "--labelled", "8,16"]


class Cells(HTMLParser):
    """The rows of a page's tables, without what stands beneath a figure."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.texts = ""
        self.is_in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
            self.is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self.is_in_cell = False

    def handle_data(self, data: str) -> None:
        self.texts += data
        if self.is_in_cell and data.strip():
            self.rows[-1][-1] += f"{data.strip()} "


def rows() -> pl.DataFrame:
    return score_rows(160).with_columns(
        fold=pl.int_range(pl.len()) % 2,
        speaker=pl.concat_str(pl.lit("s"), pl.int_range(pl.len()) % 8),
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("page") / "folds.html"
    result = CliRunner().invoke(main, ["crossval", *OPTIONS, "-o", str(file)], input=csv(rows()))
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    result = CliRunner().invoke(main, ["crossval", *OPTIONS, "--json"], input=csv(rows()))
    return json.loads(result.stdout)


def number(value: float | None, digits: int = 2) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def test_its_tables_have_the_figures_of_the_json(page: str, found: dict[str, Any]) -> None:
    parser = Cells()
    parser.feed(page)
    shown = [" ".join(" ".join(row).split()) for row in parser.rows]
    for method in ("max", "hierarchy"):
        entry = found["methods"][method]
        gain = entry["UA"]["gain"]
        cells = [number(entry[name]["mean"]) for name in ("UA", "WA", "F1")]
        cells += [number(gain["value"]), f"{number(gain['low'])} to {number(gain['high'])}"]
        cells += [f"{entry['UA']['folds_up']}/2", number(entry["calibration_error"]["mean"])]
        assert f"{method} {' '.join(cells)} {number(entry['risk_coverage_area']['mean'])}" in shown
        points = found["labelled"]["methods"][method]
        spans = " ".join(
            f"{number(point['UA']['mean'])} {number(point['UA']['low'])} to "
            f"{number(point['UA']['high'])}"
            for point in points
        )
        assert f"{method} {spans} {number(entry['UA']['mean'])}" in shown
    (pair,) = found["pairs"]
    begins = f"hierarchy over max {number(pair['UA']['value'])} {number(pair['UA']['low'])} to"
    assert any(line.startswith(begins) for line in shown)
    for fold in range(2):
        values = [
            number(found["methods"][name]["UA"]["folds"][fold]["value"])
            for name in ("speech", "max", "hierarchy")
        ]
        assert f"{fold} 80 {' '.join(values)}" in shown
    assert "1000 bootstrap resamples of 8 speakers" in parser.texts


def test_its_picture_has_a_bar_for_each_fold_and_says_what_it_shows(
    page: str, found: dict[str, Any]
) -> None:
    (picture,) = re.findall(r'<svg role="img" aria-label="([^"]*)"', page)
    for method in ("max", "hierarchy"):
        gain = found["methods"][method]["UA"]["gain"]["value"]
        assert f"{method} {gain:+.2f}" in picture
    gains = {"max": [1.0, -0.5], "logistic": [2.0, 3.0]}
    figure = gains_by_fold(gains, {"max": 0.25, "logistic": 2.5}, ["a", "b"])
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure.axes]
    assert heights == [[1.0, -0.5], [2.0, 3.0]]
    assert [axes.lines[-1].get_ydata()[0] for axes in figure.axes] == [0.25, 2.5]
    better, worse = figure.axes[0].patches
    assert (better.get_hatch() or "") != worse.get_hatch()


def test_it_runs_and_loads_nothing_and_is_the_same_each_time(
    cli: Cli, page: str, tmp_path: Path
) -> None:
    assert "script-src 'none'" in unescape(page) and "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    # With a picture; that curves are the same each time is seen where they are held against JSON.
    files = [tmp_path / name for name in ("one.html", "other.html")]
    for file in files:
        done = cli("crossval", "--method", "max", "-o", file, input=csv(rows()))
        assert done.exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_names_of_folds_are_text(cli: Cli, tmp_path: Path) -> None:
    named = rows().with_columns(fold=pl.col("fold").replace_strict({0: "<b>a", 1: "$x$"}))
    file = tmp_path / "folds.html"
    assert cli("crossval", "--method", "max", "-o", file, input=csv(named)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert "<b>a" not in text and "&lt;b&gt;a" in text and "$x$" in text


def test_of_one_method_alone_there_are_no_pairs(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "folds.html"
    assert cli("crossval", "--method", "speech", "-o", file, input=csv(rows())).exit_code == 0
    text = file.read_text(encoding="utf-8")
    assert "<h2 id" in text and "Differences" not in text and "<svg" not in text


def test_a_page_of_attributes_has_the_figures_of_the_json(cli: Cli, tmp_path: Path) -> None:
    none = pl.when(pl.col("session") != "1").then("arousal")
    rated = rated_rows(6, 10).with_columns(arousal=none)  # no figure of it in this fold
    rated = rated.with_columns(valence=pl.when(pl.int_range(pl.len()) > 1).then("valence"))
    options = ("crossval", "--method", "ridge", "--alpha", 1, "--by", "session")
    file = tmp_path / "folds.html"
    assert cli(*options, "-o", file, input=csv(rated)).exit_code == 0
    text = file.read_text(encoding="utf-8")
    page, found = Page(text), json.loads(cli(*options, "--json", input=csv(rated)).stdout)
    means, gains, *by_attribute = page.tables.values()
    figures, attributes = ("CCC", "Pearson", "RMSE"), ("arousal", "valence", "dominance", "mean")
    assert found["methods"]["ridge"]["CCC"]["mean"]["folds"][1]["value"] is None
    assert means.rows == [
        [
            method,
            name,
            *(number(each[f][name][kind], 4) for f in figures for kind in ("mean", "sd")),
        ]
        for method, each in found["methods"].items()
        for name in attributes
    ]
    assert gains.rows == [
        [method, f"{number(value, 4)}{number(low, 4)} to {number(high, 4)}", f"{up}/3"]
        for method in ("text", "ridge")
        for value, low, high, up in [found["methods"][method]["gain"].values()]
    ]
    for name, table in zip(attributes, by_attribute, strict=True):
        values = [
            each[figure][name]["folds"] for each in found["methods"].values() for figure in figures
        ]
        assert table.rows == [
            [fold, str(rows), str(60 - rows), *(number(each[place]["value"], 4) for each in values)]
            for place, (fold, rows) in enumerate(found["rows"].items())
        ]
    gain = found["methods"]["ridge"]["gain"]["value"]
    assert f"ridge {gain:+.4f}" in str(page.all("svg")) and "gain of the mean CCC" in text
    assert "6 speakers" in page.text and "<script" not in text
