"""Runs of one branch only, and what later commands say of their tables."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from samples import LOOSE, toml
from sounds import save, tone

from emobatch.models import checkpoints
from emobatch.models.checkpoints import Checkpoint

Cli = Callable[..., Result]
HEARD = [
    *("speech_angry", "speech_happy", "speech_neutral", "speech_sad"),
    *("speech_emotion", "entropy", "varentropy"),
]
SAID = [
    *("asr_logprob", "asr_no_speech", "asr_compression", "cleaned_text", "text_negative"),
    *("text_neutral", "text_positive", "sentiment", "sentiment_score"),
]
ROWS = (("0.wav", "sad", "I hate this"), ("1.wav", "happy", ""), ("2.wav", "angry", "so good"))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Score tables of the same clips: with both branches, and with either left out."""
    from click.testing import CliRunner

    from emobatch.cli.main import main

    folder = tmp_path_factory.mktemp("branches")
    for number in range(len(ROWS)):
        save(folder / f"{number}.wav", tone(0.3, hertz=200 + 300 * number))
    manifest = folder / "m.csv"
    manifest.write_text("path,label,transcript\n" + "".join(",".join(r) + "\n" for r in ROWS))
    found = {}
    patch = pytest.MonkeyPatch()
    for name, options, looked_for in (
        ("both", [], {"speech", "asr", "text"}),
        ("no text", ["--text=none"], {"speech"}),
        ("no speech", ["--speech=none"], {"asr", "text"}),
    ):
        asked: set[str] = set()
        patch.setattr(checkpoints, "find", _noting(asked, checkpoints.find))
        found[name] = folder / f"{name}.parquet"
        command = ["score", manifest, "--models=demo", "-o", found[name], *options]
        result = CliRunner().invoke(main, [str(part) for part in command])
        patch.undo()
        assert result.exit_code == 0, result.stderr
        found[name].with_suffix(".log").write_text(result.stderr)
        # What is not looked for can't be loaded.
        assert asked == looked_for
    return found


def _noting(
    asked: set[str], find: Callable[[str, str], Checkpoint | None]
) -> Callable[[str, str], Checkpoint | None]:
    def look(name: str, branch: str) -> Checkpoint | None:
        asked.add(branch)
        return find(name, branch)

    return look


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    path = tmp_path / "loose.toml"
    path.write_text(toml(LOOSE), encoding="utf-8")
    return path


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.stdout + result.stderr
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    return line


def test_what_is_left_out_is_null_and_all_else_the_same(tables: dict[str, Path]) -> None:
    both, no_text, no_speech = (pl.read_parquet(file) for file in tables.values())
    assert no_text.schema == no_speech.schema == both.schema
    assert no_text["transcript_source"].to_list() == ["manifest", None, "manifest"]
    assert no_text["language"].to_list() == ["en", None, "en"]
    assert no_text.select(SAID).null_count().row(0) == (3,) * len(SAID)
    changed = {*SAID, "transcript_source", "transcript", "language"}
    kept = [name for name in both.columns if name not in changed]
    assert no_text.select(kept).equals(both.select(kept))
    assert no_text["transcript"].to_list() == ["I hate this", None, "so good"]
    assert no_speech.select(HEARD).null_count().row(0) == (3,) * len(HEARD)
    assert no_speech.drop(HEARD).equals(both.drop(HEARD))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text=none", "--speech=none"], "leave nothing to score"),
        (["--text=none", "--asr-model=x"], "--asr-model is for the branch that --text none"),
        (["--text=none", "--text-model=x"], "--text-model is for the branch that --text none"),
        (["--text=none", "--text-label-map=a=sad"], "--text-label-map is for the branch"),
        (["--speech=none", "--speech-model=x"], "--speech-model is for the branch that --speech"),
        (["--speech=none", "--label-map=a=sad"], "--label-map is for the branch that --speech"),
        (["--speech=none", "--classes=checkpoint"], "name the classes"),
        (["--text=none", "--gate=GATE"], "leave --gate out"),
        (["--speech=none", "--gate=GATE"], "leave --gate out"),
    ],
)
def test_options_of_what_is_left_out_are_refused(
    cli: Cli, tables: dict[str, Path], loose: Path, options: list[str], message: str
) -> None:
    options = [option.replace("GATE", str(loose)) for option in options]
    manifest = tables["both"].with_name("m.csv")
    assert message in refused(cli("score", manifest, "--models=demo", *options))


