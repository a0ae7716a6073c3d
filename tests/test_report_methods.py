"""Reports of any classes and any method, which says for itself what it has to say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl
import pytest
from browser import CHROMIUM, browser
from click.testing import CliRunner, Result
from finals import MANY, TASKS, TWO, decided
from matplotlib.figure import Figure
from pages import Page, blank_figures
from refusals import refusal

from emobatch.cli.main import main
from emobatch.evaluation.measured_rows import evaluate_rows
from emobatch.fusion.description import Chart, Section, Table, Value
from emobatch.fusion.method import Method
from emobatch.fusion.methods import METHODS
from emobatch.reporting.charts import CHARTS
from emobatch.reporting.charts.kind import ChartKind
from emobatch.tasks.task import Task

Cli = Callable[..., Result]
every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


class Bars(ChartKind):
    """A bar for each number."""

    def draw(self, chart: Chart) -> Figure:
        figure = Figure(figsize=(3, 2))
        axes = figure.add_subplot()
        axes.bar(range(len(chart.data)), chart.data)
        axes.set_title(chart.title)
        return figure

    def describe(self, chart: Chart) -> str:
        return f"Bars of {chart.title}."


class Toy(Method):
    """Gives one answer, and has much to say about it."""

    name = "toy"
    header = "A toy."

    def __init__(self, task: Task) -> None:
        self.task = task

    beside: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        return cls(task)

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        return rows.with_columns(emotion=pl.lit(self.task.classes[0]), decided_by=pl.lit("fusion"))

    def needs_text(self) -> pl.Expr:
        return pl.lit(True)

    def to_document(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        return cls(task)

    def describe(self) -> Sequence[Section]:
        table = Table(
            "What it weighs",
            ("class", "weight", "rows", "of these", "said"),
            (
                ("one", Value(-0.25, 3, -0.5, 0.125), 7, "3 / 7", "it <i>says</i>"),
                ("two", Value(None), 0, None, "nothing"),
                ("three", None, None, None, "never flagged: too few"),
            ),
        )
        return [Section("Weights", ("A paragraph with <b>tags</b>.", table))]

    def describe_on(self, rows: pl.DataFrame) -> Sequence[Section]:
        charts = [Chart("bars", f"chart {n}", [1, n], f"Caption {n}.") for n in (1, 2)]
        return [Section("On these rows", (f"Of {len(rows)} rows.", *charts))]

    def doubts(self, rows: pl.DataFrame, labelled: pl.DataFrame) -> list[str]:
        return [f"Doubts about {len(rows)} rows, {len(labelled)} labelled."]

    def limits(self, measure: str) -> dict[str, float]:
        return {self.task.classes[-1]: 0.5} if measure == "entropy" else {}


@pytest.fixture
def toy() -> Iterator[None]:
    METHODS.register("toy", Toy)
    CHARTS.register("bars", Bars)
    yield
    METHODS.remove("toy")
    CHARTS.remove("bars")


def fused(task: Task, count: int = 90) -> pl.DataFrame:
    """The final table of a method that flags nothing."""
    rows = decided(task, count).drop("flagged", "mapped_emotion")
    return rows.with_columns(decided_by=pl.lit("fusion"))


def report(cli: Cli, rows: pl.DataFrame, folder: Path, *options: object) -> Page:
    with blank_figures(built=True):
        result = cli("report", "-o", folder / "page.html", *options, input=rows.write_csv())
    assert result.exit_code == 0, result.output
    return Page((folder / "page.html").read_text(encoding="utf-8"))


def toy_file(folder: Path, task: Task) -> Path:
    names = ", ".join(f'"{name}"' for name in task.classes)
    path = folder / "toy.toml"
    path.write_text(f'format = 2\nmethod = "toy"\nclasses = [{names}]\n[fitted]\nrows = 5\n')
    return path


def titled(page: Page, header: list[str]) -> list[list[str]]:
    return next(table.rows for table in page.tables.values() if table.header == header)


def test_a_method_is_shown_as_it_describes_itself(cli: Cli, toy: None, tmp_path: Path) -> None:
    page = report(cli, fused(TWO), tmp_path, "-t", toy_file(tmp_path, TWO))
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    rows = titled(page, ["class", "weight", "rows", "of these", "said"])
    assert rows == [
        ["one", "\N{MINUS SIGN}0.250\N{MINUS SIGN}0.500 to 0.125", "7", "3 / 7", "it <i>says</i>"],
        ["two", "\N{EN DASH}", "0", "", "nothing"],
        ["three", "never flagged: too few"],
    ]
    assert '<td colspan="4">never flagged: too few</td>' in html
    assert "A paragraph with <b>tags</b>." in page.text
    assert not {tag for tag, _ in page.elements} & {"b", "i"}
    assert '<td class="number">3 / 7</td>' in html
    for words in ("What it weighs", "Of 90 rows.", "Caption 1.", "Caption 2."):
        assert page.text.count(words) == 1
    assert "Doubts about 90 rows, 90 labelled." in page.text
    assert [svg["aria-label"] for svg in page.all("svg")][-4:-2] == [
        "Bars of chart 1.",
        "Bars of chart 2.",
    ]
    assert {"href": "#method"} in page.all("a")
    # It limits entropy alone.
    assert page.text.count("it is ≥ the dashed line") == 1
    assert "it is ≤ the dashed line" not in page.text


def test_what_it_says_of_labelled_rows_is_left_out_without_labels(
    cli: Cli, toy: None, tmp_path: Path
) -> None:
    rows = fused(TWO).drop("label")
    page = report(cli, rows, tmp_path, "-t", toy_file(tmp_path, TWO))
    assert "What it weighs" in page.text and "On these rows" not in page.text
    assert "Doubts about 90 rows, 0 labelled." in page.text


def test_a_kind_of_chart_that_there_is_not_is_named(cli: Cli, toy: None, tmp_path: Path) -> None:
    CHARTS.register("pie", CHARTS["bars"])
    CHARTS.remove("bars")
    try:
        page = ("report", "-o", tmp_path / "page.html", "-t", toy_file(tmp_path, TWO))
        said = refusal(cli(*page, input=fused(TWO).write_csv()))
    finally:
        CHARTS.register("bars", Bars)
        CHARTS.remove("pie")
    assert "no kind of chart 'bars'" in said


def test_rows_that_are_not_flagged_go_by_who_decided(cli: Cli, tmp_path: Path) -> None:
    rows = fused(TASKS["8"])
    judged = pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("judge")).otherwise("decided_by")
    page = report(cli, rows.with_columns(decided_by=judged), tmp_path)
    counts = titled(page, ["class", "rows", "changed", "by fusion", "by judge"])
    changed = (rows["emotion"] != rows["speech_emotion"]).sum()
    assert counts[-1] == ["all", "90", str(changed), "86", "4"]
    assert [row[0] for row in counts[:-1]] == list(TASKS["8"].classes)
    assert "flagged" not in page.text.lower()
    assert f"The emotion of {changed} is another than the speech branch's" in page.text


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Task], Path]:
    """The report of 500 rows of any classes, which is made once."""

    folder = tmp_path_factory.mktemp("pages")

    def page_of(task: Task) -> Path:
        page = folder / f"{len(task.classes)}.html"
        if not page.exists():
            table = decided(task, 500).write_csv()
            with blank_figures(built=True):
                result = CliRunner().invoke(main, ["report", "-o", str(page)], input=table)
            assert result.exit_code == 0, result.output
        return page

    return page_of


@every_task
def test_figures_of_any_classes_stand_in_the_report(
    page_of: Callable[[Task], Path], task: Task
) -> None:
    page = Page(page_of(task).read_text(encoding="utf-8"))
    found = evaluate_rows(decided(task, 500), task)
    classes = next(
        table.rows for table in page.tables.values() if table.rows[0][0] == task.classes[0]
    )
    assert [row[0] for row in classes] == list(task.classes)
    for row in classes:
        after = found.get("recall", stage="after", of_class=row[0])
        assert after is not None
        assert row[5] == after.text() + after.span()
    described = [svg["aria-label"] for svg in page.all("svg")]
    assert len(described) == 7
    assert all(name in described[0] for name in task.classes)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    decisions = next(table for table in page.tables.values() if "flagged" in table.header)
    assert decisions.rows[-1][:3] == ["all", "500", "250"]


def test_what_a_matrix_of_many_classes_leaves_out_stands_beneath_it(
    page_of: Callable[[Task], Path],
) -> None:
    rows = decided(MANY, 500)
    page = Page(page_of(MANY).read_text(encoding="utf-8"))
    listed = titled(page, ["label", "predicted", "before", "after", "% of label"])
    label, predicted, before, after, share = listed[0]
    of_label = rows.filter(pl.col("label") == label)
    assert share == f"{100 * int(after) / len(of_label):.1f}"
    assert int(after) == (of_label["emotion"] == predicted).sum()
    assert int(before) == (of_label["speech_emotion"] == predicted).sum()
    assert re.search(r"And \d+ other changes, each of fewer rows or as many", page.text)


def test_an_emotion_text_model_stands_in_the_report(cli: Cli, tmp_path: Path) -> None:
    task = TASKS["8"]
    rows = decided(task, 120).drop("sentiment", "sentiment_score")
    rows = rows.with_columns(text_emotion="mapped_emotion", text_score=pl.lit(0.5))
    page = report(cli, rows, tmp_path)
    found = evaluate_rows(rows, task).get("UA", stage="text")
    assert found is not None
    others = titled(page, ["", "of", "", "rows"])
    assert others[0] == ["Text branch alone: UA, %", "", found.text() + found.span(), "120"]
    assert "text" in page.tables["changes"].header
    assert "sentiment" not in page.tables["changes"].header


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_no_page_is_wider_than_its_screen(page_of: Callable[[Task], Path], tmp_path: Path) -> None:
    with browser(tmp_path / "chromium") as tab:
        for task, width in product(TASKS.values(), (1280, 400)):
            screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            tab.do("Emulation.setDeviceMetricsOverride", **screen)
            tab.open(page_of(task))
            assert tab.ask("document.documentElement.scrollWidth") <= width
            assert tab.complaints() == []
