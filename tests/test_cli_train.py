"""`emobatch train`: checkpoints that other commands take, and what they then say of their rows."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import sleep

import numpy as np
import polars as pl
import pytest
from checkpoints import save_sentiment
from click.testing import Result
from forked import Forked
from refusals import refusal
from samples import score_rows
from sounds import save
from trainings import clip, corpus, save_base, spare

from emobatch.demo.corpus import make_demo_rows, write_clips
from emobatch.models.files import RECORD
from emobatch.tables import stored, writing
from emobatch.tables.fitted_rows import FittedRows
from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]
QUICK = ["--epochs", 1, "--learning-rate", 1e-3, "--device", "cpu"]
SPEECH = [*QUICK, "--batch-seconds", 6]
COLUMNS = list(FOUR.speech_columns)


@pytest.fixture(autouse=True)
def spared(monkeypatch: pytest.MonkeyPatch) -> None:
    spare(monkeypatch)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("corpus"), 12, 4)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base") / "base")


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.stderr
    return result


def record(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / RECORD).read_text())
    return found


def rewritten(data: Path, name: str, **columns: object) -> Path:
    file = data.parent / f"{name}.csv"
    pl.read_csv(data).with_columns(**columns).write_csv(file)  # type: ignore[arg-type]
    return file


# From a manifest to figures


def test_the_demos_toy_is_fine_tuned_and_scores_as_it_was_measured(
    cli: Cli, tmp_path: Path
) -> None:
    rows = make_demo_rows(5, 28)
    paths = [file.name for file in write_clips(rows, tmp_path)]
    (tmp_path / "broken.wav").write_text("no sound")
    table = pl.DataFrame(
        {
            "path": [*paths, "broken.wav"],
            "label": [row.heard for row in rows] + ["sad"],
            "speaker": [row.speaker for row in rows] + ["x"],
            "split": ["dev" if n % 3 == 2 else "train" for n in range(28)] + ["train"],
        }
    )
    table.write_csv(tmp_path / "m.csv")
    out = tmp_path / "out"
    options = ["--base", "demo", "-o", out, *SPEECH, "--epochs", 3, "--batch-seconds", 20]
    said = done(cli("train", "speech", tmp_path / "m.csv", *options)).stderr
    assert "note: train: 20 rows (angry" in said
    assert "note: train and val share" in said and "speakers" in said
    assert "warning: 1 of 29 rows can't be read and are left out" in said
    assert "note: row 'broken.wav': audio: can't be decoded" in said
    best = min(record(out)["epochs"], key=lambda each: (-each["UA"], each["epoch"]))  # type: ignore[attr-defined]
    assert record(out)["best_epoch"] == best["epoch"]
    history = pl.read_csv(out / "history.csv")
    assert history.columns[:4] == ["epoch", "loss", "val_loss", "UA"]
    scores = tmp_path / "scores.parquet"
    speech = ["--speech-model", out, "--text", "none", "--device", "cpu", "-o", scores]
    done(cli("score", tmp_path / "m.csv", *speech))
    val = pl.read_parquet(scores).filter(pl.col("split") == "dev")
    right = np.array([row[f"speech_{row['label']}"] for row in val.iter_rows(named=True)])
    assert -np.log(right).mean() == pytest.approx(best["val_loss"], abs=1e-5)
    measured = cli("evaluate", scores, "--json", "--bootstrap", 0, "--where", "split = 'dev'")
    before = json.loads(done(measured).stdout)["before"]
    assert before == {name: best[name] for name in ("UA", "WA", "F1")}
    assert "told by 9 of these 9 rows, whatever the column 'split' says" in measured.stderr


def test_a_text_model_is_trained_on_transcripts_or_on_what_was_recognised(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    base, out = save_sentiment(tmp_path / "base"), tmp_path / "out"
    options = ["--base", base, *QUICK, "--max-tokens", 8, "--class-weights", "balanced"]
    done(cli("train", "text", data, *options, "-o", out))
    [epoch] = record(out)["epochs"]  # type: ignore[misc]
    scores = tmp_path / "scores.parquet"
    text = ["--text-model", out, "--asr-model", "demo", "--speech", "none", "--clean", "none"]
    done(cli("score", data, *text, "--device", "cpu", "-o", scores))
    val = pl.read_parquet(scores).filter(pl.col("split") == "val")
    right = np.array([row[f"text_{row['label']}"] for row in val.iter_rows(named=True)])
    assert -np.log(right).mean() == pytest.approx(epoch["val_loss"], abs=1e-5)
    table = pl.read_csv(data).select("id", transcript=pl.lit("again and again"))
    table.write_csv(tmp_path / "heard.csv")
    other = ["-o", tmp_path / "heard", "--scores", tmp_path / "heard.csv"]
    done(cli("train", "text", data, *options, *other))
    renamed = data.parent / "renamed.csv"
    pl.read_csv(data).rename({"transcript": "said", "label": "felt"}).write_csv(renamed)
    named = ["--transcript-column", "said", "--label-column", "felt", "-o", tmp_path / "named"]
    done(cli("train", "text", renamed, *options, *named))
    folders = (out, tmp_path / "heard", tmp_path / "named")
    digests = [record(folder)["run"]["manifest"] for folder in folders]  # type: ignore[index]
    assert digests[0] != digests[1] and digests[0] == digests[2]


def test_recordings_are_found_and_cut_as_score_finds_and_cuts_them(
    cli: Cli, base: Path, tmp_path: Path
) -> None:
    folder, rows, segments = tmp_path / "in", [], []
    folder.mkdir()
    for number in range(9):
        label = FOUR.classes[number % 4]
        file = folder / f"{number}.wav" if number < 8 else tmp_path / "8.wav"
        save(file, clip(label, 1.0, number))
        rows.append((os.path.relpath(file, folder), label, "train" if number < 5 else "val"))
        for start, length in ((0.0, 0.45), (0.5, 0.5)):
            who = f"s{number % 3} <NA> <NA>"
            segments.append(f"SPEAKER {number} 1 {start} {length} <NA> <NA> {who}")
    (folder / "turns.rttm").write_text("\n".join(segments))
    manifest = folder / "manifest.csv"
    pl.DataFrame(rows, schema=["file", "label", "split"], orient="row").write_csv(manifest)
    read = ["--path-column", "file", "--segments", folder / "turns.rttm", "--confine"]
    out, scores = tmp_path / "out", tmp_path / "scores.parquet"
    said = done(cli("train", "speech", manifest, *read, "--base", base, "-o", out, *SPEECH)).stderr
    assert "train: 10 rows" in said and "share 3 speakers" in said
    assert "warning: 2 of 18 rows can't be read" in said
    assert "note: row '../8.wav#0-0.45': audio: outside" in said
    speech = ["--speech-model", out, "--text", "none", "--device", "cpu", "--max-error-rate", 1]
    done(cli("score", manifest, *read, *speech, "-o", scores))
    val = pl.read_parquet(scores).filter((pl.col("split") == "val") & (pl.col("status") == "ok"))
    right = np.array([row[f"speech_{row['label']}"] for row in val.iter_rows(named=True)])
    [epoch] = record(out)["epochs"]  # type: ignore[misc]
    assert len(right) == 6
    assert -np.log(right).mean() == pytest.approx(epoch["val_loss"], abs=1e-5)


def test_a_fold_of_a_manifest_of_folds_is_trained(
    cli: Cli, data: Path, base: Path, tmp_path: Path
) -> None:
    table = pl.read_csv(data).drop("split")
    parts = [
        table.with_columns(
            fold=pl.lit(number),
            split=pl.when(pl.int_range(16) % 4 == number)
            .then(pl.lit("val"))
            .otherwise(pl.lit("train")),
        )
        for number in (1, 2)
    ]
    file = data.parent / "folds.csv"
    pl.concat(parts).write_csv(file)
    assert "occurs more than once: line 2, line 18" in refusal(
        cli("train", "speech", file, "--base", base, "-o", tmp_path / "out", *SPEECH)
    )
    command = ["train", "speech", file, "--base", base, "-o", tmp_path / "two", *SPEECH]
    assert refusal(cli(*command, "--fold", 9)).startswith("--fold 9: ")
    command += ["--fold", 2]
    # Every fourth row validates: of fold 2 those that are neutral.
    result = cli(*command)
    assert result.exit_code == 1
    assert "no row to train on is neutral" in result.stderr
    done(cli(*command, "--train-where", "id != 'r2'", "--val-where", "id = 'r2'"))
    assert record(tmp_path / "two")["rows"]["val"]["rows"] == 1  # type: ignore[index]


def test_the_same_command_has_nothing_to_do_once_it_is_done(
    cli: Cli, data: Path, base: Path, tmp_path: Path
) -> None:
    command = ["train", "speech", data, "--base", base, "-o", tmp_path / "out", *SPEECH]
    done(cli(*command))
    before = (tmp_path / "out" / RECORD).stat().st_mtime_ns
    assert "is whole, nothing to do" in done(cli(*command)).stderr
    assert (tmp_path / "out" / RECORD).stat().st_mtime_ns == before


def test_a_signal_saves_and_the_same_command_goes_on(
    data: Path, base: Path, tmp_path: Path
) -> None:
    command = ["train", "speech", data, "--base", base, "-o", tmp_path / "out"]
    command += ["--device", "cpu", "--batch-seconds", 1, "--epochs", 100_000, "--patience", 100_000]
    with Forked(tmp_path / "said", *command) as run:
        while not list(tmp_path.glob("out.parts/checkpoint-*/progress.json")):
            assert run.poll() is None, run.said
            sleep(0.05)
        run.send_signal(signal.SIGUSR1)
        assert run.wait() == 75, run.said
    assert "Error: interrupted by SIGUSR1; " in run.said
    assert "the same command goes on from there" in run.said
    [saved] = tmp_path.glob("out.parts/checkpoint-*")
    assert (saved / "optimizer.pt").exists() and (saved / "rng_state.pth").exists()


# What is refused


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({"label": pl.col("label").replace("sad", "neutral")}, [], "no row to train on is sad"),
        ({"split": pl.when(pl.col("id") == "r0").then(pl.lit("train"))}, [], "1 row to train on"),
        ({"split": pl.lit("train")}, [], "0 rows to validate on"),
        ({"path": pl.lit("gone.wav")}, [], "none of 16 files can be read"),
        (
            {"arousal": pl.lit("nan")},
            ["--attributes", "arousal"],
            "row 'r0': arousal is 'nan', which is no finite number",
        ),
        (
            {"arousal": pl.lit("1e39")},
            ["--attributes", "arousal"],
            "row 'r0': arousal is '1e39', which is no finite number",
        ),
        (
            {"arousal": pl.when(pl.col("split") == "val").then(pl.int_range(16)).otherwise(3)},
            ["--attributes", "arousal"],
            "arousal is 3 in each of the rows to train on",
        ),
        (
            {"arousal": pl.when(pl.col("split") == "train").then(pl.int_range(16)).otherwise(3)},
            ["--attributes", "arousal"],
            "arousal is 3 in each of the rows to validate on",
        ),
        ({"arousal": pl.lit("")}, ["--attributes", "arousal"], "0 rows to train on"),
        ({}, ["--attributes", "valence"], "no column 'valence' to learn"),
        (
            {"arousal": pl.int_range(16)},
            ["--attributes", "arousal", "--class-weights", "balanced"],
            "--class-weights are of classes",
        ),
        ({"label": pl.lit("NaN")}, [], "or give --classes that has them"),
        ({"split": pl.lit("test")}, [], "0 rows to train on; at least 2 must be there"),
        ({}, ["--base", "nowhere/nothing", "--offline"], "nowhere/nothing: not on this machine"),
        ({}, ["--base", "./nowhere"], "./nowhere: no such folder; give --base"),
        ({}, ["--loss", "ccc"], "--loss ccc is not for categories"),
        ({}, ["--best-by", "CCC"], "--best-by CCC is not of categories"),
        ({}, ["--val-where", "id = 'r0'"], "would be trained on and validate"),
        ({}, ["--classes", "angry,happy"], "--label-map"),
    ],
)
def test_what_can_not_be_trained_is_said_in_one_line(
    cli: Cli,
    data: Path,
    base: Path,
    tmp_path: Path,
    columns: dict[str, object],
    options: list[str],
    said: str,
) -> None:
    manifest = rewritten(data, "wrong", **columns)
    result = cli(
        *("train", "speech", manifest, "--base", base, "-o", tmp_path / "out", *SPEECH, *options)
    )
    assert result.exit_code == 1
    *_, last = result.stderr.splitlines()
    assert last.startswith("Error: ") and said in last
    assert not (tmp_path / "out").exists()


def test_a_base_that_is_no_encoder_of_speech_is_refused(
    cli: Cli, data: Path, tmp_path: Path
) -> None:
    base = save_sentiment(tmp_path / "base")
    result = cli("train", "speech", data, "--base", base, "-o", tmp_path / "out", *SPEECH)
    assert result.exit_code == 1
    assert "give --base one that it does" in result.stderr.splitlines()[-1]


def test_a_command_that_trained_nothing_is_mended_without_restart(
    cli: Cli, data: Path, base: Path, tmp_path: Path
) -> None:
    command = ("train", "speech", data, "-o", tmp_path / "out", *SPEECH)
    assert cli(*command, "--base", save_sentiment(tmp_path / "text")).exit_code == 1
    done(cli(*command, "--base", base))


@pytest.mark.parametrize("target", [".", "..", "/"])
def test_a_folder_of_its_own_is_wanted(cli: Cli, data: Path, base: Path, target: str) -> None:
    said = refusal(cli("train", "speech", data, "--base", base, "-o", target))
    assert said == f"-o {target}: name a folder of the checkpoint's own"


def test_without_accelerate_the_extra_is_named(
    cli: Cli, data: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emobatch.training.train.find_spec", lambda name: None)
    said = refusal(cli("train", "speech", data, "--base", base, "-o", tmp_path / "out"))
    assert "pip install 'emobatch[train]'" in said


def test_a_checkpoint_is_no_base_of_a_manifest_without_splits(
    cli: Cli, data: Path, base: Path, tmp_path: Path
) -> None:
    undivided = data.parent / "undivided.csv"
    pl.read_csv(data).drop("split").write_csv(undivided)
    said = refusal(cli("train", "speech", undivided, "--base", base, "-o", tmp_path / "out"))
    assert "`emobatch folds` adds one, or say it with --train-where" in said


# What other commands say of rows that were trained on


def trained_table(folder: Path, name: str = "s.parquet", **columns: pl.Expr) -> Path:
    """Scores of 90 rows, on 30 of which the model was trained, and by 20 of which it was chosen."""
    rows = score_rows(90).with_columns(**columns)
    run = {"options": {"best_by": "UA"}, "base": {"name": "toy"}}
    epochs = [{"epoch": n, "loss": 1.0 / n, "val_loss": 1.1 / n, "UA": 40.0 + n} for n in (1, 2, 3)]
    told = {
        "rows": {
            "train": FittedRows.of(rows["id"][:30], most=None).to_document(),
            "val": FittedRows.of(rows["id"][30:50], most=None).to_document(),
        },
        "run": run,
        "epochs": epochs,
        "best_epoch": 3,
    }
    made = {"models": {"speech": {"name": "toy"}}, "software": {}, "options": {}}
    writing.write(rows.lazy(), folder / name, {**made, "trained": {"speech": told}})
    return folder / name


TRAINED = "the speech model was trained on {} of these {} rows, whatever the column 'split' says"


def test_evaluate_and_calibrate_warn_of_rows_that_the_model_was_trained_on(
    cli: Cli, tmp_path: Path
) -> None:
    table = trained_table(tmp_path, split=pl.lit("test"))
    assert TRAINED.format(30, 90) in done(cli("evaluate", table, "--bootstrap", 0)).stderr
    others = ["--where", "id >= '050'"]
    said = done(cli("evaluate", table, "--bootstrap", 0, *others)).stderr
    assert "model was trained on" not in said and "was told by" not in said
    fitted = tmp_path / "t.toml"
    said = done(cli("calibrate", table, "--bootstrap", 0, "-o", fitted)).stderr
    assert "warning: " + TRAINED.format(30, 90) in said
    assert TRAINED.format(30, 90) in fitted.read_text()
    final = tmp_path / "final.parquet"
    done(cli("apply", table, "-t", fitted, "-o", final))
    assert TRAINED.format(30, 90) in done(cli("evaluate", final, "--bootstrap", 0)).stderr


def test_a_split_that_the_model_knows_better_is_not_asked_about(cli: Cli, tmp_path: Path) -> None:
    table = trained_table(tmp_path, split=pl.lit("train"))
    said = done(cli("evaluate", table, "--bootstrap", 0, "--where", "id >= '050'")).stderr
    assert "--trained-on" not in said


def test_crossval_warns_of_each_folds_own_model(cli: Cli, tmp_path: Path) -> None:
    split = pl.when(pl.int_range(90) < 60).then(pl.lit("train")).otherwise(pl.lit("test"))
    clean = trained_table(tmp_path, "a.parquet", split=split, fold=pl.lit("1"))
    turned = pl.when(pl.int_range(90) < 60).then(pl.lit("test")).otherwise(pl.lit("train"))
    leaking = trained_table(tmp_path, "b.parquet", split=turned, fold=pl.lit("2"))
    said = done(cli("crossval", clean, leaking)).stderr
    assert "fold 2, rows that test: " + TRAINED.format(30, 60) in said
    assert "fold 1, rows that test" not in said
    assert "fold 1, rows that are fitted on: " + TRAINED.format(30, 60) in said


def test_leakage_warns_of_test_rows_whatever_the_splits_say(cli: Cli, tmp_path: Path) -> None:
    split = pl.when(pl.int_range(90) < 60).then(pl.lit("test")).otherwise(pl.lit("train"))
    said = done(cli("leakage", trained_table(tmp_path, split=split))).stderr
    assert "rows that test: " + TRAINED.format(30, 60) in said


def test_a_report_shows_the_course_of_the_training(cli: Cli, tmp_path: Path) -> None:
    table, page = trained_table(tmp_path), tmp_path / "r.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emobatch.reporting.illustrations.to_svg", lambda *_: "<svg></svg>")
        done(cli("calibrate", table, "--bootstrap", 0, "-o", tmp_path / "t.toml"))
        done(cli("apply", table, "-t", tmp_path / "t.toml", "-o", tmp_path / "f.parquet"))
        done(cli("report", tmp_path / "f.parquet", "-o", page))
    text = page.read_text()
    assert "was trained from toy in 3 epochs; the best by UA on val is kept, epoch 3" in text


def test_what_is_stored_of_a_training_and_makes_no_sense_is_an_error(
    cli: Cli, tmp_path: Path
) -> None:
    table = tmp_path / "s.parquet"
    writing.write(score_rows(9).lazy(), table, {"trained": {"speech": {"rows": {"train": 7}}}})
    assert "score again" in refusal(cli("evaluate", table))
    assert stored.metadata(table)["trained"]