def test_another_branch_is_another_run(cli: Cli, tables: dict[str, Path]) -> None:
    manifest = tables["both"].with_name("m.csv")
    result = cli("score", manifest, "--models=demo", "-o", tables["both"], "--text=none")
    assert "--text (was its default)" in refused(result)
    assert (
        "nothing to do"
        in cli("score", manifest, "--models=demo", "-o", tables["no text"], "--text=none").stderr
    )
    # Nor are they read as one table.
    pair = (tables["both"], tables["no text"])
    assert "options.text" in refused(cli("calibrate", *pair))


def test_the_models_of_one_branch_are_listed_and_tried(cli: Cli) -> None:
    listed = json.loads(cli("models", "--models=demo", "--text=none", "--json").stdout)
    assert [*listed] == ["speech"]
    listed = json.loads(cli("models", "--models=demo", "--speech=none", "--json").stdout)
    assert [*listed] == ["asr", "text"]
    said = cli("doctor", "--models=demo", "--device=cpu", "--text=none").stdout
    assert "pass  speech scores" in said
    assert "asr" not in said and "Whisper's device" not in said and "text model" not in said
    # What is fetched elsewhere is what this run needs.
    missing = cli("models", "--speech-model=nobody/nothing", "--text=none", "--offline")
    assert "--text=none --speech-model=nobody/nothing` fetches" in refused(missing)


@pytest.mark.parametrize("name", ["no text", "no speech"])
def test_verify_scores_again_what_was_scored(cli: Cli, tables: dict[str, Path], name: str) -> None:
    result = cli("verify", tables[name])
    assert result.exit_code == 0 and "3 of 3 scored rows" in result.stdout


def test_a_table_without_text(cli: Cli, tables: dict[str, Path], loose: Path) -> None:
    table = tables["no text"]
    assert "as after `score --text none`" in refused(cli("calibrate", table))
    assert "as after `score --text none`" in refused(cli("crossval", table, "--by", "id"))
    assert cli("crossval", table, "--by", "id", "--method=speech").exit_code == 0
    result = cli("apply", table, "-t", loose)
    assert result.exit_code == 0
    assert result.stderr.count("no row has anything of the text branch") == 1
    decided = pl.read_csv(result.stdout.encode())
    assert decided["emotion"].to_list() == decided["speech_emotion"].to_list()
    flagged = decided.filter("flagged")
    assert len(flagged) and set(flagged["decided_by"]) == {"no-text"}
    # Through a pipe as well, where nothing says how it was made.
    piped = cli("apply", "-t", loose, input=pl.read_parquet(table).write_csv())
    assert piped.exit_code == 0 and "nothing of the text" not in piped.stderr
    assert "no row has anything of the text branch" in piped.stderr
    assert "anything of the text" not in cli("apply", tables["both"], "-t", loose).stderr
    measured = json.loads(cli("evaluate", table, "--json").stdout)
    assert measured["rows"] == 3 and "before" in measured and "sentiment_f1" not in measured


def test_a_table_without_speech(cli: Cli, tables: dict[str, Path], loose: Path) -> None:
    table = tables["no speech"]
    assert "score without --speech none" in refused(cli("apply", table, "-t", loose))
    assert "score without --speech none" in refused(cli("calibrate", table, "--method=speech"))
    result = cli("evaluate", table, "--json")
    measured = json.loads(result.stdout)
    assert "only what the text branch says is measured" in result.stderr
    assert measured["sentiment_f1"]["rows"] == 2 and "before" not in measured
    shown = cli("evaluate", table).stdout
    assert "sentiment against labels" in shown and "UA" not in shown


def test_a_table_whose_rows_all_failed_is_not_taken_for_one(
    cli: Cli, tables: dict[str, Path], loose: Path
) -> None:
    failed = pl.read_parquet(tables["no speech"]).with_columns(status=pl.lit("error"))
    result = cli("apply", "-t", loose, input=failed.write_csv())
    assert result.exit_code == 0 and "none" not in result.stderr


