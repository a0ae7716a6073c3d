"""`emobatch verify`: anyone can check a table that they were given."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from checkpoints import TEXT, save_speech
from click.testing import Result
from espeak import RATE, VOICES, speak
from refusals import refusal
from sounds import save
from toys import ToyGate

from emobatch.errors import EmobatchError
from emobatch.models.choice import Choice
from emobatch.scoring.score import score

Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, model_options: list[str]) -> Path:
    """A folder with clips and `scores.csv`: eight good rows, and one without its file."""
    from click.testing import CliRunner

    from emobatch.cli.main import main

    folder = tmp_path_factory.mktemp("verified")
    for number, (text, voice) in enumerate(zip(TEXT, VOICES, strict=False)):
        save(folder / f"{number}.wav", speak(text, voice) / np.float32(32768), RATE)
    (folder / "manifest.csv").write_text(
        "path,start,end,transcript\n0.wav,,,\n1.wav,,,\n2.wav,,,\n3.wav,,,\n4.wav,,,\n"
        '0.wav,0.5,1.75,\n1.wav,1,,"I am\nso happy, really!"\n2.wav,,1,...\nmissing.wav,,,\n'
    )
    arguments = ["score", str(folder / "manifest.csv"), "-o", str(folder / "scores.csv")]
    arguments.append("--max-error-rate=0.5")
    assert CliRunner().invoke(main, [*arguments, *model_options]).exit_code == 0
    return folder


@pytest.fixture
def table(scored: Path, tmp_path: Path) -> Path:
    """A copy of the table to be changed, and its clips beside it."""
    return Path(shutil.copytree(scored, tmp_path / "copy")) / "scores.csv"


def change(table: Path, row: int, column: str, value: object) -> None:
    rows = pl.read_csv(table, infer_schema=False).to_dicts()
    rows[row][column] = None if value is None else str(value)
    pl.DataFrame(rows).write_csv(table)


def change_provenance(table: Path, changed: dict[str, object]) -> None:
    beside = table.with_name("scores.csv.meta.json")
    beside.write_text(json.dumps({**json.loads(beside.read_text()), **changed}))


def value(table: Path, row: int, column: str) -> str:
    return pl.read_csv(table, infer_schema=False)[column][row]


def test_a_true_table_passes(cli: Cli, scored: Path) -> None:
    result = cli("verify", scored / "scores.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("8 of 8 scored rows were scored again, one at a time: 0 values")


def test_a_true_table_in_parquet_passes(cli: Cli, scored: Path, model_options: list[str]) -> None:
    target = scored / "other.parquet"
    options = [*model_options, "--max-error-rate=0.5"]
    assert cli("score", scored / "manifest.csv", "-o", target, *options).exit_code == 0
    assert cli("verify", target, "--sample", 5).exit_code == 0


def test_nothing_may_be_written_in_either_way(cli: Cli, table: Path) -> None:
    assert value(table, 7, "cleaned_text") == ""
    change(table, 7, "cleaned_text", None)
    assert cli("verify", table).exit_code == 0


def test_a_row_in_which_nothing_is_said_has_no_logprob_and_passes(cli: Cli, tmp_path: Path) -> None:
    save(tmp_path / "silence.wav", np.zeros(16_000, np.float32))
    (tmp_path / "manifest.csv").write_text("path\nsilence.wav\n")
    table = tmp_path / "scores.csv"
    assert cli("score", tmp_path / "manifest.csv", "-o", table, "--models=demo").exit_code == 0
    assert value(table, 0, "transcript_source") == "none"
    assert value(table, 0, "asr_logprob") is None
    assert cli("verify", table).exit_code == 0


def test_each_window_is_scored_alone(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emobatch.models.speech_classifier import SpeechClassifier
    from emobatch.models.whisper import Whisper

    save(tmp_path / "long.wav", np.full(40 * 16_000, 0.3, np.float32))
    (tmp_path / "manifest.csv").write_text("path\nlong.wav\n")
    table = tmp_path / "scores.csv"
    command = ("score", tmp_path / "manifest.csv", "-o", table, "--models=demo")
    # Longer than is decoded unless told: what was decoded once is decoded again.
    assert cli(*command, "--max-seconds=50000", "--batch-seconds=1000").exit_code == 0
    batches: list[int] = []
    for model, name in ((SpeechClassifier, "scores"), (Whisper, "transcribe")):
        score_batch = getattr(model, name)

        def note(self: object, clips: list, score_batch: object = score_batch) -> object:
            batches.append(len(clips))
            return score_batch(self, clips)

        monkeypatch.setattr(model, name, note)
    assert cli("verify", table).exit_code == 0
    assert batches == [1] * 4


CHANGED = {
    (0, "speech_angry"): 0.125,
    (0, "speech_sad"): "NaN",
    (1, "transcript"): "something else",
    (2, "cleaned_text"): None,
    (3, "sentiment"): "no feeling",
    (4, "entropy"): 0.0,
    (4, "speech_emotion"): "bored",
    (5, "text_negative"): 0.125,
    (5, "duration"): 1.5,
}


def test_every_changed_value_is_named_with_what_came_out(cli: Cli, table: Path) -> None:
    true = {place: value(table, *place) for place in CHANGED}
    ids = [value(table, row, "id") for row in range(8)]
    for (row, column), changed in CHANGED.items():
        change(table, row, column, changed)
    result = cli("verify", table, "--json")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {table}: 6 of 8 rows don't score as it says")
    differences = json.loads(result.stdout)["differences"]
    found = {(ids.index(each["id"]), each["column"]): each for each in differences}
    assert found.keys() == CHANGED.keys()
    for place, each in found.items():
        number = isinstance(each["again"], float)
        assert each["again"] == (
            pytest.approx(float(true[place]), abs=1e-5) if number else true[place]
        )
        assert each["table"] == CHANGED[place] or str(each["table"]).lower() == "nan"


def test_a_transcript_that_is_said_to_be_recognised_is_recognised_again(
    cli: Cli, table: Path
) -> None:
    change(table, 6, "transcript_source", "asr")
    result = cli("verify", table)
    assert result.exit_code == 1
    assert "1.wav#1-: transcript is 'I am\\nso happy, really!', scored again" in result.stdout


def test_both_figures_are_printed(cli: Cli, table: Path) -> None:
    true = float(value(table, 0, "speech_angry"))
    change(table, 0, "speech_angry", true + 0.125)
    line, summary = cli("verify", table).stdout.splitlines()
    start = f"0.wav: speech_angry is {true + 0.125!r}, scored again "
    assert line.startswith(start)
    assert float(line.removeprefix(start)) == pytest.approx(true, abs=1e-5)
    assert "1 values differ; probabilities by 0.1 at most" in summary


def test_the_tolerance_is_of_probabilities(cli: Cli, table: Path) -> None:
    change(table, 0, "speech_angry", float(value(table, 0, "speech_angry")) + 1e-3)
    assert cli("verify", table, "--tolerance", 9e-4).exit_code == 1
    assert cli("verify", table, "--tolerance", 1.1e-3).exit_code == 0


def test_rows_whose_audio_is_gone_fail_by_name(cli: Cli, table: Path) -> None:
    (table.parent / "3.wav").unlink()
    result = cli("verify", table)
    assert result.exit_code == 1
    assert "3.wav: error: audio: no such file: 3.wav\n" in result.stdout
    assert result.stdout.count("\n") == 2, "what has no scores is said once"
    assert "--root the folder" not in result.stderr


def test_audio_elsewhere_is_found_by_root(cli: Cli, scored: Path, tmp_path: Path) -> None:
    for name in ("scores.csv", "scores.csv.meta.json"):
        shutil.copy(scored / name, tmp_path)
    lost = cli("verify", tmp_path / "scores.csv", "--sample", 2)
    assert lost.exit_code == 1
    assert "no file of 2 rows is there; give --root the folder" in lost.stderr.splitlines()[-1]
    arguments = ["--sample", 2, "--root", scored]
    assert cli("verify", tmp_path / "scores.csv", *arguments).exit_code == 0


def test_a_sample_is_the_seeds(cli: Cli, table: Path) -> None:
    change(table, 0, "speech_angry", 0.125)
    statuses = [
        cli("verify", table, "--sample", 2, "--seed", seed).exit_code for seed in (0, 2, 0, 2)
    ]
    assert statuses == [0, 1, 0, 1]


def test_other_weights_are_said_before_anything_is_scored(
    cli: Cli, scored: Path, tmp_path: Path
) -> None:
    folder = save_speech(tmp_path / "other", hidden_act="relu")
    with (folder / "model.safetensors").open("r+b") as weights:
        weights.seek(-1, 2)
        weights.write(b"\x01")
    message = refusal(cli("verify", scored / "scores.csv", "--speech-model", folder))
    assert "other weights than the table's: here sha256:" in message
    assert "--speech-model" in message


def test_only_the_speech_branch_of_gated_rows_is_checked(
    cli: Cli, table: Path, models: dict[str, Path]
) -> None:
    gate = ToyGate(lambda rows: rows["speech_emotion"] != rows["speech_emotion"][0])
    choice = Choice(**{f"{branch}_model": str(folder) for branch, folder in models.items()})
    options = {"gate": gate, "restart": True, "max_error_rate": 0.5}
    score(str(table.with_name("manifest.csv")), table, choice, **options)
    sources = pl.read_csv(table)["transcript_source"].to_list()
    assert "gated" in sources and "asr" in sources
    assert cli("verify", table).exit_code == 0
    change(table, sources.index("gated"), "speech_angry", 0.125)
    assert cli("verify", table).exit_code == 1


def test_a_table_of_before_is_verified(cli: Cli, table: Path) -> None:
    """Its text branch was called sentiment, and it didn't say what its classes were."""
    beside = table.with_name("scores.csv.meta.json")
    made = json.loads(beside.read_text())
    made["models"]["sentiment"] = made["models"].pop("text")
    made["options"]["sentiment_label_map"] = made["options"].pop("text_label_map")
    del made["task"]
    beside.write_text(json.dumps(made))
    assert cli("verify", table, "--sample", 2).exit_code == 0
    change(table, 0, "speech_angry", 0.125)
    assert cli("verify", table).exit_code == 1


