"""Whatever users' tables, file names and options hold is printed as text, and does nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from finals import decided, scored
from pages import Page, blank_figures
from samples import LOOSE_TOML, score_rows
from sounds import save, tone

from emobatch.cli.console import show_changes
from emobatch.cli.main import main
from emobatch.models.checkpoints import DEMO_FOLDER
from emobatch.tables.visible import visible
from emobatch.tasks.task import Task

Show = Callable[..., Result]
# Markup of rich, names of emoji, colours, a bell, a C1 control, an override of direction, newlines.
HOSTILE = [
    *("[/b]", "[session 1]", ":smile:", "a\\", "\x1b[31mred", "ring\x07"),
    *("\x9b2J", "to\u202eleft", "two\nlines", "a\ttab", "\x7f\x85\u2028"),
]
FILE = "[b]\x1b[31m\u202e\x9b\n.csv"
# No control character is part of a class's name.
CLASSES = ["[/b]", ":smile:", "$x$", "[red]x[/red]", "a\\"]
TASK = Task.of(CLASSES)
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def shown(value: str) -> str:
    """What is printed of a value, as Python writes it."""
    letters = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    return "".join(letters)


def harmless(text: str) -> str:
    """The text, in which no control character is left."""
    assert not CONTROLS.search(text), CONTROLS.findall(text)
    return text


@pytest.fixture
def show() -> Show:
    """Run a command as on a terminal that takes colours; what it prints is harmless."""

    def run(*arguments: object, input: str | None = None) -> Result:
        told = [str(item) for item in arguments]
        result = CliRunner().invoke(main, told, input=input, color=True)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        harmless(result.stdout)
        harmless(result.stderr)
        return result

    return run


def with_values(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The rows with each hostile value in some of them."""
    values = pl.Series([HOSTILE[number % len(HOSTILE)] for number in range(len(rows))])
    return rows.with_columns(values.alias(name) for name in columns)


def names_shown(text: str, values: list[str] = HOSTILE) -> bool:
    """Whether each stands at the beginning of a line or after a space."""
    return all(re.search(rf"(^|[ ]){re.escape(shown(each))}", text, re.M) for each in values)


def test_evaluate_by_any_values(show: Show) -> None:
    rows = with_values(decided(), "session")
    result = show("evaluate", "--by", "session", "--bootstrap", 0, input=rows.write_csv())
    assert names_shown(result.stdout)


def test_evaluate_any_classes_speakers_and_labels(show: Show) -> None:
    rows = with_values(decided(TASK, 300), "speaker")
    result = show("evaluate", input=rows.write_csv())
    assert result.exit_code == 0
    assert names_shown(result.stdout, CLASSES)
    strange = rows.with_columns(label=pl.col("speaker"))
    result = show("evaluate", input=strange.write_csv())
    assert result.exit_code == 1 and result.stderr.count("\n") == 1
    assert r"\x9b2J (27)" in result.stderr


def test_json_escapes_control_characters_in_its_own_way(show: Show) -> None:
    rows = with_values(decided(), "session")
    result = show("evaluate", "--by", "session", "--json", input=rows.write_csv())
    assert set(json.loads(result.stdout)["by"]) == set(HOSTILE)


def test_crossval_of_any_folds_and_classes(show: Show) -> None:
    rows = with_values(decided(TASK, 400), "fold")
    # Of one class nothing can be fitted, which is noted of each fold.
    rows = rows.filter((pl.col("speech_emotion") != "$x$") | (pl.col("label") == "$x$"))
    result = show("crossval", input=rows.write_csv())
    assert result.exit_code == 0, result.stderr
    assert names_shown(result.stdout)
    assert re.search(r"^note: fold \\x1b\[31mred: ", result.stderr, re.M), result.stderr


def test_leakage_of_any_values_and_columns(show: Show) -> None:
    rows = with_values(pl.DataFrame({"split": ["train"] * 11 + ["test"] * 11}), "speaker", "[b]x")
    options = ("--column", "speaker", "--column", "[b]x")
    for part in range(0, len(HOSTILE), 5):
        values = HOSTILE[part : part + 5]
        some = rows.filter(pl.col("speaker").is_in(values))
        result = show("leakage", "-", *options, input=some.write_csv())
        assert result.exit_code == 0
        assert "looked at: speaker, [b]x" in result.stdout
        for value in values:
            assert shown(value) in result.stdout
    fold = with_values(rows.vstack(rows).sort("split"), "fold").with_columns(speaker=pl.lit("a"))
    assert names_shown(show("leakage", "-", input=fold.write_csv()).stdout)


def test_calibrate_of_any_classes(show: Show, tmp_path: Path) -> None:
    rows = scored(TASK, 600).write_csv()
    result = show("calibrate", "-o", tmp_path / "t.toml", input=rows)
    assert result.exit_code == 0, result.stderr
    assert names_shown(result.stderr, CLASSES)


