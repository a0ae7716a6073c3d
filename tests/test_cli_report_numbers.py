"""The numbers that stand in `emobatch report`, against the table that it is about."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from pages import Page, Table, blank_figures
from samples import EMOTIONS, SPEECH_COLUMNS, score_rows

from emobatch.cli.main import main

Cli = Callable[..., Result]
LABELLED, UNLABELLED, UNSCORED = 150, 50, 10
MINUS = "\N{MINUS SIGN}"


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(item) for item in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@dataclass
class Reported:
    """A final table with its report, and what `evaluate` says of it."""

    folder: Path
    final: pl.DataFrame
    page: Page
    found: dict[str, Any]

    @property
    def scored(self) -> pl.DataFrame:
        return self.final.drop_nulls("speech_emotion")

    @property
    def changed(self) -> pl.DataFrame:
        return self.scored.filter(pl.col("emotion") != pl.col("speech_emotion"))

    @property
    def text(self) -> str:
        return " ".join(self.page.text.split())

    @property
    def described(self) -> list[str]:
        return [svg["aria-label"] for svg in self.page.all("svg")]

    def table(self, heading: str) -> Table:
        """The table that has such a column."""
        return next(each for each in self.page.tables.values() if heading in each.header)


def table_with_all() -> pl.DataFrame:
    """Rows with a label and without, and some without scores, which were recognised worst."""
    rows = score_rows(LABELLED + UNLABELLED + UNSCORED)
    number = pl.int_range(pl.len())
    is_unscored = number >= LABELLED + UNLABELLED
    is_unlabelled = (number >= LABELLED) & ~is_unscored
    return rows.with_columns(
        *(
            pl.when(is_unscored).then(None).otherwise(pl.col(name)).alias(name)
            for name in SPEECH_COLUMNS
        ),
        label=pl.when(is_unlabelled).then(None).otherwise("label"),
        reference=pl.lit("one two"),
        transcript=pl.when(is_unscored).then(pl.lit("three")).otherwise(pl.lit("one")),
    )


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    folder = tmp_path_factory.mktemp("numbers")
    table_with_all().write_csv(folder / "scores.csv")
    options = ("--protocol", "paper", "--bootstrap", 0)
    run("calibrate", folder / "scores.csv", *options, "-o", folder / "t.toml")
    run("apply", folder / "scores.csv", "-t", folder / "t.toml", "-o", folder / "final.parquet")
    page = folder / "page.html"
    with blank_figures(but=["confusion_matrix", "risk_coverage_curve"]):
        run("report", folder / "final.parquet", "-t", folder / "t.toml", "-o", page)
    return Reported(
        folder,
        pl.read_parquet(folder / "final.parquet"),
        Page(page.read_text(encoding="utf-8")),
        json.loads(run("evaluate", "--json", folder / "final.parquet")),
    )


def test_the_summary_counts_what_the_table_says(reported: Reported) -> None:
    flagged, changed = reported.scored["flagged"].sum(), len(reported.changed)
    better = (reported.changed["label"] == reported.changed["emotion"]).sum()
    worse = (reported.changed["label"] == reported.changed["speech_emotion"]).sum()
    # Figures that could stand for each other would show nothing.
    assert len({flagged, changed, better, worse, 0}) == 5
    before, after = (reported.found[stage]["UA"] for stage in ("before", "after"))
    assert (
        f"210 rows, 10 of them without scores. {flagged} ({flagged / 2:.1f} %) were flagged, of "
        f"which the text branch changed {changed}: {better} for the better, {worse} for the "
        f"worse. UA went from {before:.2f} % to {after:.2f} % on 150 labelled rows."
    ) in reported.text


def test_figures_of_each_class_are_those_that_evaluate_prints(reported: Reported) -> None:
    rows = {row[0]: row[1:] for row in reported.page.tables["1"].rows}
    for name in EMOTIONS:
        stages = [reported.found["classes"][stage][name] for stage in ("before", "after")]
        bounds = [
            reported.found["intervals"][stage]["classes"][name] for stage in ("before", "after")
        ]
        wanted = [str(stages[0]["support"])]
        for figure in ("precision", "recall", "F1"):
            for values, spans in zip(stages, bounds, strict=True):
                low, high = spans[figure]
                wanted.append(f"{values[figure]:.2f}{low:.2f} to {high:.2f}")
        assert rows[name] == wanted


def test_the_paired_test_is_that_of_evaluate(reported: Reported) -> None:
    tested = reported.found["paired_test"]
    assert tested["better"] != tested["worse"]
    assert (
        f"{tested['better']} rows are right only afterwards and {tested['worse']} only before: "
        f"p = {tested['p']:.4f}"
    ) in reported.text


def test_decisions_are_counted_by_predicted_class(reported: Reported) -> None:
    table = reported.table("confirmed")
    parts = {name: reported.scored.filter(speech_emotion=name) for name in EMOTIONS}
    for row, part in zip(table.rows, (*parts.values(), reported.scored), strict=True):
        is_changed = part["emotion"] != part["speech_emotion"]
        wanted = {
            "rows": len(part),
            "flagged": part["flagged"].sum(),
            "changed": is_changed.sum(),
            "confirmed": ((part["decided_by"] == "text") & ~is_changed).sum(),
            "reverted": (part["decided_by"] == "reverted").sum(),
            "nothing said": (part["decided_by"] == "no-text").sum(),
        }
        assert dict(zip(table.header[1:], map(int, row[1:]), strict=True)) == wanted


def test_every_changed_row_is_listed_with_what_came_of_it(reported: Reported) -> None:
    rows = reported.final.with_row_index("row", 1).filter(
        pl.col("emotion") != pl.col("speech_emotion")
    )
    table = reported.page.tables["changes"]
    assert table.column("row") == [str(row) for row in rows["row"]]
    verdicts = []
    for row in rows.iter_rows(named=True):
        came_of_it = {row["emotion"]: "better", row["speech_emotion"]: "worse", None: ""}
        verdicts.append(came_of_it.get(row["label"], "neither"))
    assert table.column("verdict") == verdicts
    assert set(verdicts) == {"better", "worse", "neither", ""}


def test_changes_are_counted_by_what_came_of_them(reported: Reported) -> None:
    table = reported.table("neither")
    assert table.header == ["change", "rows", "better", "worse", "neither", "no label"]
    shown = {row[0]: list(map(int, row[1:])) for row in table.rows}
    pairs = reported.changed.group_by("speech_emotion", "emotion")
    assert len(shown) == len(list(pairs))
    for (before, after), part in pairs:
        counts = Counter(part["label"].to_list())
        known = [counts[after], counts[before]]
        others = len(part) - sum(known) - counts[None]
        assert shown[f"{before} → {after}"] == [len(part), *known, others, counts[None]]
    assert sum(row[-1] for row in shown.values()) > 0


def test_the_error_rate_is_of_rows_without_scores_too(reported: Reported) -> None:
    cells = next(
        row
        for table in reported.page.tables.values()
        for row in table.rows
        if row[0].startswith("Word error rate")
    )
    assert cells[2].startswith(f"{reported.found['wer']:.2f}")
    assert cells[3] == "160"


@pytest.mark.parametrize("measure", ["entropy", "varentropy"])
def test_medians_are_of_the_speech_branchs_right_and_wrong_rows(
    reported: Reported, measure: str
) -> None:
    rows = reported.scored.drop_nulls("label")
    is_right = rows["label"] == rows["speech_emotion"]
    (said,) = (
        text for text in reported.described if text.startswith(f"Distributions of {measure}")
    )
    for name in EMOTIONS:
        of_class = rows["speech_emotion"] == name
        right = rows.filter(of_class & is_right)[measure].median()
        wrong = rows.filter(of_class & ~is_right)[measure].median()
        assert f"{name} {right:.2f} right, {wrong:.2f} wrong" in said


def test_a_caption_says_on_which_side_of_its_limit_a_row_is_flagged(reported: Reported) -> None:
    captions = re.findall(r"(Entropy|Varentropy) of the rows.*?it is (.) the dashed", reported.text)
    assert captions == [("Entropy", "≥"), ("Varentropy", "≤")]


def test_confidence_is_told_in_the_figures_of_evaluate(reported: Reported) -> None:
    said = " ".join(reported.described)
    assert f"calibration error {reported.found['calibration_error']:.2f} %" in said
    # As few of the surest rows as are half of them; no two rows are as unsure as each other.
    surest = reported.scored.drop_nulls("label").sort("entropy").head(LABELLED // 2)
    before, after = (
        100 * (surest["label"] == surest[name]).mean() for name in ("speech_emotion", "emotion")
    )
    assert f"at one half: speech branch {before:.1f} %, final {after:.1f} %" in said
    html = (reported.folder / "page.html").read_text(encoding="utf-8")
    assert reported.found["before"]["WA"] != reported.found["after"]["WA"]
    for name, stage in (("speech branch", "before"), ("final", "after")):
        assert f"{name} ({reported.found[stage]['WA']:.1f} % of all rows)" in html


def test_a_confusion_matrix_has_the_differences_from_before(reported: Reported) -> None:
    html = (reported.folder / "page.html").read_text(encoding="utf-8")
    svg = html.split('aria-label="Confusion matrix, after:')[1].split("</svg>")[0]
    printed = Counter(re.findall(rf">([+{MINUS}]\d+)</text>", svg))
    before, after = (reported.found["confusion"][stage] for stage in ("before", "after"))
    changes = [
        a - b for row, old in zip(after, before, strict=True) for a, b in zip(row, old, strict=True)
    ]
    assert printed == Counter(f"{change:+d}".replace("-", MINUS) for change in changes if change)
    shares = Counter(re.findall(r">(\d+ %)</text>", svg))
    assert shares == Counter(f"{100 * n / sum(row):.0f} %" for row in after for n in row)
    for stage, matrix in (("before", before), ("after", after)):
        (said,) = (
            text for text in reported.described if text.startswith(f"Confusion matrix, {stage}")
        )
        for name, row in zip(EMOTIONS, matrix, strict=True):
            counts = [
                f"{count} {other}" for count, other in zip(row, EMOTIONS, strict=True) if count
            ]
            assert f"of {sum(row)} rows labelled {name}, {', '.join(counts)}" in said


def test_the_rows_are_counted_where_it_is_said_what_was_run(reported: Reported) -> None:
    assert "210, of which 200 have scores and 160 a label" in reported.text


def test_the_map_is_drawn_by_the_protocol_that_was_fitted_with(reported: Reported) -> None:
    assert "that the protocol “paper” takes" in reported.text
    # A search of these rows chooses what is in use.
    assert "In use: entropy" in reported.text
    assert "A search of these rows would choose" not in reported.text


@pytest.fixture
def blank() -> Iterator[None]:
    with blank_figures():
        yield


FITTED_HERE = "were fitted on: these seem to be the same"


@pytest.mark.usefixtures("blank")
def test_rows_are_those_fitted_on_where_the_counts_of_all_classes_say_so(
    reported: Reported, cli: Cli
) -> None:
    """Where the file has no ids of the rows fitted on, which tell more."""
    known = (reported.folder / "t.toml").read_text()
    text = re.sub(r"\n\[fitted\.ids\].*?(?=\n\[|\Z)", "", known, flags=re.DOTALL)
    assert text != known
    (reported.folder / "all.toml").write_text(text)
    page = reported.folder / "all.html"
    final = reported.folder / "without.parquet"
    reported.final.write_parquet(final)
    cli("report", final, "-t", reported.folder / "all.toml", "-o", page)
    assert FITTED_HERE in page.read_text(encoding="utf-8")
    for count in ("flagged", "detected"):
        other = reported.folder / f"{count}.toml"
        other.write_text(re.sub(rf"^{count} = (\d+)", rf"{count} = 1\1", text, count=1, flags=re.M))
        page = reported.folder / f"{count}.html"
        cli("report", final, "-t", other, "-o", page)
        assert FITTED_HERE not in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("blank")
def test_several_tables_are_named_by_the_first_and_how_many_more(
    reported: Reported, cli: Cli
) -> None:
    parts = [reported.folder / f"part-{name}.parquet" for name in "abc"]
    for number, part in enumerate(parts):
        reported.final[number * 70 : (number + 1) * 70].write_parquet(part)
    page = reported.folder / "parts.html"
    assert cli("report", *parts, "-o", page).exit_code == 0
    assert "<h1>emobatch report: part-a.parquet and 2 more</h1>" in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("blank")
def test_no_figure_is_shown_of_a_sentiment_that_no_class_stands_for(
    reported: Reported, cli: Cli
) -> None:
    def shown(page: Page) -> list[str]:
        rows = [row for table in page.tables.values() for row in table.rows]
        return [row[1] for row in rows if row[0].startswith("Sentiment against labels")]

    assert shown(reported.page) == ["negative", "neutral", "positive"]
    target = reported.folder / "mapped.html"
    options = ("--sentiment-map", "happy=none", "-o", target)
    assert cli("report", reported.folder / "final.parquet", *options).exit_code == 0
    assert shown(Page(target.read_text(encoding="utf-8"))) == ["negative", "neutral"]