def test_other_versions_are_noted(cli: Cli, table: Path, caplog: pytest.LogCaptureFixture) -> None:
    change_provenance(table, {"software": {"torch": "1.0", "gone": "3"}})
    assert cli("verify", table, "--sample", 1).exit_code == 0
    (message,) = caplog.messages
    assert message.startswith("note: the table was made with torch 1.0, gone 3; here is ")
    assert "torch 2." in message


@pytest.mark.parametrize(
    "changed",
    [
        {"models": {}},
        {"models": {"speech": {}, "asr": {}, "text": {}}},
        {"task": {}},
        {"options": {}},
        {"options": {"device": "cpu"}},
    ],
    ids=str,
)
def test_a_table_that_doesnt_say_how_it_was_made_is_refused(
    cli: Cli, table: Path, changed: dict[str, object]
) -> None:
    change_provenance(table, changed)
    message = refusal(cli("verify", table))
    assert "doesn't say what it was made with" in message
    assert "scores.csv.meta.json" in message


@pytest.mark.parametrize(
    "changed",
    [{"models": None}, {"models": {"speech": "demo"}}, {"task": None}, {"options": []}],
    ids=str,
)
def test_what_emobatch_never_stores_is_refused_by_name(
    cli: Cli, table: Path, changed: dict[str, object]
) -> None:
    change_provenance(table, changed)
    message = refusal(cli("verify", table))
    assert f"{next(iter(changed))} is " in message and "scores.csv.meta.json" in message