def test_verify_names_rows_and_values(show: Show, tmp_path: Path) -> None:
    save(tmp_path / "a.wav", tone(1.0))
    rows = pl.DataFrame({"path": ["a.wav"] * len(HOSTILE), "id": HOSTILE})
    rows.write_csv(tmp_path / "manifest.csv")
    table = tmp_path / "scores.parquet"
    assert show("score", tmp_path / "manifest.csv", "--models=demo", "-o", table).exit_code == 0
    changed = pl.read_parquet(table).with_columns(pl.col("speech_sad") + 0.5)
    changed.write_parquet(table, metadata=pl.read_parquet_metadata(table))
    result = show("verify", table)
    assert result.exit_code == 1
    for value in HOSTILE:
        assert f"{shown(value)}: speech_sad is" in result.stdout


def test_models_and_doctor_name_any_folder(
    show: Show, models: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / FILE
    shutil.copytree(models["speech"], folder)
    options = ["--speech-model", folder]
    options += [f"--{branch}-model={models[branch]}" for branch in ("asr", "text")]
    assert shown(FILE) in show("models", *options).stdout
    result = show("doctor", *options, "-o", tmp_path / FILE / "no" / "such" / FILE)
    assert shown(FILE.removesuffix("\n.csv")) in result.stdout


def with_hostile_metadata(table: Path, target: Path) -> Path:
    """The table, whose provenance has hostile versions, digests and options; the names stay."""
    made = json.loads(pl.read_parquet_metadata(table)["emobatch"])
    versions = dict(zip([*made["software"]], HOSTILE * 2, strict=False))
    made["software"] = {**versions, **dict.fromkeys(HOSTILE, "1")}
    for model in made["models"].values():
        model["digest"] = f"sha256:{HOSTILE[4]}"
    pl.read_parquet(table).write_parquet(target, metadata={"emobatch": json.dumps(made)})
    return target


def test_verify_and_merge_name_what_a_table_says_of_itself(show: Show, tmp_path: Path) -> None:
    save(tmp_path / "a.wav", tone(1.0))
    # One row more than a chunk has, so that the second shard has one.
    rows = "".join(f"a.wav,x,{n}\n" for n in range(65))
    (tmp_path / "m.csv").write_text(f"path,transcript,id\n{rows}")
    shards = [tmp_path / f"{number}.parquet" for number in range(2)]
    for number, shard in enumerate(shards):
        options = ["--models=demo", "-o", shard, "--shard", f"{number}/2"]
        assert show("score", tmp_path / "m.csv", *options).exit_code == 0
    spoilt = with_hostile_metadata(shards[1], tmp_path / FILE.replace(".csv", ".parquet"))
    verified = show("verify", spoilt)
    assert verified.exit_code == 1 and r"sha256:\x1b[31mred" in verified.stderr
    merged = show("merge", shards[0], spoilt, "-o", tmp_path / "whole.parquet")
    assert merged.exit_code == 1 and shown(FILE.removesuffix(".csv")) in merged.stderr
    again = show("score", tmp_path / "m.csv", "--models=demo", "--shard=1/2", "-o", spoilt)
    assert again.exit_code == 1 and r"software.\x1b[31mred" in again.stderr


def test_folds_of_any_values(show: Show, tmp_path: Path) -> None:
    for part in (HOSTILE[:6], HOSTILE[5:]):
        rows = pl.DataFrame({"path": [f"{number}.wav" for number in range(12)]})
        rows = rows.with_columns(speaker=pl.Series((part * 2)[:12]))
        rows.write_csv(tmp_path / "m.csv")
        options = ["--scheme", "speaker", "-o", tmp_path / "folds.csv"]
        result = show("folds", tmp_path / "m.csv", *options)
        assert result.exit_code == 0, result.stderr
        assert all(shown(value.strip()) in result.stderr for value in part)
        found = show("leakage", tmp_path / "folds.csv", "--column", "speaker")
        assert found.exit_code == 0 and "\x1b" not in found.stdout
        (tmp_path / "folds.csv").unlink()


def test_what_a_checkpoint_says_is_text(show: Show, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DEMO_FOLDER / "speech", tmp_path / "speech"))
    file = folder / "config.json"
    config = json.loads(file.read_text())
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    labels = dict(enumerate(HOSTILE[4:8]))
    for changes, words in (
        ({"id2label": labels}, r"\x1b[31mred, ring\x07, \x9b2J, to\u202eleft"),
        ({"model_type": HOSTILE[4]}, r"\x1b[31mred"),
        ({"auto_map": {HOSTILE[6]: HOSTILE[7]}}, r"\x9b2J"),
        ({f"{HOSTILE[7]}_file": "/dev/../etc/passwd"}, r"to\u202eleft"),
    ):
        file.write_text(json.dumps({**config, **changes}))
        options = ["--models=demo", "--speech-model", folder]
        scored = show("score", tmp_path / "m.csv", *options)
        assert scored.exit_code == 1 and words in scored.stderr
        if not {*changes} & {"model_type", "id2label"}:  # which nobody reads before it is loaded
            assert words in show("models", *options).stderr
        examined = show("doctor", *options)
        assert examined.exit_code == 1 and words in examined.stdout


