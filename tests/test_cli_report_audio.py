"""`emobatch report --audio`: the changed rows are heard inside the page, and wide tables scroll."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from browser import CHROMIUM, Tab, browser
from click.testing import CliRunner, Result
from pages import Page
from refusals import refusal
from samples import LOOSE_TOML, csv, score_rows
from sounds import save, tone

from emobatch.cli.main import main
from emobatch.manifests import manifest
from emobatch.reporting import sounds

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn")
MP3 = "data:audio/mpeg;base64,"
ROWS = 40


def run(*arguments: object, input: str | None = None) -> Result:
    result = CliRunner().invoke(main, [str(item) for item in arguments], input=input)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A final table of which each row is another tone: 10.5 s, a segment of that, or missing."""
    folder = tmp_path_factory.mktemp("heard")
    rows = score_rows(ROWS)
    number = pl.int_range(pl.len())
    rows = rows.with_columns(
        path=pl.format("audio/{}.wav", number),
        start=pl.when(number % 3 == 1).then(2.0),
        end=pl.when(number % 3 == 1).then(4.5),
        transcript=pl.lit("a sentence of some length, as people say them"),
    )
    (folder / "audio").mkdir()
    for place in range(ROWS):
        if place % 7:
            save(folder / f"audio/{place}.wav", tone(10.5, hertz=200 + 50 * place))
    (folder / "loose.toml").write_text(LOOSE_TOML)
    run("apply", "-t", folder / "loose.toml", "-o", folder / "final.csv", input=csv(rows))
    page = ("report", folder / "final.csv", "-t", folder / "loose.toml", "--audio")
    run(*page, "-o", folder / "page.html")
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "page.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def changed(folder: Path) -> pl.DataFrame:
    rows = pl.read_csv(folder / "final.csv").with_row_index("row", 1)
    return rows.filter(pl.col("emotion") != pl.col("speech_emotion"))


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def heard(source: str) -> tuple[float, float]:
    """Seconds, and hertz of the loudest tone, of what a page holds."""
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(source.removeprefix(MP3))))
    loudest = np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples)
    return len(samples) / rate, float(loudest)


def test_each_row_has_the_beginning_of_its_own_clip(page: Page, changed: pl.DataFrame) -> None:
    there = [row for row in changed.iter_rows(named=True) if (row["row"] - 1) % 7]
    players = page.all("audio")
    assert [player["aria-label"] for player in players] == [f"row {row['row']}" for row in there]
    assert 5 < len(there) < len(changed)
    for player, row in zip(players, there, strict=True):
        seconds, hertz = heard(player["src"])
        assert seconds == pytest.approx(10.0 if row["start"] is None else 2.5, abs=0.15)
        assert hertz == pytest.approx(200 + 50 * (row["row"] - 1), abs=3)


def test_what_cant_be_heard_is_said(page: Page, changed: pl.DataFrame) -> None:
    missing = changed.filter((pl.col("row") - 1) % 7 == 0)
    assert f"; {len(missing)} can't be read (no such file: {missing['path'][0]})" in page.text
    assert f"Of {len(changed) - len(missing)} rows the first 10 s can be heard" in page.text


def test_the_same_table_gives_the_same_page(folder: Path) -> None:
    arguments = ("report", folder / "final.csv", "-t", folder / "loose.toml", "--audio")
    run(*arguments, "-o", folder / "again.html")
    assert (folder / "again.html").read_bytes() == (folder / "page.html").read_bytes()


def test_without_the_option_nothing_is_heard_or_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sounds, "windows", None)
    run("report", folder / "final.csv", "-o", folder / "silent.html")
    silent = Page((folder / "silent.html").read_text(encoding="utf-8"))
    assert silent.all("audio") == [] and "can be heard" not in silent.text


def test_from_elsewhere_root_says_where_the_clips_are(folder: Path, tmp_path: Path) -> None:
    final = (folder / "final.csv").read_text()
    lost = run("report", "-o", tmp_path / "page.html", "--audio", input=final)
    assert "Of 0 rows the first 10 s" in lost.stderr and "--root names the folder" in lost.stderr
    run("report", "-o", tmp_path / "page.html", "--audio", "--root", folder, input=final)
    assert Page((tmp_path / "page.html").read_text(encoding="utf-8")).all("audio")


def test_a_page_has_a_limit_and_says_what_it_left_out(folder: Path) -> None:
    (folder / "m.csv").write_text("path\naudio/1.wav\naudio/2.wav\naudio/0.wav\naudio/3.wav\n")
    rows = manifest.read(str(folder / "m.csv")).frame(0, 9)
    one = sounds.sounds(rows.head(1), folder)
    assert one.sources[0] is not None
    size = len(base64.b64decode(one.sources[0].removeprefix(MP3)))
    found = sounds.sounds(rows, folder, most_bytes=2 * size)
    assert [source is not None for source in found.sources] == [True, True, False, False]
    assert found.says.startswith("Of 2 rows the first 10 s can be heard; 1 more are left out")
    assert "; 1 can't be read (no such file: audio/0.wav)" in found.says


def test_a_table_that_names_no_files_is_refused(cli: Cli, folder: Path, tmp_path: Path) -> None:
    final = pl.read_csv(folder / "final.csv").drop("path").write_csv()
    target = tmp_path / "page.html"
    said = refusal(cli("report", "-o", target, "--audio", input=final))
    assert "no column 'path' with the audio files; leave --audio out" in said
    assert not target.exists()


def test_a_browser_plays_it_without_a_request(tab: Tab, folder: Path) -> None:
    tab.open(folder / "page.html")
    tab.click("#search")  # a page may make no sound before somebody has touched it
    started = "window.done = ''; const at = document.querySelector('audio'); at.muted = true;"
    tab.ask(
        started + "at.play().then(() => { window.done = 'plays'; }, (e) => { done = `${e}`; });"
    )
    while not (said := tab.ask("window.done")):
        pass
    assert said == "plays"
    assert 2 < tab.ask("document.querySelector('audio').duration") < 10.2
    assert tab.complaints() == []
    assert tab.requests() == [(folder / "page.html").as_uri()]


@pytest.mark.parametrize("width", [400, 1280])
def test_every_table_can_be_read_to_its_end(tab: Tab, folder: Path, width: int) -> None:
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    tab.do("Emulation.setDeviceMetricsOverride", **screen)
    tab.open(folder / "page.html")
    assert tab.ask("document.documentElement.scrollWidth") <= width
    cut = tab.ask(
        "[...document.querySelectorAll('table')].filter((table) => {"
        "  const box = table.closest('.wide') ?? document.documentElement;"
        "  box.scrollLeft = 1e6;"
        "  const last = Math.max(...[...table.rows].map((r) => r.getBoundingClientRect().right));"
        "  return last > box.getBoundingClientRect().right + 1;"
        "}).map((table) => table.caption?.textContent ?? table.id)"
    )
    assert cut == []
    tab.do("Emulation.clearDeviceMetricsOverride")
