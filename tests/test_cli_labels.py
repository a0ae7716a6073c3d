"""Labels of one's own corpus: what each command makes of them, and what it says of it."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from pages import Page
from refusals import refusal
from samples import LOOSE_TOML, csv, score_rows

from emobatch.demo import corpus
from emobatch.tables import stored

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("undrawn", "unresampled")
LETTERS = {"angry": "W", "happy": "F", "neutral": "N", "sad": "T"}
MAP = "W=angry,F=happy,N=neutral,T=sad,L=none"
LABELS = "W 51 -> angry, F 56 -> happy, N 29 -> neutral, T 54 -> sad; dropped L 10"
LEFT_OUT = "10 of 200 rows are left out: 10 with a dropped label"


def lettered(name: str = "label") -> pl.DataFrame:
    """200 scored rows with EmoDB's letters, ten of them L for boredom."""
    rows = score_rows(200)
    bored = pl.int_range(pl.len()).over("label") < pl.when(pl.col("label") == "neutral").then(
        10
    ).otherwise(0)
    letter = pl.when(bored).then(pl.lit("L")).otherwise(pl.col("label").replace(LETTERS))
    return rows.with_columns(letter.alias("label")).rename({"label": name})


def decided(cli: Cli, rows: pl.DataFrame, folder: Path) -> Path:
    """A final table of them."""
    thresholds, final = folder / "t.toml", folder / "final.csv"
    thresholds.write_text(LOOSE_TOML, encoding="utf-8")
    result = cli("apply", "-t", thresholds, "-o", final, input=csv(rows))
    assert result.exit_code == 0, result.stderr
    return final


def test_calibrate_says_how_labels_were_read_and_stores_it(cli: Cli) -> None:
    result = cli("calibrate", "--bootstrap", "0", "--label-map", MAP, input=csv(lettered()))
    assert result.exit_code == 0
    assert result.stderr.startswith(f"note: labels {LABELS}\nnote: {LEFT_OUT}\n")
    fitted = tomllib.loads(result.stdout)["fitted"]
    assert fitted["rows"] == 190 and fitted["left_out"] == {"dropped": 10}
    assert fitted["labels"] == {
        "column": "label",
        "unlabelled": 0,
        "read": {"angry": {"W": 51}, "happy": {"F": 56}, "neutral": {"N": 29}, "sad": {"T": 54}},
        "dropped": {"L": 10},
    }


def test_labels_that_are_classes_are_counted_too(cli: Cli) -> None:
    result = cli("evaluate", "--json", "--bootstrap", "0", input=csv(score_rows(200)))
    assert result.stderr == "note: labels angry 51, happy 56, neutral 39, sad 54\n"


def test_crossval_says_how_labels_of_all_files_were_read(cli: Cli, tmp_path: Path) -> None:
    rows = lettered()
    rows.head(100).write_csv(tmp_path / "a.csv")
    rows.tail(100).write_csv(tmp_path / "b.csv")
    files = [tmp_path / "a.csv", tmp_path / "b.csv"]
    folder = tmp_path / "thresholds"
    options = ["--method", "speech", "--json", "--label-map", MAP, "--thresholds-out", folder]
    result = cli("crossval", *files, *options)
    assert result.exit_code == 0 and result.stderr.startswith(f"note: labels {LABELS}\n")
    found = json.loads(result.stdout)["labels"]
    assert (found["read"]["angry"], found["dropped"]) == ({"W": 51}, {"L": 10})
    fitted = tomllib.loads((folder / "a.toml").read_text())["fitted"]
    assert fitted["labels"] == found


