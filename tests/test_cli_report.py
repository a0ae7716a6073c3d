"""`emobatch report`, as a page is read and as a browser shows it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from browser import CHROMIUM, Tab, browser
from click.testing import CliRunner, Result
from pages import Page, blank_figures
from published import FIXTURE
from refusals import refusal
from samples import EMOTIONS, LOOSE_TOML, SPEECH_COLUMNS, csv, score_rows

from emobatch.cli.main import main
from emobatch.reporting.changes import changed_rows

Cli = Callable[..., Result]
HOSTILE = [
    "<script>document.title = 'owned'</script>",
    '"><img src="https://example.org/x" onerror="document.title = \'owned\'">',
    "{{ 7 * 7 }} {% raw %}",
    "</td></tr></table></section><h1>gone</h1>",
    "'quotes' \"double\" & &lt;b&gt; &amp;",
    "שלום \u202e override مرحبا",
    "a" * 400,
    None,
]


def run(*arguments: object, input: str | None = None) -> Result:
    result = CliRunner().invoke(main, [str(item) for item in arguments], input=input)
    assert result.exit_code == 0, result.output
    return result


def decided(rows: pl.DataFrame, folder: Path) -> str:
    """What `apply` makes of rows with the thresholds LOOSE, as CSV."""
    (folder / "loose.toml").write_text(LOOSE_TOML)
    return run("apply", "-t", folder / "loose.toml", input=csv(rows)).stdout


def reported(final: str, folder: Path, *options: object, drawn: bool = False) -> Page:
    """The report of a final table in CSV, with blank figures unless they are to be drawn."""
    with nullcontext() if drawn else blank_figures(built=True):
        run("report", "-o", folder / "page.html", *options, input=final)
    return Page((folder / "page.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fold 3's test rows, and a table with hostile text: final tables and their reports."""
    folder = tmp_path_factory.mktemp("report")
    run(
        *("apply", FIXTURE.table, "-t", FIXTURE.committed, "--where", "split = 'test'"),
        *("-o", folder / "final.parquet"),
    )
    run("report", folder / "final.parquet", "-t", FIXTURE.committed, "-o", folder / "fold.html")
    texts = [HOSTILE[number % len(HOSTILE)] for number in range(200)]
    rows = score_rows(200).with_columns(
        transcript=pl.Series(texts), speaker=pl.int_range(pl.len()) % 12
    )
    rows = rows.with_columns(id=pl.col("id") + "<i>")
    (folder / "hostile<b>.csv").write_text(decided(rows, folder))
    with blank_figures(built=True):
        run(*report_of_hostile(folder), "-o", folder / "hostile.html")
    return folder


def report_of_hostile(folder: Path) -> tuple[object, ...]:
    return ("report", folder / "hostile<b>.csv", "-t", folder / "loose.toml")


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    """What `evaluate` says of fold 3's test rows."""
    return json.loads(run("evaluate", "--json", folder / "final.parquet").stdout)


