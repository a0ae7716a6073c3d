"""The whole pipeline with other classes than four, and with a text model that says emotions."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from checkpoints import (
    EIGHT_LABELS,
    MANY_LABELS,
    TEXT_EMOTIONS,
    save_sentiment,
    save_speech,
    save_text_emotion,
    save_whisper,
)
from click.testing import Result
from espeak import RATE, VOICES, speak
from pages import Page

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn", "unresampled")
CLIPS = 90
TWO_LABELS = ("calm", "tense")
# Speech labels, text model, value of --classes.
PIPELINES = {
    # Of names that say nothing of a sentiment it is told which they stand for.
    "2 classes": (
        TWO_LABELS,
        "sentiment",
        "checkpoint --sentiment-map=calm=positive,tense=negative",
    ),
    "27 classes": (MANY_LABELS, "sentiment", "checkpoint"),
    "8 classes, text emotions": (EIGHT_LABELS, "emotion", "eight"),
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short clips of several voices."""
    folder = tmp_path_factory.mktemp("clips")
    words = ("so", "well done", "never again", "what a day", "leave me alone", "it is over")
    for number in range(CLIPS):
        voice = VOICES[number % len(VOICES)]
        samples = speak(words[number % len(words)], voice, rate=130 + 3 * (number % 31))
        soundfile.write(folder / f"{number}.wav", samples, RATE)
    rows = "".join(f"{number}.wav,speaker {number % 6}\n" for number in range(CLIPS))
    (folder / "manifest.csv").write_text("path,speaker\n" + rows)
    return folder / "manifest.csv"


@pytest.fixture(scope="module", params=sorted(PIPELINES))
def scored(
    request: pytest.FixtureRequest, manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[str], pl.DataFrame]:
    """Name of the pipeline, options of `score`, and a score table with labels made up."""
    labels, kind, classes = PIPELINES[request.param]
    folder = tmp_path_factory.mktemp("models")
    save_text = save_text_emotion if kind == "emotion" else save_sentiment
    options = [
        f"--speech-model={save_speech(folder / 'speech', labels=labels)}",
        f"--asr-model={save_whisper(folder / 'asr')}",
        f"--text-model={save_text(folder / 'text')}",
        *f"--classes={classes}".split(),
    ]
    from click.testing import CliRunner

    from emobatch.cli.main import main

    target = folder / "scores.parquet"
    result = CliRunner().invoke(main, ["score", str(manifest), "-o", str(target), *options])
    assert result.exit_code == 0, result.output
    rows = pl.read_parquet(target)
    rng = np.random.default_rng(0)
    names = [name.removeprefix("speech_") for name in rows.columns if name.startswith("speech_")]
    names.remove("emotion")
    made_up = np.where(rng.random(CLIPS) < 0.4, rows["speech_emotion"], rng.choice(names, CLIPS))
    return request.param, options, rows.with_columns(label=pl.Series(made_up))


def test_every_command_takes_it(
    cli: Cli, scored: tuple[str, list[str], pl.DataFrame], manifest: Path, tmp_path: Path
) -> None:
    name, _, rows = scored
    scores, thresholds = tmp_path / "scores.parquet", tmp_path / "t.toml"
    final, page = tmp_path / "final.parquet", tmp_path / "report.html"
    rows.write_parquet(scores)
    fitted = cli("calibrate", scores, "-o", thresholds)
    assert fitted.exit_code == 0, fitted.stderr
    document = tomllib.loads(thresholds.read_text())
    classes = document["classes"]
    assert len(classes) == len(PIPELINES[name][0])
    assert sum("entropy" in entry for entry in document["thresholds"].values())
    kinds = {entry["mapping"] for entry in document["thresholds"].values()}
    assert kinds == {"direct"} if "text emotions" in name else kinds <= {"refer", "simple"}

    assert cli("apply", scores, "-t", thresholds, "-o", final).exit_code == 0
    decided = pl.read_parquet(final)
    assert decided["flagged"].sum() > 0
    assert set(decided["emotion"]) <= set(classes)

    measured = json.loads(cli("evaluate", final, "--json", "--bootstrap", 20).stdout)
    assert len(measured["confusion"]["after"]) == len(classes)
    assert ("text" in measured) == ("text emotions" in name)
    shown = cli("evaluate", final, "--bootstrap", 20).stdout
    assert max(map(len, shown.splitlines())) <= 120
    folds = rows.with_columns(fold=pl.int_range(CLIPS) % 2)
    crossed = cli("crossval", "--json", input=folds.write_csv())
    assert crossed.exit_code == 0, crossed.stderr
    assert set(json.loads(crossed.stdout)["folds"]) == {"0", "1"}

    reported = cli("report", final, "-t", thresholds, "-o", page)
    assert reported.exit_code == 0, reported.stderr
    text = Page(page.read_text(encoding="utf-8")).text
    assert all(each in text for each in classes)


def test_a_gate_gives_the_emotions_of_the_full_run(
    cli: Cli, scored: tuple[str, list[str], pl.DataFrame], manifest: Path, tmp_path: Path
) -> None:
    name, options, rows = scored
    rows.write_parquet(tmp_path / "scores.parquet")
    thresholds = tmp_path / "t.toml"
    cli("calibrate", tmp_path / "scores.parquet", "-o", thresholds)
    gated = cli("score", manifest, "--gate", thresholds, *options)
    assert gated.exit_code == 0, gated.stderr
    table = pl.read_csv(io.StringIO(gated.stdout))
    gated_rows = (table["transcript_source"] == "gated").sum()
    assert gated_rows > 0
    assert gated_rows < CLIPS or name == "2 classes"  # whose one change may be excluded
    emotions = [
        pl.read_csv(io.StringIO(cli("apply", "-t", thresholds, input=each).stdout))["emotion"]
        for each in (rows.write_csv(), gated.stdout)
    ]
    assert emotions[0].equals(emotions[1])


def test_the_table_says_its_classes(scored: tuple[str, list[str], pl.DataFrame]) -> None:
    name, _, rows = scored
    labels, kind, _ = PIPELINES[name]
    speech = [column for column in rows.columns if column.startswith("speech_")][: len(labels)]
    assert len(speech) == len(labels)
    total = rows.select(pl.sum_horizontal(speech)).to_series()
    assert total.is_between(1 - 1e-9, 1 + 1e-9).all()
    assert ("text_emotion" in rows.columns) == (kind == "emotion")
    assert ("sentiment" in rows.columns) == (kind == "sentiment")
    if kind == "emotion":
        # Contempt is none of the text model's classes: null, and never 0.
        assert len(TEXT_EMOTIONS) == 7
        assert rows["text_contempt"].is_null().all()
        assert rows["text_disgust"].is_not_null().any()