def test_evaluate_says_how_many_rows_it_leaves_out_and_why(cli: Cli, tmp_path: Path) -> None:
    rows = lettered().with_columns(status=pl.lit("ok"), number=pl.int_range(pl.len()))
    scores = [name for name in rows.columns if name.startswith("speech_")]
    failed, unscored = pl.col("number") >= 197, pl.col("number") == 190
    rows = rows.with_columns(
        pl.when(pl.col("number") < 4).then(pl.lit(" ")).otherwise("label").alias("label"),
        pl.when(failed).then(pl.lit("error")).otherwise("status").alias("status"),
        *(pl.when(~(failed | unscored)).then(name).alias(name) for name in scores),
    )
    dropped = rows.filter(pl.col("label") == "L").height
    result = cli("evaluate", "--json", "--label-map", MAP, input=csv(rows))
    assert result.exit_code == 0, result.stderr
    said = (
        f"note: {8 + dropped} of 200 rows are left out: 4 without a label, {dropped} with a "
        "dropped label, 3 that failed, of which column 'error' says why, 1 without scores\n"
    )
    assert said in result.stderr
    found = json.loads(result.stdout)
    wanted = {"unlabelled": 4, "dropped": dropped, "failed": 3, "unscored": 1}
    assert found["left_out_by_reason"] == wanted
    assert found["rows"] == 200 - sum(wanted.values())
    figures = tmp_path / "figures.csv"
    assert cli("evaluate", "--label-map", MAP, "-o", figures, input=csv(rows)).exit_code == 0
    assert stored.metadata(str(figures))["labels"] == found["labels"]


def test_the_report_has_a_section_of_labels(cli: Cli, tmp_path: Path) -> None:
    final, page = decided(cli, lettered(), tmp_path), tmp_path / "report.html"
    result = cli("report", final, "-o", page, "--label-map", MAP)
    assert result.exit_code == 0 and result.stderr.startswith(f"note: labels {LABELS}\n")
    shown = Page(page.read_text(encoding="utf-8"))
    table = next(each for each in shown.tables.values() if "read as" in each.header)
    assert table.rows == [
        ["W", "angry", "51"],
        ["F", "happy", "56"],
        ["N", "neutral", "29"],
        ["T", "sad", "54"],
        ["L", "dropped", "10"],
    ]
    assert f"{LEFT_OUT}." in shown.text


@pytest.mark.parametrize("command", ["calibrate", "evaluate", "crossval", "report"])
def test_an_error_about_labels_has_a_map_that_works(cli: Cli, tmp_path: Path, command: str) -> None:
    odd = {"angry": "angri", "sad": "tired, very", "neutral": 'don\'t "know"'}
    rows = score_rows(200).with_columns(
        pl.col("label").replace(odd), fold=pl.int_range(pl.len()) % 2
    )
    # As like happy as a typo of it.
    first = pl.int_range(pl.len()) < 20
    rows = rows.with_columns(label=pl.when(first).then(pl.lit("unhappy")).otherwise("label"))
    tables = {"report": decided(cli, rows, tmp_path)}
    rows.write_csv(tmp_path / "scores.csv")
    table = tables.get(command, tmp_path / "scores.csv")
    more = {"report": ["-o", tmp_path / "r.html"], "crossval": ["--method", "speech"]}
    arguments = [command, table, *more.get(command, [])]
    said = refusal(cli(*arguments))
    for remedy in ("--label-map ", "--where", "--label-column", "--classes"):
        assert remedy in said
    whole = said.split("--label-map ")[1].rsplit(" (none drops a label", 1)[0]
    again = cli(*arguments, "--label-map", *shlex.split(whole))
    assert again.exit_code == 0, again.stderr
    assert re.search(r"angri \d+ -> angry", again.stderr)
    assert "dropped " in again.stderr and "unhappy 20" in again.stderr.split("dropped ")[1]


def test_the_map_of_an_error_has_what_was_given(cli: Cli) -> None:
    said = refusal(cli("evaluate", "--label-map", "W=sad", input=csv(lettered())))
    assert "labels outside angry, happy, neutral, sad: F (56), T (54), N (29), L (10)" in said
    assert "--label-map w=sad,F=happy,T=sad,N=neutral,L=none (none drops a label, as EmoDB" in said


def test_a_column_of_names_is_no_column_of_labels(cli: Cli) -> None:
    said = refusal(cli("evaluate", "--label-column", "id", input=csv(score_rows(200))))
    assert "(200 in all)" in said and "--label-column" in said
    assert "--label-map" not in said and len(said) < 500


