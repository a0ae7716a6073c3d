"""Rows that thresholds were fitted on, told by their ids wherever they are measured."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from pages import Page
from refusals import refusal
from samples import csv, score_rows

from emobatch.tables.fitted_rows import MOST, FittedRows, Overlap

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn", "unresampled")
FITTED, OTHERS = "session != '3'", "session = '3'"
SAID = "the thresholds were fitted on"


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.stderr
    return result


def final(cli: Cli, folder: Path, rows: pl.DataFrame, where: str = FITTED) -> Path:
    """What becomes of rows when some of them are fitted on; thresholds stand beside it."""
    rows.write_parquet(folder / "scores.parquet")
    options = ["--bootstrap", "0", "--where", where]
    thresholds = folder / "t.toml"
    done(cli("calibrate", folder / "scores.parquet", *options, "-o", thresholds))
    done(cli("apply", folder / "scores.parquet", "-t", thresholds, "-o", folder / "final.parquet"))
    return folder / "final.parquet"


def measured(cli: Cli, *arguments: object) -> dict[str, Any]:
    found = done(cli("evaluate", "--json", "--bootstrap", "0", *arguments)).stdout
    return json.loads(found)


def test_rows_that_were_fitted_on_are_said_and_counted(
    cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = final(cli, tmp_path, score_rows(300))
    caplog.clear()
    assert measured(cli, table)["in_sample"] == {"rows": 200, "looked_up": 300, "exact": True}
    assert f"note: {SAID} 200 of these 300 rows" in caplog.text
    assert "rows" in measured(cli, table, "--where", FITTED)["in_sample"]
    assert f"{SAID} 200 of these 200 rows" in caplog.text


def test_of_rows_that_were_left_out_of_fitting_nothing_is_said(
    cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    table = final(cli, tmp_path, score_rows(300))
    assert measured(cli, table, "--where", OTHERS)["in_sample"]["rows"] == 0
    page = tmp_path / "r.html"
    done(cli("report", table, "-t", tmp_path / "t.toml", "--where", OTHERS, "-o", page))
    assert SAID not in caplog.text.lower()
    assert "of these 100 rows" not in page.read_text()


def test_the_note_comes_before_the_figures(cli: Cli, tmp_path: Path) -> None:
    table = final(cli, tmp_path, score_rows(300))
    shown = done(cli("evaluate", "--bootstrap", "0", table)).output
    assert shown.index(SAID) < shown.index("before")
    done(cli("report", table, "-t", tmp_path / "t.toml", "-o", tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text()
    assert f"The thresholds {SAID[15:]} 200 of these 300 rows" in Page(page).text
    assert page.index(SAID[4:]) < page.index("Figures before and after")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_ids_go_with_a_table_of_text(cli: Cli, tmp_path: Path, form: str) -> None:
    thresholds = tmp_path / "t.toml"
    rows = csv(score_rows(300))
    done(cli("calibrate", "--bootstrap", "0", "--where", FITTED, "-o", thresholds, input=rows))
    table = tmp_path / f"final.{form}"
    done(cli("apply", "-t", thresholds, "-o", table, input=rows))
    assert measured(cli, table)["in_sample"]["rows"] == 200
    # What comes through a pipe says nothing of its thresholds.
    piped = done(cli("apply", "-t", thresholds, input=rows)).stdout
    assert "in_sample" not in json.loads(cli("evaluate", "--json", input=piped).stdout)


def test_ids_are_the_same_as_numbers_and_as_text(cli: Cli, tmp_path: Path) -> None:
    rows = score_rows(300).with_columns(id=pl.int_range(pl.len()) + 1000)
    table = final(cli, tmp_path, rows)
    text = pl.read_parquet(table).with_columns(pl.col("id").cast(pl.String))
    text.write_csv(tmp_path / "text.csv")
    page = tmp_path / "page.html"
    done(cli("report", tmp_path / "text.csv", "-t", tmp_path / "t.toml", "-o", page))
    assert "were fitted on 200 of these 300 rows" in Page(page.read_text()).text


def test_each_file_is_held_against_its_own_thresholds(cli: Cli, tmp_path: Path) -> None:
    rows = score_rows(300)
    finals = []
    for session in ("1", "2"):
        folder = tmp_path / session
        folder.mkdir()
        final(cli, folder, rows, f"session != '{session}'")
        scores, thresholds = folder / "scores.parquet", folder / "t.toml"
        for name, mine in (("held_out", session), ("fitted", "3")):
            where = ["--where", f"session = '{mine}'", "-o", folder / f"{name}.parquet"]
            done(cli("apply", scores, "-t", thresholds, *where))
        finals.append((folder / "fitted.parquet", folder / "held_out.parquet"))
    held_out = [each for _, each in finals]
    assert measured(cli, *held_out)["in_sample"] == {"rows": 0, "looked_up": 200, "exact": True}
    mixed = [finals[1][1], finals[0][0]]
    assert measured(cli, *mixed)["in_sample"]["rows"] == 100


def test_without_ids_nothing_is_said(
    cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "in_sample" not in measured(cli, final(cli, tmp_path, score_rows(300).drop("id")))
    assert "[fitted.ids]" not in (tmp_path / "t.toml").read_text()
    assert SAID not in caplog.text


def test_of_a_file_of_before_it_is_guessed_from_what_it_flags(cli: Cli, tmp_path: Path) -> None:
    table = final(cli, tmp_path, score_rows(300), "session != 'x'")
    thresholds = tmp_path / "t.toml"
    text = thresholds.read_text()
    thresholds.write_text(text[: text.index("[fitted.ids]")])
    rows = pl.read_parquet(table)
    rows.write_csv(tmp_path / "final.csv")
    page = tmp_path / "page.html"
    done(cli("report", tmp_path / "final.csv", "-t", thresholds, "-o", page))
    assert "these seem to be the same" in Page(page.read_text()).text


@pytest.mark.parametrize(
    "ids",
    ['"x"', '{ rows = 2, lowest = "!" }', '{ rows = 3, lowest = "AAAAAAAA" }', "{ rows = 1 }"],
)
def test_ids_that_are_none_are_refused(cli: Cli, tmp_path: Path, ids: str) -> None:
    final(cli, tmp_path, score_rows(300))
    thresholds = tmp_path / "t.toml"
    text = thresholds.read_text()
    spoilt = text[: text.index("[fitted.ids]")].replace("[fitted]\n", f"[fitted]\nids = {ids}\n")
    thresholds.write_text(spoilt)
    said = refusal(cli("apply", "-t", thresholds, input=csv(score_rows(300))))
    assert "t.toml: [fitted.ids] is not what" in said
    assert "calibrate again, or remove it" in said


def names(first: int, last: int) -> pl.Series:
    return pl.Series([f"audio/{number:06}.wav" for number in range(first, last)])


def test_few_ids_are_all_kept_and_their_order_says_nothing() -> None:
    fitted = FittedRows.of(names(0, MOST))
    assert fitted.overlap(names(88, 500)) == Overlap(412, 412, exact=True)
    assert fitted.overlap(names(MOST, MOST + 500)).rows == 0
    backwards = FittedRows.of(names(0, MOST).reverse().append(names(0, 9)))
    assert backwards.to_document() == fitted.to_document()


def test_of_many_ids_a_share_is_looked_up() -> None:
    fitted = FittedRows.of(names(0, 20_000))
    assert FittedRows.from_document(fitted.to_document()).overlap(names(0, 9)) is not None
    whole = fitted.overlap(names(0, 20_000))
    assert whole == Overlap(20_000, MOST, exact=False)
    half = fitted.overlap(names(10_000, 30_000))
    assert half.rows == pytest.approx(10_000, rel=0.1)
    assert fitted.overlap(names(20_000, 40_000)).rows == 0


@pytest.mark.parametrize("count", [1, MOST, MOST + 1, 5 * MOST])
def test_ids_are_read_as_they_were_written(count: int) -> None:
    fitted = FittedRows.of(names(0, count))
    again = FittedRows.from_document(json.loads(json.dumps(fitted.to_document())))
    assert (again.rows, again.lowest.tolist()) == (fitted.rows, fitted.lowest.tolist())


def test_the_ids_take_one_line_of_the_file(cli: Cli, tmp_path: Path) -> None:
    final(cli, tmp_path, score_rows(3000))
    section = (tmp_path / "t.toml").read_text().partition("[fitted.ids]\n")[2]
    assert re.fullmatch(r'rows = 2000\nlowest = "[A-Za-z0-9+/]{8000}"\n', section)
