"""Every kind of wrong audio in one manifest: one row each, scored or explained."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from zoo import OK, build

Cli = Callable[..., Result]
DECODERS = True


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, model_options: list[str]) -> pl.DataFrame:
    from click.testing import CliRunner

    from emobatch.cli.main import main

    folder = tmp_path_factory.mktemp("zoo")
    manifest, target = build(folder), folder / "scores.parquet"
    arguments = ["score", str(manifest), "-o", str(target), "--max-error-rate=1", *model_options]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    rows = pl.read_csv(manifest)
    scores = pl.read_parquet(target)
    assert len(rows) >= 60
    assert scores["id"].to_list() == rows["id"].to_list()
    return scores


def test_each_row_is_scored_or_says_why(scored: pl.DataFrame) -> None:
    for row in scored.iter_rows(named=True):
        outcome = row["error"] or OK
        assert row["expected"] == "any" or row["expected"] in outcome, (row["path"], outcome)
        assert (row["status"] == "error") == (row["speech_emotion"] is None)


def test_what_isnt_scored_is_named_in_one_line(scored: pl.DataFrame) -> None:
    for path, error in scored.filter(status="error").select("path", "error").rows():
        assert error.startswith("audio: ") and error.endswith(" ".join(path.split()))
        assert "\n" not in error


def test_silence_has_no_invented_transcript(scored: pl.DataFrame) -> None:
    silent = scored.filter(pl.col("path").is_in(["zeros.wav", "quiet.wav"]))
    assert silent["transcript_source"].to_list() == ["none", "none"]
    assert silent["transcript"].null_count() == silent["sentiment"].null_count() == 2


def test_a_link_and_its_file_have_the_same_scores(scored: pl.DataFrame) -> None:
    link, file = scored.filter(path="good_link.wav"), scored.filter(path="wrong_extension.mp3")
    assert link["entropy"].item() == pytest.approx(file["entropy"].item(), abs=1e-6)


def test_the_zoo_is_built_where_no_folder_is(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "zoo"
    script = Path(__file__).with_name("zoo.py")
    done = subprocess.run(
        [sys.executable, script, folder, "0.02"], capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == folder / "manifest.csv"
    assert len(pl.read_csv(folder / "manifest.csv")) >= 60
