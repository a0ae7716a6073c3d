"""`emobatch score`: one row in, one row out, each as its clip alone gives it."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

import alone
import numpy as np
import polars as pl
import pytest
import torch
from checkpoints import TEXT
from click import ClickException
from click.testing import CliRunner, Result
from espeak import RATE, VOICES, speak
from faster_whisper import WhisperModel
from published import FIXTURE
from sounds import save, tone
from threadpoolctl import threadpool_info, threadpool_limits

from emobatch.cli.main import main
from emobatch.manifests.audio import read_windows
from emobatch.scorers.cleaning import clean
from emobatch.scoring.parts import Parts
from emobatch.tables import score_table

Cli = Callable[..., Result]
ANY_ERRORS = ("--max-error-rate", "1")
EMOTIONS = ("angry", "happy", "neutral", "sad")
SENTIMENTS = ("negative", "neutral", "positive")
# What `score` adds to a manifest of the default classes.
COLUMNS = {
    "id": pl.String,
    "duration": pl.Float64,
    **{f"speech_{emotion}": pl.Float64 for emotion in EMOTIONS},
    "speech_emotion": pl.String,
    "entropy": pl.Float64,
    "varentropy": pl.Float64,
    "transcript": pl.String,
    "transcript_source": pl.String,
    "language": pl.String,
    "asr_logprob": pl.Float64,
    "asr_no_speech": pl.Float64,
    "asr_compression": pl.Float64,
    "cleaned_text": pl.String,
    **{f"text_{sentiment}": pl.Float64 for sentiment in SENTIMENTS},
    "sentiment": pl.String,
    "sentiment_score": pl.Float64,
    "status": pl.String,
    "error": pl.String,
}
FORMATS = (".wav", ".flac", ".mp3", ".ogg", ".m4a", ".webm")
# Seconds: what a corpus of utterances has, and what no batch fits.
DURATIONS = (0.5, 0.7, 1.0, 1.5, 2.0, 2.6, 3.3, 4.1, 5.0, 6.2, 8.0, 11.0, 15.0, 21.0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 spoken clips of 0.5 to 40 s, six formats, two rates, one of them stereo."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = []
    plan = zip(cycle(VOICES), cycle(FORMATS), islice(cycle((*DURATIONS,)), 28), strict=False)
    for number, (voice, extension, seconds) in enumerate(plan):
        rows.append(_spoken_clip(folder, number, voice, extension, seconds))
    rows.append(_spoken_clip(folder, 28, "en-us", ".flac", 40.0))
    rows.append(_spoken_clip(folder, 29, "en", ".wav", 33.0))
    with (folder / "manifest.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def _spoken_clip(
    folder: Path, number: int, voice: str, extension: str, seconds: float
) -> dict[str, object]:
    text = TEXT[number % len(TEXT)]
    samples = speak(text, voice, rate=140 + 5 * (number % 9)) / np.float32(32768)
    samples = np.resize(samples, round(seconds * RATE))
    if number == 0:
        samples = np.stack([samples, samples / 2], axis=1)
    name = f"clip {number:02d}{extension}"
    if extension == ".webm":  # Opus knows 48 kHz only
        save(folder / name, np.repeat(samples, 2, axis=0), 48_000)
    elif number % 4 == 1:
        save(folder / name, samples[::2], 11_025)
    else:
        save(folder / name, samples, RATE)
    labels = ("ang", "exc", "neutral", "Sad", "")
    return {"path": name, "label": labels[number % 5], "note": f"0{number}"}


@pytest.fixture(scope="module")
def scores(corpus: Path, model_options: list[str]) -> pl.DataFrame:
    target = corpus / "scores.parquet"
    arguments = ["score", str(corpus / "manifest.csv"), "-o", str(target), *model_options]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    return pl.read_parquet(target)


def test_the_table_has_the_manifests_rows_and_columns_in_order(
    corpus: Path, scores: pl.DataFrame
) -> None:
    manifest = pl.read_csv(corpus / "manifest.csv", infer_schema=False)
    assert scores.columns == ["path", "label", "note", *COLUMNS]
    assert scores.schema == {"path": pl.String, "label": pl.String, "note": pl.String, **COLUMNS}
    assert scores.select("path", "label", "note").equals(manifest)
    assert scores["id"].equals(manifest["path"].alias("id"))
    assert scores["label"][:5].to_list() == ["ang", "exc", "neutral", "Sad", None]
    assert scores["status"].unique().to_list() == ["ok"]


def test_speech_equals_transformers_on_each_clip_alone(
    corpus: Path, scores: pl.DataFrame, models: dict[str, Path]
) -> None:
    for row in scores.iter_rows(named=True):
        windows = list(read_windows(corpus / row["path"]))
        seconds = np.array([len(window) for window in windows]) / 16_000
        single = np.average(alone.speech(models["speech"], windows), axis=0, weights=seconds)
        given = [row[f"speech_{emotion}"] for emotion in EMOTIONS]
        np.testing.assert_allclose(given, single, atol=1e-5)
        assert sum(given) == pytest.approx(1, abs=1e-12)
        assert row["speech_emotion"] == EMOTIONS[int(np.argmax(given))]
        assert row["duration"] == pytest.approx(seconds.sum())
        assert row["entropy"] == pytest.approx(-np.sum(given * np.log(given)))
    assert scores["speech_emotion"].n_unique() > 1
    assert scores["duration"].max() > 39 and scores["duration"].min() < 0.6


def test_transcripts_equal_faster_whisper_on_each_clip_alone(
    corpus: Path, scores: pl.DataFrame, models: dict[str, Path]
) -> None:
    whisper = WhisperModel(str(models["asr"]), device="cpu")
    for row in scores.filter(pl.col("duration") <= 30).iter_rows(named=True):
        (samples,) = read_windows(corpus / row["path"])
        segments, _ = whisper.transcribe(
            samples, language="en", beam_size=1, temperature=0.0,
            without_timestamps=True, condition_on_previous_text=False,
        )  # fmt: skip
        segments = list(segments)
        assert (row["transcript"] or "") == "".join(each.text for each in segments).strip()
        assert row["transcript_source"] == ("asr" if segments else "none")
        if segments:
            assert row["asr_logprob"] == pytest.approx(segments[0].avg_logprob, abs=1e-4)
            assert row["asr_no_speech"] == pytest.approx(segments[0].no_speech_prob, abs=1e-4)
            assert row["asr_compression"] == pytest.approx(segments[0].compression_ratio)
    assert scores["transcript"].n_unique() > 10


def test_sentiment_equals_transformers_on_each_text_alone(
    scores: pl.DataFrame, models: dict[str, Path]
) -> None:
    spoken = scores.filter(pl.col("sentiment").is_not_null())
    assert len(spoken) > 20
    assert spoken["cleaned_text"].to_list() == [clean(text) for text in spoken["transcript"]]
    single = alone.text(models["text"], spoken["cleaned_text"].to_list())
    given = spoken.select(f"text_{sentiment}" for sentiment in SENTIMENTS).to_numpy()
    np.testing.assert_allclose(given, single, atol=1e-5)
    assert spoken["sentiment"].to_list() == [SENTIMENTS[place] for place in given.argmax(axis=1)]
    np.testing.assert_allclose(spoken["sentiment_score"].to_numpy(), given.max(axis=1))


def test_scores_dont_depend_on_batches_or_order(
    cli: Cli, corpus: Path, scores: pl.DataFrame, model_options: list[str], tmp_path: Path
) -> None:
    manifest = pl.read_csv(corpus / "manifest.csv", infer_schema=False)
    manifest.reverse().write_csv(tmp_path / "reversed.csv")
    arguments = ["--root", corpus, "--batch-seconds", 5, *model_options]
    result = cli("score", tmp_path / "reversed.csv", *arguments)
    again = pl.read_csv(io.StringIO(result.stdout), schema=scores.schema).reverse()
    text = [name for name in scores.columns if scores[name].dtype == pl.String]
    assert again.select(text).equals(scores.select(text))
    for name in set(scores.columns) - set(text):
        np.testing.assert_allclose(again[name], scores[name], atol=1e-5, err_msg=name)


def test_one_shell_pipeline_from_manifest_to_figures(
    corpus: Path, scores: pl.DataFrame, model_options: list[str], tmp_path: Path
) -> None:
    thresholds, scores = tmp_path / "thresholds.toml", scores.head(15)
    pl.read_csv(corpus / "manifest.csv").head(15).write_csv(corpus / "some.csv")
    command = (
        f"{sys.executable} -m emobatch score '{corpus}/some.csv' {' '.join(model_options)}"
        f" | tee {tmp_path}/scores.csv"
        f" | {sys.executable} -m emobatch calibrate -o {thresholds}"
        f" && {sys.executable} -m emobatch apply {tmp_path}/scores.csv -t {thresholds}"
        f" | tee {tmp_path}/final.csv | {sys.executable} -m emobatch evaluate --json --bootstrap=0"
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["rows"] == scores["label"].count()
    assert set(figures["after"]) == {"UA", "WA", "F1"}
    final = pl.read_csv(tmp_path / "final.csv", infer_schema_length=None)
    assert final["id"].to_list() == scores["id"].to_list()
    assert final.columns == [
        *scores.columns, "flagged", "mapped_emotion", "emotion", "decided_by",
    ]  # fmt: skip
    assert final["emotion"].null_count() == 0
    np.testing.assert_allclose(final["entropy"], scores["entropy"], atol=1e-5)
    mine = pl.read_csv(tmp_path / "scores.csv", infer_schema_length=None)["entropy"]
    np.testing.assert_array_equal(final["entropy"], mine)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Good rows, broken rows, a segment and a row with a transcript of its own."""
    for name in ("a", "b"):
        save(tmp_path / f"{name}.wav", tone(2.0))
    (tmp_path / "broken.wav").write_bytes(b"RIFF but nothing else")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(
        "path,start,end,transcript\n"
        "a.wav,,,\nmissing.wav,,,\nbroken.wav,,,\nb.wav,0.5,1.25,\n"
        "a.wav,1,,I'm so HAPPY!\nb.wav,7,8,\nmissing.wav,1,,but I said it\n"
    )
    return manifest