def test_settings_that_nobody_could_have_given_are_one_line(cli: Cli, table: Path) -> None:
    options = json.loads(table.with_name("scores.csv.meta.json").read_text())["options"]
    for wrong in ({"device": "abacus"}, {"clean": 7}, {"language": []}, {"label_map": {"a": "b"}}):
        change_provenance(table, {"options": {**options, **wrong}})
        assert refusal(cli("verify", table))


def test_a_table_of_other_columns_is_refused(cli: Cli, table: Path) -> None:
    rows = pl.read_csv(table, infer_schema=False)
    rows.drop("duration", "entropy").write_csv(table)
    assert "no column duration and 1 more" in refusal(cli("verify", table))


def test_a_table_without_scores_is_refused(cli: Cli, table: Path) -> None:
    rows = pl.read_csv(table, infer_schema=False)
    rows.filter(pl.col("status") == "error").write_csv(table)
    assert "nothing to verify" in refusal(cli("verify", table))


def test_wrong_usage_is_status_2(cli: Cli, table: Path) -> None:
    for arguments in ([], [table, "--sample", 0], [table, "--tolerance", -1], [table, "--no"]):
        assert cli("verify", *arguments).exit_code == 2


def test_logarithms_may_differ_by_more_than_probabilities(cli: Cli, table: Path) -> None:
    """Sums of logarithms do; and the figure that is printed is of probabilities."""
    true = float(value(table, 0, "entropy"))
    change(table, 0, "entropy", true + 5e-3)
    assert cli("verify", table, "--tolerance", 1e-3).exit_code == 0
    change(table, 0, "entropy", true + 0.5)
    result = cli("verify", table, "--tolerance", 1e-3, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["largest"] < 1e-4


def test_a_figure_of_what_was_never_said_is_named(cli: Cli, tmp_path: Path) -> None:
    save(tmp_path / "silence.wav", np.zeros(16_000, np.float32))
    (tmp_path / "manifest.csv").write_text("path\nsilence.wav\n")
    table = tmp_path / "scores.csv"
    assert cli("score", tmp_path / "manifest.csv", "-o", table, "--models=demo").exit_code == 0
    change(table, 0, "asr_logprob", -0.25)
    result = cli("verify", table)
    assert result.exit_code == 1
    assert "silence.wav: asr_logprob is -0.25, scored again " in result.stdout


def test_every_setting_is_as_it_was(cli: Cli, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = json.loads(table.with_name("scores.csv.meta.json").read_text())
    wanted = {
        "device": "cpu", "precision": "fp32", "language": "de", "beam_size": 3,
        "asr_context": "fit", "clean": "numbers",
    }  # fmt: skip
    label_map = {"hap": "neutral", "neu": None}
    change_provenance(table, {"options": {**made["options"], **wanted, "label_map": label_map}})
    seen: list[Choice] = []

    def find(choice: Choice) -> None:
        seen.append(choice)
        raise EmobatchError("looked at")

    monkeypatch.setattr(Choice, "find_checkpoints", find)
    assert refusal(cli("verify", table)) == "looked at"
    (choice,) = seen
    assert {name: getattr(choice, name) for name in wanted} == wanted
    assert choice.label_map == ("hap=neutral", "neu=none")
    assert choice.task({}).classes == ("angry", "happy", "neutral", "sad")
    assert refusal(cli("verify", table, "--precision", "int8")) == "looked at"
    assert seen[-1].precision == "int8"
    task = {"classes": ["calm", "tense"], "sentiments": {}}
    change_provenance(table, {"options": made["options"], "task": task})
    cli("verify", table)
    assert seen[-1].task({}).classes == ("calm", "tense")
