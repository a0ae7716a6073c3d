"""Eight classes from end to end, with the challenge's layout: score, calibrate … report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from checkpoints import EIGHT_LABELS, save_text_emotion
from click.testing import Result
from headed import save_challenge
from sounds import save

from emobatch.tasks.eight import EIGHT

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("unresampled")
WORDS = ("what a wonderful surprise", "i am so angry", "she was sad", "the train leaves at nine")
ROWS = 48


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short sounds, each with a label, a speaker and a transcript, and the checkpoints."""
    folder = tmp_path_factory.mktemp("eight")
    rng = np.random.default_rng(4)
    rows = []
    for number in range(ROWS):
        hertz = 120 + 60 * number
        wave = np.sin(np.arange(4_000 + 100 * number) * hertz / 2_500) * rng.uniform(0.01, 0.6)
        save(folder / f"{number}.wav", wave + rng.normal(0, 0.02, len(wave)))
        label, speaker = EIGHT_LABELS[number % 8], f"s{number % 6}"
        rows.append((f"{number}.wav", label, speaker, WORDS[number % 4]))
    names = ["path", "label", "speaker", "transcript"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(folder / "manifest.csv")
    save_challenge(folder / "speech", (*EIGHT_LABELS, "arousal", "dominance", "valence"))
    save_text_emotion(folder / "text")
    return folder


@pytest.mark.usefixtures("undrawn")
def test_eight_classes_from_score_to_report(cli: Cli, folder: Path) -> None:
    scores, fitted, final = (folder / n for n in ("scores.parquet", "t.toml", "final.parquet"))
    models = [f"--speech-model={folder / 'speech'}", f"--text-model={folder / 'text'}"]
    given = ["--models=demo", *models, "--classes=eight", "--embeddings", "--device=cpu"]
    steps = (
        ["score", folder / "manifest.csv", "-o", scores, *given],
        ["calibrate", scores, "-o", fitted],
        ["apply", scores, "-t", fitted, "-o", final],
        ["report", final, "-t", fitted, "-o", folder / "report.html"],
    )
    for step in steps:
        done = cli(*step)
        assert done.exit_code == 0, done.stderr
    table = pl.read_parquet(final)
    assert [n for n in table.columns if n.startswith("speech_")] == [
        *EIGHT.speech_columns,
        *("speech_emotion", "speech_arousal", "speech_valence", "speech_dominance"),
        "speech_embedding",
    ]
    assert table["status"].unique().to_list() == ["ok"]
    assert set(table["emotion"]) <= set(EIGHT.classes)
    figures = json.loads(cli("evaluate", final, "--json").stdout)
    assert figures["rows"] == ROWS and {"before", "after"} <= set(figures)


def test_a_table_that_says_nothing_of_its_making_has_the_same_classes(
    cli: Cli, folder: Path
) -> None:
    """Neither attributes nor embeddings are classes, whatever reads the table."""
    plain, fitted = folder / "plain.parquet", folder / "plain.toml"
    pl.read_parquet(folder / "scores.parquet").write_parquet(plain)
    assert cli("calibrate", plain, "-o", fitted).exit_code == 0
    columns = [name for name in pl.read_parquet_schema(plain) if not name.endswith("_embedding")]
    pl.read_parquet(plain, columns=columns).write_csv(folder / "plain.csv")
    for name in ("plain.parquet", "plain.csv"):
        final = folder / f"final_{name}"
        done = cli("apply", folder / name, "-t", fitted, "-o", final)
        assert done.exit_code == 0, done.stderr
        figures = json.loads(cli("evaluate", final, "--json").stdout)
        assert figures["before"] and figures["rows"] == ROWS