def test_a_bad_file_costs_its_own_row(cli: Cli, mixed: Path, model_options: list[str]) -> None:
    result = cli("score", mixed, *model_options, *ANY_ERRORS)
    assert result.exit_code == 0
    rows = pl.read_csv(io.StringIO(result.stdout), schema_overrides=dict(COLUMNS))
    assert rows["status"].to_list() == ["ok", "error", "error", "ok", "ok", "error", "error"]
    errors = rows["error"].to_list()
    assert errors[1] == "audio: no such file: missing.wav"
    assert errors[2].startswith("audio: can't be decoded: ")
    assert errors[5].startswith("audio: the segment begins at 7 s")
    failed = rows.filter(pl.col("status") == "error")
    kept = ("id", "status", "error", "transcript", "transcript_source", "language")
    assert failed.select(*COLUMNS).drop(kept).null_count().sum_horizontal()[0] == len(failed) * (
        len(COLUMNS) - len(kept)
    )
    assert rows["duration"].to_list()[3:5] == [0.75, 1.0]


def test_a_transcript_in_the_manifest_is_what_is_judged(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    result = cli("score", mixed, *model_options, *ANY_ERRORS)
    row = list(csv.DictReader(io.StringIO(result.stdout)))[4]
    assert (row["transcript"], row["transcript_source"]) == ("I'm so HAPPY!", "manifest")
    assert (row["cleaned_text"], row["asr_logprob"]) == ("i be so happy", "")
    assert row["sentiment"] in SENTIMENTS
    uncleaned = cli("score", mixed, "--clean", "none", *model_options)
    assert list(csv.DictReader(io.StringIO(uncleaned.stdout)))[4]["cleaned_text"] == "I'm so HAPPY!"


def test_a_manifest_on_standard_input_is_relative_to_the_working_folder(
    cli: Cli, mixed: Path, model_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(mixed.parent)
    result = cli("score", "-", *model_options, input="path\na.wav\n")
    assert next(csv.DictReader(io.StringIO(result.stdout)))["status"] == "ok"


@pytest.mark.parametrize(("rate", "status"), [("0.6", 0), ("0.5", 3)])
def test_too_many_errors_are_an_exit_status(
    cli: Cli, mixed: Path, model_options: list[str], rate: str, status: int
) -> None:
    result = cli("score", mixed, "--max-error-rate", rate, *model_options)
    assert result.exit_code == status
    assert len(result.stdout.splitlines()) == 8
    assert "7 rows on standard output, 4 failed" in result.stderr
    assert (f"4 of 7 rows failed, more than --max-error-rate {rate}" in result.stderr) == bool(
        status
    )


@pytest.mark.parametrize(("missing", "status"), [(1, 0), (2, 3)])
def test_more_than_a_tenth_of_the_rows_may_not_fail(
    cli: Cli, tmp_path: Path, missing: int, status: int
) -> None:
    save(tmp_path / "a.wav", tone(0.3))
    names = [f"none{n}.wav" if n < missing else "a.wav" for n in range(10)]
    rows = "".join(f"{name},{n},said\n" for n, name in enumerate(names))
    (tmp_path / "m.csv").write_text("path,id,transcript\n" + rows)
    target = tmp_path / "s.csv"
    result = cli("score", tmp_path / "m.csv", "-o", target, "--models=demo")
    assert result.exit_code == status
    assert len(pl.read_csv(target)) == 10
    assert f"{missing} failed ({missing} audio: no such file)" in result.stderr


def test_all_rows_failed_is_an_exit_status(
    cli: Cli, tmp_path: Path, model_options: list[str]
) -> None:
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path\nx.wav\ny.wav\n")
    result = cli("score", manifest, "-o", tmp_path / "scores.csv", *model_options, *ANY_ERRORS)
    assert result.exit_code == 3, "whatever share may fail"
    assert "Error: all 2 rows failed; the table has all rows" in result.stderr
    assert pl.read_csv(tmp_path / "scores.csv")["error"].str.contains("no such file").all()


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet", "jsonl"])
def test_output_by_extension_with_provenance(
    cli: Cli, mixed: Path, model_options: list[str], extension: str
) -> None:
    target = mixed.with_name(f"scores.{extension}")
    assert cli("score", mixed, "-o", target, *model_options, *ANY_ERRORS).exit_code == 0
    beside = mixed.with_name(f"scores.{extension}.meta.json")
    known = {"software", "models", "task", "options", "manifest", "table"}
    if extension == "parquet":
        provenance = json.loads(pl.read_parquet_metadata(target)["emobatch"])
        assert not beside.exists()
    else:
        provenance = json.loads(beside.read_text())
        known.add("content")
    assert set(provenance) == known
    assert provenance["table"]["rows"] == 7
    for key in ("digest", "settings"):
        assert provenance["models"]["asr"][key].startswith("sha256:")
    assert not list(mixed.parent.glob("*.parts"))
    assert not list(mixed.parent.glob(".*"))


BAD_INPUT = {
    "missing manifest": (None, [], "no such file"),
    "no path": ("file\na.wav\n", [], "no column 'path'"),
    "duplicate ids": (
        "path,id\na.wav,1\nb.wav,1\n",
        [],
        "id '1' occurs more than once: line 2, line 3",
    ),
    "classes of one": ("path\na.wav\n", ["--classes", "joy,"], "--classes joy,: class 2 is ''"),
    "unknown class set": ("path\na.wav\n", ["--classes", "fuor"], "--classes fuor: give four"),
    "bad sentiment map": ("path\na.wav\n", ["--sentiment-map", "sad=low"], "not CLASS=SENTIMENT"),
    "bad text label map": ("path\na.wav\n", ["--text-label-map", "x=y"], "not NAME=CLASS"),
    "classes that the model lacks": (
        "path\na.wav\n",
        ["--classes", "eight"],
        "take the checkpoint's own with --classes check",
    ),
    "start after end": ("path,start,end\na.wav,3,2\n", [], "start is not before end"),
    "empty manifest": ("path\n", [], "no rows"),
    "unknown step": ("path\na.wav\n", ["--clean", "stem"], "no step 'stem'"),
    "unknown language": ("path\na.wav\n", ["--language", "xx"], "doesn't know the language"),
    "unknown language, no model": (
        "path\na.wav\n",
        ["--language", "xx", "--asr-model", "no/such"],
        "doesn't know the language 'xx'",
    ),
    "no model": ("path\na.wav\n", ["--speech-model", "./no"], "no such folder"),
    "bad label map": ("path\na.wav\n", ["--label-map", "x=y"], "not NAME=CLASS"),
}


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_is_one_line_and_no_output(
    cli: Cli, tmp_path: Path, model_options: list[str], name: str
) -> None:
    text, options, message = BAD_INPUT[name]
    manifest, target = tmp_path / "manifest.csv", tmp_path / "scores.parquet"
    if text is not None:
        manifest.write_text(text)
    result = cli("score", manifest, "-o", target, *model_options, *options)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert message in result.stderr
    assert set(tmp_path.iterdir()) <= {manifest}


@pytest.mark.parametrize(
    ("target", "message"),
    [("scores.xlsx", "can't write that format"), ("no/scores.csv", "no such folder")],
)
def test_an_output_that_cant_be_written_is_refused_first(
    cli: Cli, mixed: Path, target: str, message: str
) -> None:
    # The models don't exist: the output must have been looked at before them.
    result = cli("score", mixed, "-o", mixed.parent / target, "--speech-model", "./none")
    assert result.exit_code == 1
    assert message in result.stderr


def test_wrong_usage_is_status_2(cli: Cli, mixed: Path) -> None:
    for arguments in (
        [],
        [mixed, "--beam-size", 0],
        [mixed, "--no-such"],
        [mixed, "--device", "x"],
    ):
        assert cli("score", *arguments).exit_code == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_isnt_there_is_refused(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    result = cli("score", mixed, "--device", "cuda", *model_options)
    assert result.exit_code == 1
    assert "use --device cpu" in result.stderr


def test_no_score_depends_on_the_threads_of_matrix_products(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    """Whisper's features came out otherwise on two cores than on one, in their last bits."""
    with threadpool_limits(2, user_api="blas"):
        cli("score", mixed, *model_options, *ANY_ERRORS)
        products = [each for each in threadpool_info() if each["user_api"] == "blas"]
        assert {each["num_threads"] for each in products} == {1}


def read_scores(table: Path) -> pl.DataFrame:
    return score_table.read([str(table)]).rows.collect()


# Rows to a chunk on the CPU, and those of three chunks.
CHUNK, ROWS = 64, 192


def test_an_interrupted_run_goes_on_where_it_was(
    cli: Cli, tmp_path: Path, model_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, whole, target = (tmp_path / name for name in ("m.csv", "whole.csv", "scores.csv"))
    save(tmp_path / "a.wav", tone(0.3))
    rows = "".join(f"a.wav,{number},said\n" for number in range(ROWS))
    manifest.write_text("path,id,transcript\n" + rows)
    assert cli("score", manifest, "-o", whole, *model_options).exit_code == 0
    command = ("score", manifest, "-o", target, *model_options)
    parts = tmp_path / "scores.csv.parts"
    add = Parts.add

    def add_and_stop(self: Parts, first: int, frame: pl.DataFrame) -> None:
        add(self, first, frame)
        # As Polars raises it for SIGINT; test_cli_score_workers.py sends signals, as
        # test_signals.py does at other moments.
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "add", add_and_stop)
        stopped = cli(*command)
    assert stopped.exit_code == 75
    said = stopped.stderr
    assert f"interrupted by SIGINT; {CHUNK} of {ROWS} rows are saved in" in said
    assert not target.exists()
    (marked,) = [mark_chunk(chunk) for chunk in parts.glob("[0-9]*.parquet")]
    assert marked == range(CHUNK)
    again = cli(*command)
    assert again.exit_code == 0
    assert f"note: {CHUNK} of {ROWS} rows are saved in" in again.stderr
    assert f"note: left to score: {ROWS - CHUNK} rows" in again.stderr
    assert not parts.exists()
    # The saved chunk is taken as it is: its mark is there, and all else is the same.
    mark = pl.when(pl.int_range(pl.len()).is_in(marked)).then(pl.lit(MARK))
    wanted = pl.read_csv(whole, infer_schema=False)
    wanted = wanted.with_columns(cleaned_text=mark.otherwise("cleaned_text"))
    assert pl.read_csv(target, infer_schema=False).equals(wanted)


MARK = "kept"


def mark_chunk(chunk: Path) -> range:
    """Write into every row of a saved chunk; gives the rows' numbers in the table."""
    rows = pl.read_parquet(chunk)
    rows.with_columns(cleaned_text=pl.lit(MARK)).write_parquet(chunk)
    first, end = map(int, chunk.stem.split("-"))
    assert end - first == len(rows)
    return range(first, end)


def test_saved_work_of_another_run_is_refused(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    target = mixed.with_name("scores.csv")
    parts = mixed.with_name("scores.csv.parts")
    parts.mkdir()
    (parts / "run.json").write_text(
        json.dumps({"manifest": "another", "options": {"beam_size": 5}})
    )
    command = ("score", mixed, "-o", target, *model_options, *ANY_ERRORS)
    result = cli(*command)
    assert result.exit_code == 1
    assert "manifest" in result.stderr and "--beam-size (was 5)" in result.stderr
    assert "--restart" in result.stderr
    assert cli(*command, "--restart").exit_code == 0
    assert len(pl.read_csv(target)) == 7


def test_a_table_that_is_whole_is_left_alone(
    cli: Cli, mixed: Path, model_options: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    target = mixed.with_name("scores.parquet")
    assert cli("score", mixed, "-o", target, *model_options, *ANY_ERRORS).exit_code == 0
    before = target.stat().st_mtime_ns
    again = cli("score", mixed, "-o", target, *model_options, *ANY_ERRORS)
    assert again.exit_code == 0 and "is whole, nothing to do; --retry-errors" in caplog.text
    other = cli("score", mixed, "-o", target, "--beam-size", 2, *model_options)
    assert other.exit_code == 1 and "differs in --beam-size (was 1); " in other.stderr
    assert target.stat().st_mtime_ns == before
    assert not target.with_name("scores.parquet.parts").exists()
    arguments = ["score", mixed, "-o", target, "--restart", *model_options, *ANY_ERRORS]
    assert cli(*arguments).exit_code == 0
    assert target.stat().st_mtime_ns > before


def test_a_table_that_may_be_anybodys_is_replaced_only_when_told(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    target = mixed.with_name("scores.csv")
    target.write_text("hello,1\n")
    refused = cli("score", mixed, "-o", target, *model_options)
    assert refused.exit_code == 1 and "doesn't say what it was made with" in refused.stderr
    assert target.read_text() == "hello,1\n"
    arguments = ["score", mixed, "-o", target, "--restart", *model_options, *ANY_ERRORS]
    assert cli(*arguments).exit_code == 0
    cut = pl.read_csv(target, infer_schema=False).head(2)
    cut.write_csv(target)
    refused = cli("score", mixed, "-o", target, *model_options)
    assert refused.exit_code == 1 and "was changed since it was written" in refused.stderr


@pytest.mark.parametrize("extension", ["csv", "parquet", "jsonl"])
def test_failed_rows_alone_are_scored_again(
    cli: Cli, tmp_path: Path, model_options: list[str], extension: str
) -> None:
    manifest, target = tmp_path / "manifest.csv", tmp_path / f"scores.{extension}"
    save(tmp_path / "a.wav", tone(0.5))
    manifest.write_text("path,id,code\na.wav,1,007\nb.wav,2,008\na.wav,3,009\nc.wav,4,010\n")
    assert cli("score", manifest, "-o", target, *model_options, *ANY_ERRORS).exit_code == 0
    before = read_scores(target)
    save(tmp_path / "b.wav", tone(0.7))
    result = cli("score", manifest, "-o", target, "--retry-errors", *model_options, *ANY_ERRORS)
    assert result.exit_code == 0
    after = read_scores(target)
    assert after["code"].to_list() == before["code"].to_list()
    assert after["status"].to_list() == ["ok", "ok", "ok", "error"]
    assert after[[0, 2, 3]].equals(before[[0, 2, 3]])
    assert after["duration"][1] == 0.7
    assert not target.with_name(target.name + ".parts").exists()


def test_two_runs_on_one_output_the_second_says_who_holds_it(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    target = mixed.with_name("scores.csv")
    command = ("score", mixed, "-o", target, *model_options, *ANY_ERRORS)
    folder = target.with_name("scores.csv.parts")
    folder.mkdir()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = cli(*command)
    assert second.exit_code == 75  # a scheduler starts it again, and the other may have ended
    assert "another run is writing there" in second.stderr
    assert cli(*command).exit_code == 0
    assert len(pl.read_csv(target)) == 7


def test_nobodys_folder_is_taken_for_saved_work(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    folder = mixed.with_name("scores.csv.parts")
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")
    result = cli("score", mixed, "-o", mixed.with_name("scores.csv"), "--restart", *model_options)
    assert result.exit_code == 1 and "not emobatch's" in result.stderr
    assert (folder / "thesis.txt").read_text() == "precious"


def test_the_manifest_is_never_overwritten(cli: Cli, mixed: Path, model_options: list[str]) -> None:
    before = mixed.read_bytes()
    result = cli("score", mixed, "-o", mixed, *model_options)
    assert result.exit_code == 1 and "is what is read, which would be lost" in result.stderr
    assert mixed.read_bytes() == before


def test_confined_rows_reach_nothing_outside_the_root(
    cli: Cli, tmp_path: Path, model_options: list[str]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    save(root / "in.wav", tone(0.3))
    save(tmp_path / "out.wav", tone(0.3))
    (root / "link.wav").symlink_to(tmp_path / "out.wav")
    paths = ["in.wav", "../out.wav", str(tmp_path / "out.wav"), "link.wav", "../root/in.wav"]
    manifest = "path\n" + "".join(f"{path}\n" for path in paths)
    arguments = ["score", "-", "--root", root, *model_options]
    free = pl.read_csv(cli(*arguments, input=manifest).stdout.encode())
    confined = pl.read_csv(cli(*arguments, "--confine", input=manifest).stdout.encode())
    assert free["status"].to_list() == ["ok"] * 5
    assert confined["status"].to_list() == ["ok", "error", "error", "error", "ok"]
    assert confined["error"].drop_nulls().str.contains("which --confine forbids").all()


def test_columns_that_apply_will_write_are_refused(
    cli: Cli, tmp_path: Path, model_options: list[str]
) -> None:
    (tmp_path / "m.csv").write_text("path,decided_by\na.wav,angry\n")
    result = cli("score", tmp_path / "m.csv", *model_options)
    assert result.exit_code == 1 and "decided_by; drop or rename" in result.stderr


def test_lists_and_odd_names_are_carried_where_the_format_has_a_place(
    cli: Cli, mixed: Path, model_options: list[str]
) -> None:
    rows = pl.DataFrame({"path": ["a.wav"], "*": ["x"], "^p.*$": [1], "list": [[1.5, 2.0]]})
    source, target = mixed.with_name("m.parquet"), mixed.with_name("s.parquet")
    rows.write_parquet(source)
    assert cli("score", source, "-o", target, *model_options).exit_code == 0
    assert pl.read_parquet(target)[:, :4].equals(rows)
    refused = cli("score", source, "-o", mixed.with_name("s.csv"), *model_options)
    assert refused.exit_code == 1 and "no place for column 'list'" in refused.stderr


def test_a_full_standard_output_ends_it(
    mixed: Path, model_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, too
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", full)
        with pytest.raises(ClickException, match="standard output: No space left"):
            main(["score", str(mixed), *model_options], standalone_mode=False)
    with suppress(OSError):
        full.close()


def test_a_full_standard_output_is_one_line() -> None:
    """Nor does Python say more as it ends, and finds that there is still something to write."""
    command = [sys.executable, "-m", "emobatch", "calibrate", "--bootstrap=0", FIXTURE.table]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: standard output: No space left")
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
