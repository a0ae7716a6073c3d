"""Figures of any classes, and measures that are added in one place and shown in all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from finals import MANY, TASKS, TWO, decided
from pages import Page
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

import emobatch
from emobatch.evaluation.document import document
from emobatch.evaluation.figure import Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.measured_rows import evaluate_rows
from emobatch.evaluation.measures import MEASURES, every_measure
from emobatch.evaluation.measures.confusion import matrix
from emobatch.evaluation.sample import Sample
from emobatch.evaluation.table import long_table
from emobatch.tasks.four import FOUR
from emobatch.tasks.task import Task

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn", "unresampled")
every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
ONE_LINE = 80


class Toy(Measure):
    """The share of rows whose weather is a class."""

    name = "toy"
    title = "toy figure"
    columns = ("weather",)
    by_group = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        for name in sample.task.classes[:2]:
            share = 100 * (sample.rows["weather"] == name).mean()
            rows = len(sample.rows)
            yield Figure("fair", share, share - 1, share + 1, rows, of_class=name)


class Single(Measure):
    """One figure, of all rows."""

    name = "single"
    title = "single figure"

    def figures(self, sample: Sample) -> Iterator[Figure]:
        yield Figure("single", 12.5, 11.0, 14.0, len(sample.rows))


@pytest.fixture
def toys() -> Iterator[None]:
    for toy in (Toy, Single):
        MEASURES.register(toy.name, toy)
    yield
    for toy in (Toy, Single):
        MEASURES.remove(toy.name)


def with_weather(task: Task = FOUR) -> pl.DataFrame:
    rows = decided(task, 40)
    fair = pl.when(pl.int_range(pl.len()) < 10).then(pl.lit(task.classes[0]))
    return rows.with_columns(weather=fair.otherwise(pl.lit("rain")))


def run(cli: Cli, rows: pl.DataFrame, *arguments: object) -> str:
    result = cli(*arguments, input=rows.write_csv())
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_measure_added_in_one_line_is_shown_everywhere(
    cli: Cli, toys: None, tmp_path: Path
) -> None:
    rows = with_weather()
    found = json.loads(run(cli, rows, "evaluate", "--json", "--by", "session"))
    assert found["toy"] == {"angry": {"fair": 25.0}, "happy": {"fair": 0.0}}
    assert found["toy_intervals"]["angry"] == {"fair": [24.0, 26.0]}
    assert (found["single"], found["single_interval"]) == (12.5, [11.0, 14.0])
    assert set(found["by"]["1"]) == {"rows", "before", "after", "toy", "toy_intervals"}

    run(cli, rows, "evaluate", "-o", tmp_path / "m.csv")
    table = pl.read_csv(tmp_path / "m.csv").filter(pl.col("figure").is_in(["fair", "single"]))
    assert table.select("figure", "class", "value", "low", "high").rows() == [
        ("fair", "angry", 25.0, 24.0, 26.0),
        ("fair", "happy", 0.0, -1.0, 1.0),
        ("single", None, 12.5, 11.0, 14.0),
    ]

    lines = run(cli, rows, "evaluate").splitlines()
    assert "single figure 12.50 %, 95 % 11.00 to 14.00" in lines
    assert ["fair", "angry", "25.00", "24.00", "to", "26.00"] in [line.split() for line in lines]

    run(cli, rows, "report", "-o", tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    shown = [row for table in page.tables.values() for row in table.rows]
    assert ["Toy figure: fair, %", "angry", "25.0024.00 to 26.00", "40"] in shown
    assert ["Single figure, %", "", "12.5011.00 to 14.00", "40"] in shown


def test_without_it_nothing_is_left_of_it(cli: Cli) -> None:
    assert not {"toy", "single"} & set(json.loads(run(cli, with_weather(), "evaluate", "--json")))


@every_task
def test_figures_of_any_classes_are_scikit_learns(task: Task) -> None:
    rows = decided(task, 300)
    found = evaluate_rows(rows, task, bootstrap=20)
    for stage, column in {"before": "speech_emotion", "after": "emotion"}.items():
        wanted = {
            "UA": balanced_accuracy_score(rows["label"], rows[column]),
            "WA": accuracy_score(rows["label"], rows[column]),
            "F1": f1_score(rows["label"], rows[column], average="macro"),
        }
        for name, value in wanted.items():
            assert found.value(name, stage=stage) == pytest.approx(100 * value, abs=0.00501)
        assert np.sum(matrix(found, stage)) == 300
        assert np.trace(matrix(found, stage)) == (rows["label"] == rows[column]).sum()
    changed = rows.filter(pl.col("emotion") != pl.col("speech_emotion"))
    transitions = document(found)["transitions"]
    assert sum(change["rows"] for change in transitions) == len(changed) > 0
    json.dumps(document(found))


@every_task
def test_no_line_is_wider_than_80_columns(cli: Cli, task: Task) -> None:
    rows = decided(task, 600).with_columns(reference=pl.lit("one two"), transcript=pl.lit("one"))
    shown = run(cli, rows, "evaluate", "--by", "session").splitlines()
    wide = [line for line in shown if len(line.rstrip()) > ONE_LINE]
    # Sentences have a line of their own, and no columns.
    assert not [line for line in wide if "normal" not in line and "lower case" not in line]
    figures = [line.split() for line in shown if line.startswith(tuple(task.classes))]
    assert {line[0] for line in figures} >= set(task.classes)


@pytest.mark.parametrize(
    ("task", "largest"), [(Task.of(MANY.classes[:13]), True), (TASKS["8"], False)]
)
def test_of_many_classes_the_largest_confusions_are_listed(
    cli: Cli, task: Task, largest: bool
) -> None:
    rows = decided(task, 900)
    shown = run(cli, rows, "evaluate")
    assert ("confused most" in shown) is largest
    assert ("rows, by label" in shown) is not largest
    if largest:
        found = evaluate_rows(rows, task, bootstrap=0)
        counts = np.array(matrix(found, "after"))
        np.fill_diagonal(counts, 0)
        label, predicted = np.unravel_index(counts.argmax(), counts.shape)
        first = shown.split("confused most")[1].splitlines()[3].split()
        before = matrix(found, "before")[label][predicted]
        names = [task.classes[label], task.classes[predicted]]
        share = 100 * counts.max() / np.sum(matrix(found, "after")[label])
        assert first == [*names, str(before), str(counts.max()), f"{share:.1f}"]


def test_of_very_many_changes_the_largest_are_listed_and_the_others_counted(cli: Cli) -> None:
    rows = decided(MANY, 900)
    changes = document(evaluate_rows(rows, MANY, bootstrap=0))["transitions"]
    sizes = sorted((change["rows"] for change in changes), reverse=True)
    lines = [line.split() for line in run(cli, rows, "evaluate", "--bootstrap", 0).splitlines()]
    shown = [int(line[3]) for line in lines if line[1:2] == ["→"]]
    assert shown == sizes[:20]
    left = f"and {len(sizes) - 20} other changes, of {sum(sizes[20:])} rows"
    assert left.split() in lines


def test_names_of_any_length_and_kind_stay_in_their_columns(cli: Cli) -> None:
    task = Task.of(["[bold]x[/bold]", "a name that is longer than any column of a terminal", "ok"])
    shown = run(cli, decided(task, 60), "evaluate", "--by", "label")
    assert "[bold]x[/bold]" in shown
    assert "a name that is longe" not in shown or "…" in shown


def test_class_names_are_given_for_a_table_that_does_not_say(cli: Cli) -> None:
    rows = decided(TWO, 60).select("label", "emotion")
    found = json.loads(run(cli, rows, "evaluate", "--json", "--classes", "calm,tense"))
    assert list(found["classes"]["after"]) == ["calm", "tense"]
    wrong = cli("evaluate", "--classes", "calm", input=rows.write_csv())
    assert wrong.exit_code == 1 and "give four, eight" in wrong.stderr


def text_rows() -> pl.DataFrame:
    """A final table of an emotion text model, which has said nothing of every third row."""
    rows = decided(TASKS["8"], 240).drop("sentiment", "sentiment_score")
    said = pl.when(pl.int_range(pl.len()) % 3 > 0).then(pl.col("mapped_emotion"))
    return rows.with_columns(text_emotion=said, text_score=pl.lit(0.9))


def test_an_emotion_text_model_is_measured_alone(cli: Cli) -> None:
    rows = text_rows()
    found = json.loads(run(cli, rows, "evaluate", "--json"))
    heard = rows.drop_nulls("text_emotion")
    assert found["text"]["rows"] == len(heard) == 160
    wanted = 100 * balanced_accuracy_score(heard["label"], heard["text_emotion"])
    assert found["text"]["UA"] == pytest.approx(wanted, abs=0.00501)
    wanted = 100 * accuracy_score(heard["label"], heard["text_emotion"])
    assert found["text"]["WA"] == pytest.approx(wanted, abs=0.00501)
    low, high = found["text_intervals"]["WA"]
    assert low < found["text"]["WA"] < high
    assert "sentiment_f1" not in found
    assert "text" not in json.loads(run(cli, rows.drop("text_emotion"), "evaluate", "--json"))
    shown = run(cli, rows, "evaluate")
    assert (
        f"text branch alone, of 160 rows that have text, %: UA {found['text']['UA']:.2f}" in shown
    )


def test_a_text_model_of_other_classes_is_noted_and_left_out(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    rows = text_rows().with_columns(text_emotion=pl.lit("bored"))
    assert "text" not in json.loads(run(cli, rows, "evaluate", "--json"))
    assert "no figures of text" in caplog.text and "bored (240)" in caplog.text


def test_what_a_gate_left_out_is_not_measured(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    of_text = {"sentiment_f1", "wer", "text"}
    rows = text_rows().with_columns(
        sentiment=pl.lit("neutral"), reference=pl.lit("one"), transcript=pl.lit("one")
    )
    assert of_text <= set(json.loads(run(cli, rows, "evaluate", "--json", "--bootstrap", 0)))
    source = pl.when(pl.int_range(pl.len()) < 7).then(pl.lit("gated")).otherwise(pl.lit("asr"))
    gated = rows.with_columns(transcript_source=source)
    found = json.loads(run(cli, gated, "evaluate", "--json", "--bootstrap", 0))
    assert not of_text & set(found)
    assert "7 rows were scored with --gate" in caplog.text


def test_a_class_may_be_taken_for_another_sentiment_or_for_none(cli: Cli) -> None:
    rows = decided(TASKS["8"], 400)
    plain = json.loads(run(cli, rows, "evaluate", "--json"))["sentiment_f1"]
    # Surprise stands for no sentiment unless somebody says so.
    assert plain["rows"] == (rows["label"] != "surprise").sum()
    options = ("--sentiment-map", "surprise=positive,contempt=none")
    mapped = json.loads(run(cli, rows, "evaluate", "--json", *options))["sentiment_f1"]
    assert mapped["rows"] == (rows["label"] != "contempt").sum()
    known = rows.filter(pl.col("label") != "contempt")
    positive = known["label"].is_in(["happy", "surprise"])
    wanted = f1_score(positive, known["sentiment"] == "positive")
    assert mapped["positive"] == pytest.approx(100 * wanted, abs=0.00501)


def test_a_sentiment_that_no_class_stands_for_has_no_figure() -> None:
    found = evaluate_rows(decided(TWO, 40), TWO, bootstrap=0)
    assert not found.of("sentiment")
    found = evaluate_rows(decided(MANY, 400), MANY, bootstrap=20)
    neutral = found.get("sentiment_F1", of_class="neutral")
    assert neutral is not None and neutral.value is None and neutral.bounds is None


def test_a_class_that_nobody_predicts_has_no_precision(cli: Cli) -> None:
    task = TASKS["8"]
    rows = decided(task, 100).with_columns(emotion=pl.lit("sad"))
    line = next(
        line.split() for line in run(cli, rows, "evaluate").splitlines() if line[:5] == "fear "
    )
    assert line[4:7] == ["-", "0.00", "0.00"]


def test_every_figure_is_told_from_every_other() -> None:
    rows = text_rows().with_columns(sentiment=pl.lit("neutral"))
    found = evaluate_rows(rows, TASKS["8"], by="session", bootstrap=20)
    keys = [figure.key for figure in found.figures]
    assert len(keys) == len(set(keys)) > 400
    table = long_table(found)
    assert not table.drop("value", "low", "high").is_duplicated().any()


def test_names_of_measures_are_those_that_they_are_registered_by() -> None:
    assert [measure.name for measure in every_measure()] == list(MEASURES)


def test_a_measure_is_asked_about_the_rows_of_each_group(toys: None) -> None:
    half = pl.when(pl.int_range(pl.len()) < 10).then(pl.lit("a")).otherwise(pl.lit("b"))
    found = evaluate_rows(with_weather().with_columns(session=half), FOUR, by="session")
    values = [found.value("fair", of_class="angry", group=name) for name in ("a", "b", None)]
    assert found.groups == ("a", "b")
    assert values == [100.0, 0.0, 25.0]


def test_the_report_knows_no_method_by_name() -> None:
    folder = Path(emobatch.__file__).parent / "reporting"
    text = "\n".join(file.read_text(encoding="utf-8") for file in folder.rglob("*.py"))
    assert "emobatch.fusion.file" in text
    assert "fusion.selection" not in text and "fusion import selection" not in text