def test_apply_says_where_thresholds_are_of_elsewhere(
    cli: Cli, tables: dict[str, Path], tmp_path: Path
) -> None:
    both, file = tables["both"], tmp_path / "t.toml"
    made = json.loads(pl.read_parquet_metadata(both)["emobatch"])
    own = {
        "tables": ["both.parquet"],
        "language": "en",
        "manifests": [made["manifest"]],
        "models": {"speech": made["models"]["speech"]},
    }

    def note(*options: str, **fitted: object) -> str:
        file.write_text(toml(LOOSE, **fitted))
        result = cli("apply", both, "-t", file, *options)
        assert result.exit_code == 0, result.stderr
        return result.stderr

    assert note(**own) == ""
    assert "it doesn't name the models that it was fitted on;" in note()
    said = note(**{**own, "language": "ja", "manifests": ["0"]})
    assert said.count("may not suit") == 1 and "--language en is not ja;" in said
    assert "the rows are of another manifest than those of both.parquet;" in said
    # Scores of other models are refused, and noted where that is insisted on.
    others = {**own, "models": {"speech": {"name": "demo", "digest": "sha256:0"}}}
    assert "speech model demo (sha256:" in note("--force", **others)
    assert "fitted on scores of other models" in refused(cli("apply", both, "-t", file))


def test_calibrate_notes_language_and_manifest(cli: Cli, tables: dict[str, Path]) -> None:
    both = tables["both"]
    text = cli("calibrate", both, "--bootstrap=0").stdout
    made = json.loads(pl.read_parquet_metadata(both)["emobatch"])
    assert f'manifests = ["{made["manifest"]}"]' in text and 'language = "en"' in text


@pytest.mark.parametrize(
    ("name", "said"), [("both", "calibrate"), ("no text", "evaluate"), ("no speech", "evaluate")]
)
def test_what_is_said_to_be_next_can_be_done(
    cli: Cli, tables: dict[str, Path], tmp_path: Path, name: str, said: str
) -> None:
    [told] = re.findall("; next: `emobatch ([^`]*)`", tables[name].with_suffix(".log").read_text())
    command = [
        part.replace("thresholds.toml", str(tmp_path / "t.toml")) for part in shlex.split(told)
    ]
    assert command[0] == said
    result = cli(*command)
    assert result.exit_code == 0, result.stderr


def test_rows_without_labels_and_speech_have_nothing_next(cli: Cli, tmp_path: Path) -> None:
    save(tmp_path / "0.wav", tone(0.3))
    (tmp_path / "m.csv").write_text("path,transcript\n0.wav,so good\n")
    command = ("score", tmp_path / "m.csv", "--models=demo", "--speech=none")
    result = cli(*command, "-o", tmp_path / "s.csv")
    assert "1 row in" in result.stderr and "next:" not in result.stderr


def test_segments_that_their_files_are_too_short_for_are_counted(cli: Cli, tmp_path: Path) -> None:
    save(tmp_path / "0.wav", tone(1.0))
    rows = "0.wav,,\n0.wav,0.2,1.4\n0.wav,0.5,1.6\n0.wav,0.5,900\nnone.wav,0,9\n"
    (tmp_path / "m.csv").write_text(f"path,start,end\n{rows}")
    command = ("score", tmp_path / "m.csv", "--models=demo", "--text=none", "--max-error-rate=1")
    for target in ("s.csv", "s.parquet"):
        result = cli(*command, "-o", tmp_path / target)
        assert result.exit_code == 0, result.stderr
        said = "warning: 2 segments, by `end`, of which more than 0.5 s isn't in the file"
        assert result.stderr.count(said) == 1
    assert pl.read_parquet(tmp_path / "s.parquet")["duration"][3] == 0.5
    save(tmp_path / "0.wav", tone(2.0))
    (tmp_path / "m.csv").write_text("path,start,end\n0.wav,0.5,2.4\n")
    assert "isn't in the file" not in cli(*command, "-o", tmp_path / "t.csv").stderr