def test_dropping_every_label_leaves_nothing_and_says_so(cli: Cli) -> None:
    rows = csv(score_rows(200).with_columns(label=pl.lit("W")))
    for command in ("evaluate", "calibrate"):
        said = refusal(cli(command, "--label-map", "W=none", input=rows))
        assert "dropped" in said and "W 200" in said


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("W1=angry", "no label 'w1'; did you mean W=angry?"),
        ("anrgy=none", "no label 'anrgy'; did you mean angry=none?"),
        ("Q=none", "no label 'q'; its labels are F, T, W, N, L"),
        ("W=anrgy", "did you mean W=angry?"),
        ("W=sad", "'W' is given as angry and as sad"),
    ],
)
@pytest.mark.parametrize("command", ["calibrate", "evaluate", "crossval", "report"])
def test_an_entry_for_no_label_is_refused(
    cli: Cli, tmp_path: Path, command: str, pair: str, said: str
) -> None:
    rows = lettered().with_columns(fold=pl.int_range(pl.len()) % 2)
    more = ["-o", tmp_path / "r.html"] if command == "report" else []
    if command == "report":
        rows = pl.read_csv(decided(cli, rows, tmp_path), infer_schema=False)
    result = cli(command, *more, "--label-map", f"{MAP},{pair}", input=csv(rows))
    assert said in refusal(result)


def test_an_entry_may_be_for_rows_that_where_leaves_out_or_for_a_known_emotion(cli: Cli) -> None:
    options = ["--where", "label != 'L'", "--label-map", f"{MAP},hap=none,fear=none"]
    result = cli("evaluate", "--json", *options, input=csv(lettered()))
    assert result.exit_code == 0, result.stderr