def test_the_demo_shows_what_was_said_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_changes(pl.DataFrame([HOSTILE[:5], HOSTILE[5:10]], orient="row"))
    printed = harmless(capsys.readouterr().out)
    for value in HOSTILE[:10]:
        assert shown(value) in printed


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", FILE),
        ("crossval", FILE),
        ("leakage", FILE),
        ("verify", FILE),
        ("report", FILE, "-o", "page.html"),
        ("apply", FILE, "-t", "t.toml"),
        ("apply", "-", "-t", FILE),
        ("calibrate", FILE),
        ("score", FILE),
        ("folds", FILE, "--scheme", FILE),
        ("merge", FILE),
        ("evaluate", "-", "--by", FILE),
        ("evaluate", "-", "--where", FILE),
        ("evaluate", "-", "--label-column", FILE),
        ("evaluate", "-", "--label-map", FILE),
        ("evaluate", "-", "--classes", FILE),
        ("evaluate", "-", "--bootstrap", FILE),
        ("evaluate", "-", "-o", FILE.replace(".csv", ".x")),
        ("evaluate", f"--{FILE}"),
        ("score", "m.csv", "--device", FILE),
        ("score", "m.csv", "--root", FILE),
        ("score", "m.csv", "--speech-model", f"./{FILE}"),
        ("verify", "scores.csv", FILE),
        ("demo", "folder", FILE),
        (FILE,),
    ],
    ids=lambda arguments: " ".join(arguments).replace(FILE, "X"),
)
def test_errors_name_what_was_given(
    show: Show, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.csv").write_text("path\na.wav\n")
    Path("t.toml").write_text(LOOSE_TOML)
    result = show(*arguments, input=score_rows(20).write_csv())
    assert result.exit_code in (1, 2)
    assert re.search(r"\\x1b\[31m(\\u202e|\u202e)\\x9b\\n", result.stderr), result.stderr
    assert len(re.findall("^Error: .*$", result.stderr, re.M)) == 1
    assert result.stderr.splitlines()[-1].startswith("Error: ")


def test_notes_name_any_table(show: Show, tmp_path: Path) -> None:
    table = tmp_path / FILE
    (tmp_path / "t.toml").write_text(LOOSE_TOML)
    rows = scored().write_csv()
    assert show("apply", "-t", tmp_path / "t.toml", "-o", table, input=rows).exit_code == 0
    table.write_bytes(table.read_bytes() + b"\n")
    result = show("evaluate", table)
    assert shown(FILE) in result.stderr and result.stderr.startswith("note: ")
    # Then how the labels were read, and that the empty row has none.
    assert result.stderr.count("\n") == 3


def test_the_report_shows_control_characters(show: Show, tmp_path: Path) -> None:
    rows = with_values(decided(TASK, 300), "id", "transcript")
    table = tmp_path / FILE
    rows.write_csv(table)
    with blank_figures(but=["confusion_matrix", "flow"]):
        assert show("report", table, "-o", tmp_path / "page.html").exit_code == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    harmless(text)
    page = Page(text)
    changed = rows.filter(pl.col("emotion") != pl.col("speech_emotion"))
    for column in ("id", "transcript"):
        assert page.tables["changes"].column(column) == [shown(each) for each in changed[column]]
    assert shown(FILE) in page.text
    for name in CLASSES:
        assert text.count(f">{name}</text>") >= 2, "figures name classes as they are"


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x00", r"\x00"),
        ("\x1b", r"\x1b"),
        ("\x7f", r"\x7f"),
        ("\x80", r"\x80"),
        ("\x9b", r"\x9b"),
        ("\x9f", r"\x9f"),
        ("\u2028", r"\u2028"),
        ("\u202e", r"\u202e"),
        ("\u2069", r"\u2069"),
        ("\udcff", r"\udcff"),
        ("\t", r"\t"),
        ("\xa0", "\xa0"),
        ("\u200d", "\u200d"),
    ],
)
def test_what_moves_the_cursor_or_turns_text_round_is_spelled_out(
    character: str, shown: str
) -> None:
    assert visible(f"a{character}b") == f"a{shown}b"
