"""`emobatch demo`: the whole job without a network, and what its toys are worth."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from forked import EMOBATCH, Forked

from emobatch.demo import corpus, judge_server, sentences
from emobatch.models.checkpoints import DEMO_FOLDER
from emobatch.models.cores import SLURM_CORES

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn")
# As few as there may be, of a seed that leaves the text branch as much to do as 600 do.
FEW = ("--clips=300", "--seed=1")
MADE = ("manifest.csv", "scores.parquet", "thresholds.toml", "final.csv")


# Where there is no network at all, if this machine lets a test do that.
ALONE = f"""
import ctypes, resource
ctypes.CDLL(None).unshare(0x40000000)  # CLONE_NEWNET
try:
    {EMOBATCH}
finally:
    print("most memory:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder, and what was said.

    As on one core, where clips are scored in one process: two more would have to start.
    """
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SLURM_CORES, "1")
        run = Forked(folder / "said", "demo", folder / "here", *FEW, code=ALONE)
    with run:
        assert run.wait() == 0, run.said
    return folder / "here", run.said


def test_it_shows_each_command_the_figures_and_what_to_do_next(shown: tuple[Path, str]) -> None:
    folder, text = shown
    commands = [line.split()[2] for line in text.splitlines() if line.startswith("$ emobatch ")]
    assert commands == ["score", "calibrate", "apply", "evaluate", "report"]
    assert "before" in text and "after" in text and "word error rate" in text
    assert "Where the text branch changed the answer" in text
    assert "emobatch score manifest.csv" in text.split("Next")[1]
    assert all((folder / name).exists() for name in MADE)


def test_two_thirds_of_at_least_300_clips_are_labelled(shown: tuple[Path, str]) -> None:
    rows = pl.read_csv(shown[0] / "manifest.csv")
    assert len(rows) >= 300
    assert rows["label"].count() / len(rows) == pytest.approx(2 / 3, abs=0.01)
    assert all((shown[0] / path).exists() for path in rows["path"])


def test_fusion_gains_three_points_over_either_branch(cli: Cli, shown: tuple[Path, str]) -> None:
    final = shown[0] / "final.csv"
    held_out = ["--label-column", "truth", "--where", "label IS NULL", "--json"]
    figures = json.loads(cli("evaluate", final, *held_out).stdout)
    assert 60 <= figures["before"]["UA"] <= 90
    assert figures["after"]["UA"] >= figures["before"]["UA"] + 3
    assert figures["wer"] <= 10
    rows = pl.read_csv(final)
    assert rows["status"].unique().to_list() == ["ok"]
    assert 0.05 <= rows["flagged"].mean() <= 0.25


def test_a_rule_in_a_language_models_place_judges_it(
    cli: Cli, shown: tuple[Path, str], tmp_path: Path
) -> None:
    """The path of docs/judge.md: served, judged, evaluated and reported."""
    server = judge_server.serve(0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    judged, page = tmp_path / "judged.parquet", tmp_path / "report.html"
    try:
        endpoint = f"http://127.0.0.1:{server.server_port}/v1"
        options = ("--endpoint", endpoint, "--model", "rule", "--offline", "-o", judged)
        done = cli("judge", shown[0] / "final.csv", *options)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.exit_code == 0, done.stderr
    rows = pl.read_parquet(judged)
    assert set(rows["judge_status"]) == {"ok"}
    assert rows["judge_confidence"].n_unique() > 10
    told = ("--label-column", "truth", "--where", "label IS NULL")
    review = json.loads(cli("evaluate", judged, *told, "--json").stdout)["judge"]
    held_out = rows.filter(pl.col("label").is_null())
    assert review["taken"] == (held_out["decided_by"] == "judge").sum() > 0
    assert cli("report", judged, *told, "-o", page).exit_code == 0
    assert "What the judge changed" in page.read_text(encoding="utf-8")


def test_run_again_it_goes_on_from_what_is_there(
    cli: Cli, shown: tuple[Path, str], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(shown[0], tmp_path / "copy"))
    (folder / "thresholds.toml").unlink()
    before = {name: (folder / name).stat().st_mtime_ns for name in MADE if (folder / name).exists()}
    done = cli("demo", folder, *FEW)
    assert done.exit_code == 0, done.stderr
    assert f"{folder / 'scores.parquet'} is there" in done.stdout
    after = {name: (folder / name).stat().st_mtime_ns for name in MADE}
    made_anew = [name for name in MADE if after[name] != before.get(name)]
    assert made_anew == ["thresholds.toml", "final.csv"]


@pytest.mark.parametrize("options", ["--clips 301 --seed 1", "--clips 300 --seed 2"])
def test_a_folder_of_other_clips_is_not_shown_as_what_was_asked_for(
    cli: Cli, shown: tuple[Path, str], options: str
) -> None:
    done = cli("demo", shown[0], *options.split())
    assert done.exit_code == 1
    assert "manifest.csv: is there, of other clips than --clips" in done.stderr
    assert options in done.stderr and "name another folder" in done.stderr


def test_it_takes_less_than_two_gigabytes(shown: tuple[Path, str]) -> None:
    _, most = shown[1].splitlines()[-1].split("most memory:")
    assert 1e5 < int(most) < 2e6


def test_the_toys_score_anybodys_manifest_and_say_what_they_are(
    cli: Cli, shown: tuple[Path, str], tmp_path: Path
) -> None:
    shutil.copy(next((shown[0] / "audio").iterdir()), tmp_path / "mine.wav")
    (tmp_path / "mine.csv").write_text("path\nmine.wav\n")
    result = cli("score", tmp_path / "mine.csv", "--models", "demo")
    assert result.exit_code == 0
    assert "toys" in result.stderr.splitlines()[0]
    (row,) = csv.DictReader(result.stdout.splitlines())
    assert row["status"] == "ok" and row["transcript_source"] == "asr"


def test_the_toys_are_at_most_8_megabytes_and_have_a_card() -> None:
    files = [path for path in DEMO_FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 8e6
    assert {path.name for path in DEMO_FOLDER.iterdir()} == {
        "speech", "asr", "sentiment", "MODEL_CARD.md",
    }  # fmt: skip
    assert (DEMO_FOLDER / "speech" / "model.safetensors").exists()
    assert (
        json.loads((DEMO_FOLDER / "speech/config.json").read_text())["feat_extract_norm"] == "group"
    )
    assert "toys" in (DEMO_FOLDER / "MODEL_CARD.md").read_text()


def test_speakers_and_sentences_of_the_test_part_are_in_no_training() -> None:
    train, test = corpus.make_training_rows(1, 1_000), corpus.make_demo_rows(0, 300)
    assert not {row.text for row in train} & {row.text for row in test}
    variants = [{row.speaker.split("+")[1] for row in rows} for rows in (train, test)]
    assert not variants[0] & variants[1]
    words = set(sentences.vocabulary())
    assert {word for row in test for word in row.text.split()} <= words


def test_the_same_seed_gives_the_same_clips(tmp_path: Path) -> None:
    for name in ("one", "two"):
        corpus.write_clips(corpus.make_demo_rows(3, 12), tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert corpus.make_demo_rows(3, 12) != corpus.make_demo_rows(4, 12)


def test_without_espeak_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "espeakng_loader.py").write_text("raise ModuleNotFoundError('espeakng_loader')\n")
    done = subprocess.run(
        [sys.executable, "-m", "emobatch", "demo", str(tmp_path / "demo")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "emobatch[demo]" in done.stderr and done.stderr.count("\n") == 1


def test_the_gate_saves_transcripts_and_changes_no_emotion(
    cli: Cli, shown: tuple[Path, str], tmp_path: Path
) -> None:
    folder, gated, final = shown[0], tmp_path / "gated.parquet", tmp_path / "final.csv"
    thresholds, some = folder / "thresholds.toml", tmp_path / "some.csv"
    pl.read_csv(folder / "manifest.csv").head(150).write_csv(some)
    options = ["--models", "demo", "--gate", thresholds, "-o", gated, "--root", folder]
    assert cli("score", some, *options).exit_code == 0
    assert cli("apply", gated, "-t", thresholds, "-o", final).exit_code == 0
    columns = ["id", "emotion", "speech_emotion"]
    full = pl.read_csv(folder / "final.csv", columns=columns).head(150)
    assert pl.read_csv(final, columns=columns).equals(full)
    sources = pl.read_parquet(gated)["transcript_source"]
    assert (sources == "gated").mean() > 0.7
    assert (sources == "asr").sum() > 0
    refused = cli("calibrate", gated)
    assert refused.exit_code == 1 and "scored with --gate" in refused.stderr


def test_a_gate_fitted_on_scores_of_other_models_is_refused(
    cli: Cli, shown: tuple[Path, str], model_options: list[str]
) -> None:
    folder = shown[0]
    gate = ["--gate", folder / "thresholds.toml"]
    refused = cli("score", folder / "manifest.csv", *gate, *model_options)
    assert refused.exit_code == 1
    assert "fitted on scores of other models" in refused.stderr and refused.stdout == ""


def test_the_demos_scores_as_a_table_give_its_figures(cli: Cli, tmp_path: Path) -> None:
    """From the table kept as a fixture: what the walkthrough shows, without its models."""
    scores = Path(__file__).parent / "data" / "demo_scores.parquet"
    thresholds, final = tmp_path / "thresholds.toml", tmp_path / "final.parquet"
    assert cli("calibrate", scores, "-o", thresholds).exit_code == 0
    assert cli("apply", scores, "-t", thresholds, "-o", final).exit_code == 0
    held_out = ["--label-column", "truth", "--where", "label IS NULL", "--json"]
    figures = json.loads(cli("evaluate", final, *held_out).stdout)
    # The card's figures for data seed 0: speech alone 70.0 %, after fusion 80.5 %.
    assert figures["before"]["UA"] == pytest.approx(70.0, abs=0.05)
    assert figures["after"]["UA"] == pytest.approx(80.5, abs=0.05)
    by_speaker = json.loads(cli("evaluate", final, "--by", "speaker", *held_out).stdout)["by"]
    assert sum(group["rows"] for group in by_speaker.values()) == figures["rows"] == 200