def test_a_models_label_map_is_held_against_its_labels(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    for option in ("--label-map", "--text-label-map"):
        entry = "hapy2=happy" if option == "--label-map" else "positiv2=positive"
        result = cli("score", tmp_path / "m.csv", "--models", "demo", option, entry)
        assert result.exit_code == 1
        assert f"{option} {entry}" in result.stderr and "did you mean" in result.stderr


# A newcomer's corpus.

CORPUS = {"file": "path", "emotion": "label", "spk": "speaker", "text": "transcript"}
OPTIONS = [f"--{meaning}-column={name}" for name, meaning in CORPUS.items()]


def named_like_emodb(folder: Path, clips: int) -> pl.DataFrame:
    """Clips of the demo under EmoDB's names, with a manifest that has its letters."""
    rows = corpus.make_demo_rows(7, clips)
    files = corpus.write_clips(rows, folder / "wav")
    entries = []
    for number, (row, file) in enumerate(zip(rows, files, strict=True)):
        letter = "L" if number % 6 == 0 else LETTERS[row.label]
        name = f"{3 + number % 4:02}a{number:02}{letter}a{file.suffix}"
        file.rename(folder / "wav" / name)
        text = row.text if number % 2 else ""
        entries.append({"file": f"wav/{name}", "emotion": letter, "spk": name[:2], "text": text})
    manifest = pl.DataFrame(entries)
    manifest.write_csv(folder / "emodb.csv")
    return manifest


@pytest.fixture(scope="module")
def emodb(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pl.DataFrame]:
    folder = tmp_path_factory.mktemp("emodb")
    return folder, named_like_emodb(folder, 24)


def test_a_newcomers_script_goes_from_letters_to_a_report(
    cli: Cli, emodb: tuple[Path, pl.DataFrame]
) -> None:
    folder, manifest = emodb
    names = ("emodb.csv", "scores.parquet", "t.toml", "final.csv", "report.html")
    listed, table, thresholds, final_table, page = (folder / name for name in names)

    def run(*arguments: object) -> Result:
        done = cli(*arguments)
        assert done.exit_code == 0, done.stderr
        return done

    run("score", listed, "--models", "demo", *OPTIONS, "-o", table)
    said = refusal(cli("calibrate", table, "-o", thresholds))
    whole = shlex.split(said.split("--label-map ")[1].split(" (none")[0])
    run("calibrate", table, "--label-map", *whole, "-o", thresholds)
    run("apply", table, "-t", thresholds, "-o", final_table)
    measured = run("evaluate", final_table, "--label-map", *whole, "--json")
    run("report", final_table, "-t", thresholds, "--label-map", *whole, "-o", page)
    scores = pl.read_parquet(table)
    assert scores.select(manifest.columns).equals(manifest)
    assert scores["path"].equals(manifest["file"], check_names=False)
    assert scores["id"].equals(manifest["file"], check_names=False)
    assert scores["speaker"].equals(manifest["spk"], check_names=False)
    given = scores.filter(pl.col("text") != "")
    assert given["transcript"].equals(given["text"], check_names=False)
    sources = set(given["transcript_source"]), set(scores["status"])
    assert sources == ({"manifest"}, {"ok"})
    assert "manifest" not in set(scores.filter(pl.col("text") == "")["transcript_source"])
    counts = dict(manifest["emotion"].value_counts().rows())
    names = {"W": "angry", "F": "happy", "N": "neutral", "T": "sad"}
    read = ", ".join(f"{key} {counts[key]} -> {name}" for key, name in names.items())
    column = "(column 'manifest_emotion')"
    assert f"note: labels {read}; dropped L 4 {column}" in measured.stderr
    final = pl.read_csv(final_table, infer_schema=False)
    assert final["manifest_emotion"].equals(manifest["emotion"], check_names=False)
    assert set(final["emotion"]) <= set(names.values())
    figures = json.loads(measured.stdout)
    assert figures["rows"] == 20 and figures["left_out_by_reason"]["dropped"] == 4
    assert "dropped" in Page(page.read_text(encoding="utf-8")).text


def as_scored(rows: pl.DataFrame) -> pl.DataFrame:
    """With what tells a table of `score` from another program's."""
    return rows.with_columns(status=pl.lit("ok"), transcript_source=pl.lit("asr"))


def test_a_manifests_emotion_is_no_prediction(cli: Cli) -> None:
    rows = csv(as_scored(lettered("emotion").with_columns(label=pl.lit("sad"))))
    for options in (["--label-column", "emotion", "--label-map", MAP], []):
        result = cli("evaluate", "--json", *options, input=rows)
        assert result.exit_code == 0, result.stderr
        assert "after" not in json.loads(result.stdout)
    by = json.loads(cli("evaluate", "--json", "--by", "emotion", input=rows).stdout)["by"]
    assert sorted(by) == ["F", "L", "N", "T", "W"]


def test_apply_keeps_a_manifests_emotion_under_another_name(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(LOOSE_TOML, encoding="utf-8")
    rows = as_scored(lettered("emotion"))
    result = cli("apply", "-t", tmp_path / "t.toml", input=csv(rows))
    assert result.stderr == (
        "note: column 'emotion' holds no decisions and is kept as 'manifest_emotion'\n"
    )
    final = pl.read_csv(result.stdout.encode(), infer_schema=False)
    assert final["manifest_emotion"].equals(rows["emotion"], check_names=False)
    said = refusal(cli("evaluate", "--label-column", "emotion", input=result.stdout))
    assert "holds predictions" in said and "'manifest_emotion'" in said
    again = cli("apply", "-t", tmp_path / "t.toml", input=result.stdout)
    assert (again.exit_code, again.stderr, again.stdout) == (0, "", result.stdout)
    both = csv(rows.with_columns(manifest_emotion=pl.lit("x")))
    assert "rename one of them" in refusal(cli("apply", "-t", tmp_path / "t.toml", input=both))


@pytest.mark.parametrize(
    ("header", "options", "said"),
    [
        ("clip,x", [], "name theirs with --path-column; the columns are clip, x"),
        ("file,x", ["--path-column", "fil"], "no column 'fil', which --path-column names; did you"),
        ("path,emo", ["--label-column", "emotion"], "no column 'emotion', which --label-column"),
        ("path,file", ["--path-column", "file"], "has a column 'path' beside 'file'"),
        ("path,transcript,text", ["--transcript-column", "text"], "'transcript' beside 'text'"),
        ("path,manifest_emotion", [], "emobatch itself writes: manifest_emotion"),
        ("path,sentiment", ["--label-column", "sentiment"], "emobatch itself writes: sentiment"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused(
    cli: Cli, tmp_path: Path, header: str, options: list[str], said: str
) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"{header}\n{','.join('abc'[: header.count(',') + 1])}\n")
    result = cli("score", manifest, "--models", "demo", *options)
    assert result.exit_code == 1 and said in result.stderr


def test_score_is_silent_about_labels_and_leaves_them_as_they_are(cli: Cli, tmp_path: Path) -> None:
    labels = ["W", "  Angry ", "", "no emotion at all", "-1"]
    manifest = pl.DataFrame({"path": [f"{n}.wav" for n in range(5)], "label": labels})
    manifest.write_csv(tmp_path / "m.csv")
    result = cli("score", tmp_path / "m.csv", "--models", "demo", "--text-model", "demo")
    scores = pl.read_csv(result.stdout.encode(), infer_schema=False)
    assert scores["label"].fill_null("").to_list() == labels
    assert "labels" not in result.stderr