@pytest.fixture(scope="module")
def fold(folder: Path) -> Page:
    return Page((folder / "fold.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def hostile(folder: Path) -> Page:
    return Page((folder / "hostile.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def changed(folder: Path) -> pl.DataFrame:
    """The rows of the hostile table whose emotion changed."""
    rows = pl.read_csv(folder / "hostile<b>.csv", infer_schema=False).with_row_index("row", 1)
    return rows.filter(pl.col("emotion") != pl.col("speech_emotion"))


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def test_the_page_has_the_figures_that_evaluate_prints(fold: Page, found: dict[str, Any]) -> None:
    rows = {row[0].split()[0]: row[1:] for row in fold.tables["0"].rows}
    for name in ("UA", "WA", "F1"):
        for cell, stage in zip(rows[name], ("before", "after", "difference"), strict=True):
            bounds = found["intervals"][stage][name]
            value = found[stage][name]
            shown = f"{value:+.2f}" if stage == "difference" else f"{value:.2f}"
            shown += f"{bounds[0]:.2f} to {bounds[1]:.2f}"
            assert cell.replace("\N{MINUS SIGN}", "-") == shown


def test_the_page_has_error_rates_of_words_and_of_characters(tmp_path: Path) -> None:
    rows = score_rows(40).with_columns(
        reference=pl.Series(["one two", "今天好"] * 20), transcript=pl.Series(["one", "今天"] * 20)
    )
    page = reported(decided(rows, tmp_path), tmp_path)
    others = {row[0]: row for table in page.tables.values() for row in table.rows}
    for name, rate in (
        ("Word error rate (WER), %", "50.00"),
        ("Character error rate (CER), %", "33.33"),
    ):
        assert others[name][2].startswith(rate) and others[name][3] == "20"


def test_the_page_has_the_published_figures(fold: Page) -> None:
    text = " ".join(fold.text.split())
    assert "UA went from 67.89 % to 69.40 % on 481 labelled rows" in text


def test_the_page_has_a_described_figure_for_each_thing_promised(fold: Page) -> None:
    described = [svg["aria-label"] for svg in fold.all("svg")]
    for words in (
        "Confusion matrix, before",
        "Confusion matrix, after",
        "Changes of emotion",
        "Distributions of entropy",
        "Distributions of varentropy",
        *(f"M over the grid of thresholds, rows predicted {name}" for name in EMOTIONS),
        "Accuracy against the share of rows kept",
        "Accuracy of the speech branch against its confidence",
    ):
        assert sum(text.startswith(words) for text in described) == 1, words
    assert all(svg["role"] == "img" for svg in fold.all("svg"))


def test_confusion_matrices_have_their_numbers_printed(folder: Path, found: dict[str, Any]) -> None:
    html = (folder / "fold.html").read_text(encoding="utf-8")
    drawn = re.findall(
        r'<svg[^>]*aria-label="Confusion matrix, (before|after):.*?</svg>', html, re.S
    )
    assert drawn == ["before", "after"]
    for stage in drawn:
        svg = html.split(f'aria-label="Confusion matrix, {stage}:')[1].split("</svg>")[0]
        printed = Counter(re.findall(r">([^<>]+)</text>", svg))
        counts = Counter(str(count) for row in found["confusion"][stage] for count in row)
        assert len(counts) > 4
        assert counts <= printed


def test_the_changed_rows_are_those_of_the_table(hostile: Page, changed: pl.DataFrame) -> None:
    table = hostile.tables["changes"]
    assert len(table.rows) == len(changed) > 20
    for shown, column in (
        ("row", "row"),
        ("id", "id"),
        ("speech", "speech_emotion"),
        ("sentiment", "sentiment"),
        ("mapped", "mapped_emotion"),
        ("final", "emotion"),
        ("label", "label"),
    ):
        assert table.column(shown) == [str(value) for value in changed[column]]
    assert table.column("entropy") == [f"{float(value):.4f}" for value in changed["entropy"]]


def test_verdicts_say_which_branch_was_right(hostile: Page) -> None:
    table = hostile.tables["changes"]
    for speech, final, label, verdict in zip(
        *(table.column(name) for name in ("speech", "final", "label", "verdict")), strict=True
    ):
        wanted = {final: "better", speech: "worse"}
        assert verdict == wanted.get(label, "neither")


def test_the_sums_of_changes_are_those_of_the_rows(hostile: Page) -> None:
    verdicts = hostile.tables["changes"].column("verdict")
    changes = next(table for table in hostile.tables.values() if table.header[0] == "change")
    for name in ("better", "worse", "neither"):
        assert sum(map(int, changes.column(name))) == verdicts.count(name)


def test_hostile_text_is_shown_as_it_is(hostile: Page, changed: pl.DataFrame) -> None:
    shown = hostile.tables["changes"].column("transcript")
    # All but what would turn the reading direction of what follows.
    harmless = [text and text.replace("\u202e", r"\u202e") for text in HOSTILE]
    wanted = dict(zip(HOSTILE, harmless, strict=True))
    assert shown == [wanted[text] or "" for text in changed["transcript"]]
    assert set(harmless) - {None} <= set(shown)
    assert "hostile<b>.csv" in hostile.text


def test_hostile_text_adds_no_element(hostile: Page) -> None:
    tags = {tag for tag, _ in hostile.elements}
    assert not tags & {"img", "i", "b", "link", "iframe", "object", "base", "form"}
    assert len(hostile.all("script")) == len(hostile.all("h1")) == 1


def test_text_that_runs_from_right_to_left_stays_in_its_cell(hostile: Page) -> None:
    cells = [attributes for attributes in hostile.all("td") if "dir" in attributes]
    assert len(cells) == 2 * len(hostile.tables["changes"].rows)


def test_only_the_pages_own_script_may_run(fold: Page) -> None:
    policy = next(meta["content"] for meta in fold.all("meta") if "http-equiv" in meta)
    digest = base64.b64encode(hashlib.sha256(fold.script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_the_page_refers_to_nothing_outside_itself(fold: Page) -> None:
    for tag, attributes in fold.elements:
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "srcset", "action"):
                assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value)
            if "url(" in value:
                assert "url(#" in value, (tag, name, value)


def test_links_lead_to_sections(fold: Page) -> None:
    ids = [attributes["id"] for _, attributes in fold.elements if "id" in attributes]
    targets = [link["href"].removeprefix("#") for link in fold.all("a")]
    assert len(targets) == 9
    assert set(targets) <= set(ids)
    assert len(ids) == len(set(ids))


def test_the_same_input_gives_the_same_bytes(folder: Path) -> None:
    # That figures are the same each time is looked at where they are drawn.
    with blank_figures(built=True):
        run(*report_of_hostile(folder), "-o", folder / "again.html")
    assert (folder / "again.html").read_bytes() == (folder / "hostile.html").read_bytes()


def test_provenance_is_shown(tmp_path: Path) -> None:
    scores = FIXTURE.table.parent / "demo_scores.parquet"
    run("calibrate", scores, "-o", tmp_path / "t.toml")
    run("apply", scores, "-t", tmp_path / "t.toml", "-o", tmp_path / "final.parquet")
    with blank_figures():
        result = run(
            *("report", tmp_path / "final.parquet", "-t", tmp_path / "t.toml"),
            *("-o", tmp_path / "page.html"),
        )
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    digest = "sha256:ef13bd4a446a64bd0326c079b4b0708128d916e7958e66e97b7b4500fa8b90f6"
    for words in (digest, "contractions,punctuation", "faster-whisper", "released", "matplotlib"):
        assert words in page.text
    assert "The thresholds were fitted on 400 of these 400 rows" in page.text
    assert "seem to be the same" not in page.text
    assert "word error rate" in page.text.lower()
    assert "never flagged: only 1 misclassified as angry" in page.text
    assert result.stdout == ""


def test_without_thresholds_the_heat_map_is_left_out_and_said_so(tmp_path: Path) -> None:
    page = reported(decided(score_rows(60), tmp_path), tmp_path)
    assert "Without a thresholds file (-t)" in page.text
    assert not any("M over" in svg["aria-label"] for svg in page.all("svg"))
    assert any("Confusion" in svg["aria-label"] for svg in page.all("svg"))


@pytest.mark.parametrize("label", [None, "", "missing"])
def test_without_labels_their_parts_are_left_out_and_said_so(
    tmp_path: Path, label: str | None
) -> None:
    rows = score_rows(60).with_columns(label=pl.lit(label, dtype=pl.String))
    if label == "missing":
        rows = rows.drop("label")
    page = reported(decided(rows, tmp_path), tmp_path, "-t", tmp_path / "loose.toml")
    assert "No row has both a label and a final emotion" in page.text
    assert [svg["aria-label"].split(":")[0] for svg in page.all("svg")] == ["Changes of emotion"]
    assert set(page.tables["changes"].column("verdict")) == {""}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """A page of rows that have all that must be noted, with labels in a column of another name."""
    folder = tmp_path_factory.mktemp("odd")
    unscored = [
        pl.when(pl.col("id") < "010").then(None).otherwise(pl.col(name)).alias(name)
        for name in SPEECH_COLUMNS
    ]
    rows = score_rows(60).with_columns(*unscored, split=pl.lit("train")).rename({"label": "truth"})
    final = decided(rows, folder)
    (folder / "tight.toml").write_text(LOOSE_TOML.replace("entropy = 0.7", "entropy = 1.2"))
    options = ("--label-column", "truth", "--where", "id < '050'", "--trained-on", "train")
    return reported(final, folder, "-t", folder / "tight.toml", *options)


def test_rows_without_scores_are_counted_and_left_out(odd: Page) -> None:
    assert "50 rows, 10 of them without scores" in odd.text
    assert "on 40 labelled rows" in " ".join(odd.text.split())


def test_other_thresholds_than_the_tables_own_are_noted(odd: Page) -> None:
    assert re.search(r"flags \d+ of 40 rows otherwise than the table says", odd.text)


def test_rows_that_the_speech_model_was_trained_on_are_noted(odd: Page) -> None:
    assert "was trained on 40 of 40 labelled rows" in odd.text


def test_which_rows_were_asked_for_is_told(odd: Page) -> None:
    assert odd.text.count("id < '050'") == 1


def test_a_table_without_changes_has_a_page(tmp_path: Path) -> None:
    rows = score_rows(60).with_columns(sentiment=pl.lit(None, dtype=pl.String))
    page = reported(decided(rows, tmp_path), tmp_path, drawn=True)
    assert "No row changed its emotion." in page.text
    assert page.script == ""


def test_one_row_has_a_page(tmp_path: Path) -> None:
    final = decided(score_rows(1), tmp_path)
    page = reported(final, tmp_path, "-t", tmp_path / "loose.toml", drawn=True)
    assert "1 rows" in page.text


def test_of_very_many_changed_rows_the_first_are_listed_and_the_rest_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = partial(changed_rows, most=30)
    monkeypatch.setattr("emobatch.reporting.report.changed_rows", few)
    final = decided(score_rows(400).drop("label"), tmp_path)
    page = reported(final, tmp_path)
    said = re.search(r"Only the first (\d+) are listed; (\d+) more", page.text)
    rows = pl.read_csv(final.encode(), infer_schema=False)
    changed = (rows["emotion"] != rows["speech_emotion"]).sum()
    assert said and changed > 30
    assert len(page.tables["changes"].rows) == int(said[1]) == 30
    assert int(said[1]) + int(said[2]) == changed


@pytest.fixture(scope="module")
def final(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """A final table of 60 rows, as text."""
    table = decided(score_rows(60), tmp_path_factory.mktemp("final"))
    return pl.read_csv(table.encode(), infer_schema=False)


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (lambda rows: rows.drop("emotion"), [], "no column 'emotion'; `emobatch apply`"),
        (lambda rows: rows.drop(SPEECH_COLUMNS), [], "no column 'speech_angry'"),
        (lambda rows: rows.drop("speech_sad"), [], "(angry, happy, neutral) sum to"),
        (lambda rows: rows.with_columns(emotion=pl.lit("fear")), [], "fear (60)"),
        (lambda rows: rows.with_columns(label=pl.lit("fru")), [], "fru (60)"),
        (lambda rows: rows.clear(), [], "no rows; look at --where"),
        (lambda rows: rows, ["--where", "nope = 1"], "no column 'nope'"),
        (lambda rows: rows, ["--label-column", "truth"], "no column 'truth'"),
        (lambda rows: rows, ["--label-column", "emotion"], "holds predictions"),
        (lambda rows: rows, ["--label-column", "speech_emotion"], "holds predictions"),
        (lambda rows: rows, ["--label-column", "mapped_emotion"], "holds predictions"),
        (lambda rows: rows, ["-o", "page.pdf"], "name it .html, .htm"),
        (lambda rows: rows, ["-t", "missing.toml"], "missing.toml: No such file"),
        (lambda rows: rows, ["missing.csv"], "missing.csv: no such file"),
    ],
)
def test_what_cannot_be_reported_is_refused(
    cli: Cli,
    tmp_path: Path,
    final: pl.DataFrame,
    change: Any,
    arguments: list[str],
    said: str,
) -> None:
    final = change(final)
    target = tmp_path / "page.html"
    assert said in refusal(cli("report", "-o", target, *arguments, input=csv(final)))
    assert not target.exists()


def test_thresholds_of_other_classes_are_refused(cli: Cli, tmp_path: Path) -> None:
    page = ("report", "-o", tmp_path / "page.html", "-t", tmp_path / "loose.toml")
    rows = pl.read_csv(decided(score_rows(60), tmp_path).encode(), infer_schema=False)
    said = refusal(cli(*page, input=csv(rows.drop("speech_sad"))))
    assert (
        "fitted for angry, happy, neutral, sad, and the table is of angry, happy, neutral" in said
    )


def test_a_page_needs_a_place(cli: Cli) -> None:
    assert cli("report", "final.csv").exit_code == 2


def test_a_browser_opens_the_page_without_complaint_or_request(tab: Tab, folder: Path) -> None:
    for name in ("fold.html", "hostile.html"):
        tab.open(folder / name)
        assert tab.complaints() == []
        assert tab.requests() == [(folder / name).as_uri()]
        assert tab.ask("document.title").startswith("emobatch report: ")


def test_a_script_that_slipped_in_would_not_run(tab: Tab, folder: Path) -> None:
    html = (folder / "fold.html").read_text(encoding="utf-8")
    (folder / "slipped.html").write_text(html.replace("<main>", f"<main>{HOSTILE[0]}{HOSTILE[1]}"))
    tab.open(folder / "slipped.html")
    assert tab.ask("document.title").startswith("emobatch report: ")
    assert any("Content Security Policy" in said for said in tab.complaints())


SHOWN = "[...document.querySelectorAll('#changes tbody tr:not([hidden])')]"


def column(tab: Tab, page: Page, name: str) -> list[str]:
    """What a browser shows of a column of the changed rows."""
    at = page.tables["changes"].header.index(name)
    shown: list[str] = tab.ask(f"{SHOWN}.map((row) => row.cells[{at}].textContent)")
    return shown


@pytest.mark.parametrize("name", ["entropy", "speech", "row"])
def test_a_click_sorts_and_another_turns_it_round(
    tab: Tab, folder: Path, hostile: Page, name: str
) -> None:
    tab.open(folder / "hostile.html")
    values = hostile.tables["changes"].column(name)
    key: Any = str if name == "speech" else float
    tab.click(f"#changes th.{name} button")
    assert column(tab, hostile, name) == sorted(values, key=key)
    assert tab.ask(f"document.querySelector('th.{name}').ariaSort") == "ascending"
    tab.click(f"#changes th.{name} button")
    assert column(tab, hostile, name) == sorted(values, key=key, reverse=True)


def test_what_is_typed_is_searched(tab: Tab, folder: Path, hostile: Page) -> None:
    tab.open(folder / "hostile.html")
    tab.click("#search")
    tab.type("QUOTES better")
    found = [
        row
        for row in hostile.tables["changes"].rows
        if "quotes" in " ".join(row) and "better" in row
    ]
    assert column(tab, hostile, "row") == [row[0] for row in found] != []
    said = f"{len(found)} of {len(hostile.tables['changes'].rows)} rows"
    assert tab.ask("document.getElementById('matches').textContent") == said


def test_a_link_may_bring_a_search_and_an_order(tab: Tab, folder: Path, hostile: Page) -> None:
    tab.open(folder / "hostile.html", "#search=worse&sort=-entropy")
    assert set(column(tab, hostile, "verdict")) == {"worse"}
    entropies = [float(value) for value in column(tab, hostile, "entropy")]
    assert entropies == sorted(entropies, reverse=True)


def test_the_rows_are_there_without_javascript(tab: Tab, folder: Path, hostile: Page) -> None:
    tab.do("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(folder / "hostile.html")
    tab.do("Emulation.setScriptExecutionDisabled", value=False)
    assert tab.ask(f"{SHOWN}.length") == len(hostile.tables["changes"].rows)
    assert tab.ask("document.getElementById('tools').offsetHeight") == 0


def test_nothing_is_wider_than_a_narrow_screen(tab: Tab, folder: Path) -> None:
    screen = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    tab.do("Emulation.setDeviceMetricsOverride", **screen)
    tab.open(folder / "hostile.html")
    assert tab.ask("document.documentElement.scrollWidth") <= screen["width"]
    tab.do("Emulation.clearDeviceMetricsOverride")
