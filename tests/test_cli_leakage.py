from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refusal
from samples import csv, score_rows

from emobatch.splits import leakage
from emobatch.splits.duplicates import near_pairs

Cli = Callable[..., Result]
MANIFEST = Path(__file__).parents[1] / "manifests" / "iemocap4.csv"
SENTENCE = "I told you I would be here at nine."


def found(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def leaks(cli: Cli, rows: pl.DataFrame, *options: object) -> list[dict[str, Any]]:
    return found(cli("leakage", "-", "--json", *options, input=csv(rows)))["shared"]


def with_values(column: str, train: list[str | None], test: list[str | None]) -> pl.DataFrame:
    splits = ["train"] * len(train) + ["test"] * len(test)
    return pl.DataFrame({column: [*train, *test], "split": splits})


def iemocap_folds(cli: Cli, tmp_path: Path, scheme: str) -> Path:
    folder = tmp_path / f"{scheme}.parquet"
    assert cli("folds", MANIFEST, "--scheme", scheme, "-o", folder).exit_code == 0
    return folder


def test_the_scripts_that_iemocap10_shares_are_named(cli: Cli, tmp_path: Path) -> None:
    folds = iemocap_folds(cli, tmp_path, "iemocap10")
    result = found(cli("leakage", folds, "--json"))
    scripts = pl.read_csv(MANIFEST).group_by("session").agg(pl.col("script").unique())
    by_session = dict(scripts.iter_rows())
    assert {entry["kind"] for entry in result["summary"]} == {"script"}
    assert [entry["fold"] for entry in result["summary"]] == [str(n) for n in range(1, 11)]
    for entry in result["summary"]:
        session = (int(entry["fold"]) + 1) // 2
        elsewhere = {name for other in by_session if other != session for name in by_session[other]}
        assert set(entry["values"]) == set(by_session[session]) & elsewhere
        assert entry["percent"] == 100


def test_speaker_and_script_folds_share_nothing(cli: Cli, tmp_path: Path) -> None:
    folds = iemocap_folds(cli, tmp_path, "speaker+script")
    result = cli("leakage", folds, "--strict", "--against", "train+val")
    assert result.exit_code == 0
    assert "looked at: speaker, script, dialogue, session, path" in result.stdout
    assert result.stdout.splitlines()[-1] == "nothing"


def test_strict_shows_what_is_shared_and_fails(cli: Cli) -> None:
    rows = with_values("speaker", ["a", "b"], ["b", "c"])
    result = cli("leakage", "-", "--strict", input=csv(rows))
    assert result.exit_code == 1
    assert "speaker" in result.stdout
    assert result.stderr.startswith("Error: train and test share 1 speaker;")
    assert result.stderr.count("\n") == 1


names = st.none() | st.sampled_from(["a", "b", "c", "d", " "])
split_names = st.sampled_from(["train", "val", "test", "", "Dev"])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("12"), names, split_names), max_size=25))
def test_what_is_shared_is_the_intersection_of_sets(
    rows: list[tuple[str, str | None, str]],
) -> None:
    table = pl.DataFrame(rows, schema=["fold", "speaker", "split"], orient="row")
    marked = leakage.marked(table.cast(pl.String).lazy(), "split", "fold")
    shared = leakage.shared(marked, {"speaker": "speaker"}, "train+val")
    wanted = set()
    for fold in "12":
        values = {
            side: [name for f, name, split in rows if f == fold and name and name.strip()
                   and split in splits]
            for side, splits in {"train": ("train", "val", "Dev"), "test": ("test",)}.items()
        }  # fmt: skip
        for name in set(values["train"]) & set(values["test"]):
            wanted.add((fold, name, values["train"].count(name), values["test"].count(name)))
    assert set(shared.select("fold", "value", "train_rows", "test_rows").iter_rows()) == wanted


def test_folds_are_looked_at_apart(cli: Cli) -> None:
    one = with_values("speaker", ["a"], ["b"]).with_columns(fold=pl.lit("1"))
    two = with_values("speaker", ["b"], ["a"]).with_columns(fold=pl.lit("2"))
    assert leaks(cli, pl.concat([one, two])) == []
    assert len(leaks(cli, pl.concat([one, two]).drop("fold"))) == 2


def test_what_is_shared_is_listed_by_fold_kind_and_value(cli: Cli) -> None:
    names = [f"n{number}" for number in range(9, -1, -1)]
    rows = with_values("script", names, names).with_columns(speaker="script")
    folds = pl.concat([rows.with_columns(fold=pl.lit(fold)) for fold in ("10", "9")])
    listed = [(leak["fold"], leak["kind"], leak["value"]) for leak in leaks(cli, folds)]
    kinds = ("speaker", "script")
    assert listed == [(f, k, name) for f in ("9", "10") for k in kinds for name in sorted(names)]


def test_val_counts_only_when_asked_for(cli: Cli) -> None:
    rows = pl.DataFrame({"speaker": ["a", "b", "b"], "split": ["train", "validation", "test"]})
    assert leaks(cli, rows) == []
    for against in ("val", "train+val"):
        assert [leak["value"] for leak in leaks(cli, rows, "--against", against)] == ["b"]


def test_other_columns_can_be_named(cli: Cli) -> None:
    rows = with_values("actor", ["a", "b"], ["b"]).rename({"split": "part"})
    options = ["--split-column", "part", "--column", "actor"]
    assert [leak["kind"] for leak in leaks(cli, rows, *options)] == ["actor"]


def test_equal_transcripts_are_found_whatever_the_punctuation(cli: Cli) -> None:
    rows = with_values("transcript", [SENTENCE], ["i told you, I would be here  at NINE"])
    (leak,) = leaks(cli, rows)
    assert (leak["kind"], leak["value"]) == ("transcript", "i told you i would be here at nine")


def test_nearly_equal_transcripts_are_found(cli: Cli) -> None:
    rows = with_values(
        "transcript",
        ["Did you get my letter in the mail?", "Nothing like it was said before then."],
        ["Did you get my letters in the mail?"],
    )
    (leak,) = leaks(cli, rows)
    assert leak["kind"] == "near transcript"
    assert leak["value"] == "did you get my letters in the mail"
    assert leak["like"] == "did you get my letter in the mail"
    assert 0.9 <= leak["similarity"] < 1
    assert leaks(cli, rows, "--similarity", "0.99") == []


LETTER = "Did you get my letter in the mail?"


def test_of_several_like_it_the_nearest_is_named_and_all_are_counted(cli: Cli) -> None:
    far, near = "Did you get my letter?", "Did you get my letters in the mail?"
    rows = with_values("transcript", [far, near, near], [LETTER])
    (leak,) = leaks(cli, rows, "--similarity", "0.7")
    assert leak["like"] == "did you get my letters in the mail"
    assert (leak["train_rows"], leak["test_rows"]) == (3, 1)


def test_what_is_shared_as_it_is_is_not_listed_as_nearly_so(cli: Cli) -> None:
    rows = with_values("transcript", [LETTER, LETTER.replace("letter", "letters")], [LETTER])
    assert [leak["kind"] for leak in leaks(cli, rows)] == ["transcript"]


def test_rows_of_no_split_take_no_part(cli: Cli) -> None:
    rows = pl.DataFrame({"speaker": ["a", "b", "b", "b"], "split": ["train", "test", "", None]})
    assert leaks(cli, rows) == []


def test_what_everyone_says_is_no_leak(cli: Cli) -> None:
    rows = with_values("transcript", ["Yeah.", "I don't know."], ["Yeah.", "I don't know."])
    assert leaks(cli, rows) == []
    assert len(leaks(cli, rows, "--min-words", "1")) == 2


def test_a_reference_is_believed_before_a_recognised_transcript(cli: Cli) -> None:
    rows = with_values("transcript", [SENTENCE], ["she cold shoe high wood bee hear"])
    rows = rows.with_columns(reference=pl.Series([None, SENTENCE]))
    assert [leak["kind"] for leak in leaks(cli, rows)] == ["transcript"]


def cosine(one: str, other: str) -> float:
    """Of counts of four characters in a row, each word by itself with a space on either side."""
    counts = []
    for text in (one, other):
        padded = [f" {word} " for word in text.split()]
        counts.append(
            Counter(word[i : i + 4] for word in padded for i in range(max(1, len(word) - 3)))
        )
    dot = sum(counts[0][gram] * counts[1][gram] for gram in counts[0])
    return dot / math.prod(math.sqrt(sum(n * n for n in count.values())) for count in counts)


words = st.lists(st.sampled_from(["stay", "staying", "letter", "letters", "a"]), min_size=1)
texts = st.lists(words.map(" ".join), min_size=1, max_size=6, unique=True)


@settings(max_examples=30)
@given(texts, texts)
def test_near_pairs_are_those_of_the_formula(some: list[str], others: list[str]) -> None:
    pairs = near_pairs(some, others, 0.7)
    found = {(one, other): similarity for one, other, similarity in pairs.iter_rows()}
    assert all(one != other for one, other in found)
    for one in some:
        for other in others:
            wanted = cosine(one, other)
            if one != other and abs(wanted - 0.7) > 1e-6:
                assert ((one, other) in found) == (wanted > 0.7)
            if (one, other) in found:
                assert found[one, other] == pytest.approx(wanted, abs=1e-6)


def audio_rows(tmp_path: Path, contents: dict[str, bytes]) -> pl.DataFrame:
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return with_values("path", ["a.wav", "b.wav"], ["c.wav", "d.wav"])


def test_files_of_equal_content_are_found(cli: Cli, tmp_path: Path) -> None:
    contents = {"a.wav": b"one", "b.wav": b"two", "c.wav": b"two", "d.wav": b"three"}
    rows = audio_rows(tmp_path, contents)
    (leak,) = leaks(cli, rows, "--audio", "--root", tmp_path)
    assert (leak["kind"], leak["value"], leak["like"]) == ("audio", "c.wav", "b.wav")


def test_files_that_begin_alike_are_told_apart(cli: Cli, tmp_path: Path) -> None:
    head = bytes(1 << 20)
    contents = {f"{name}.wav": head + name.encode() for name in "abcd"}
    assert leaks(cli, audio_rows(tmp_path, contents), "--audio", "--root", tmp_path) == []


def test_audio_is_left_alone_unless_asked_for(cli: Cli, tmp_path: Path) -> None:
    rows = audio_rows(tmp_path, dict.fromkeys(("a.wav", "b.wav", "c.wav", "d.wav"), b"one"))
    assert leaks(cli, rows, "--root", tmp_path) == []


def test_paths_are_relative_to_the_tables_folder(cli: Cli, tmp_path: Path) -> None:
    rows = audio_rows(tmp_path, {"a.wav": b"one", "c.wav": b"one"})
    rows.write_csv(tmp_path / "manifest.csv")
    result = cli("leakage", tmp_path / "manifest.csv", "--audio", "--json")
    assert [leak["value"] for leak in found(result)["shared"]] == ["c.wav"]


def test_missing_audio_is_counted(
    cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = audio_rows(tmp_path, {"a.wav": b"one"})
    assert leaks(cli, rows, "--audio", "--root", tmp_path) == []
    assert f"note: 3 of 4 audio files are not in {tmp_path}" in caplog.messages


def test_segments_of_one_file_share_it(cli: Cli) -> None:
    rows = with_values("path", ["a.wav", "b.wav"], ["b.wav"])
    assert [leak["kind"] for leak in leaks(cli, rows)] == ["path"]


@pytest.mark.parametrize("extension", ["csv", "jsonl", "parquet"])
def test_a_table_has_a_row_for_each_thing_shared(cli: Cli, tmp_path: Path, extension: str) -> None:
    rows = with_values("speaker", ["a", "b", "b"], ["b", "a"])
    target = tmp_path / f"leaks.{extension}"
    result = cli("leakage", "-", "-o", target, input=csv(rows))
    assert (result.exit_code, result.stdout) == (0, "")
    readers = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}
    table = readers[extension](target)
    assert table.select("value", "train_rows", "test_rows").rows() == [("a", 1, 1), ("b", 2, 1)]


def test_a_json_file_has_what_json_prints(cli: Cli, tmp_path: Path) -> None:
    rows = csv(with_values("speaker", ["a", "b"], ["b"]))
    assert cli("leakage", "-", "-o", tmp_path / "leaks.json", input=rows).exit_code == 0
    printed = found(cli("leakage", "-", "--json", input=rows))
    assert json.loads((tmp_path / "leaks.json").read_text()) == printed


def test_the_table_for_people_has_the_same_figures(cli: Cli) -> None:
    rows = with_values("speaker", list("aabcdefg"), [*"abcdef", "z", "z"])
    shown = cli("leakage", "-", input=csv(rows)).stdout.splitlines()
    assert "all speaker 6 6 75.00 a, b, c, d, e, …" in [" ".join(line.split()) for line in shown]
    five = with_values("speaker", list("abcde"), list("abcde"))
    shown = cli("leakage", "-", input=csv(five)).stdout.splitlines()
    assert "all speaker 5 5 100.00 a, b, c, d, e" in [" ".join(line.split()) for line in shown]


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (with_values("speaker", ["a"], ["a"]).drop("split"), [], "no column 'split'"),
        (with_values("speaker", ["a"], []), [], "no row of column 'split' is test"),
        (with_values("speaker", [], ["a"]), [], "no row of column 'split' is train"),
        (with_values("speaker", ["a"], ["a"]), ["--against", "val"], "is val"),
        (with_values("other", ["a"], ["a"]), [], "name one with --column"),
        (with_values("other", ["a"], ["a"]), ["--column", "x"], "no column 'x'"),
        (with_values("other", ["a"], ["a"]), ["--fold-column", "x"], "no column 'x'"),
        (with_values("other", ["a"], ["a"]), ["--audio"], "no column 'path'"),
        (with_values("path", ["a"], ["b"]), ["--audio"], "say with --root"),
        (with_values("speaker", ["a"], ["a"]), ["--split-column", "speaker"], "a (2)"),
        (with_values("speaker", ["a"], ["a"]), ["-o", "x.txt"], "name it .json"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    cli: Cli, rows: pl.DataFrame, options: list[str], said: str
) -> None:
    assert said in refusal(cli("leakage", "-", *options, input=csv(rows)))


def scored_splits(test_speaker: str) -> pl.DataFrame:
    splits = ["train"] * 30 + ["test"] * 10
    speakers = ["a"] * 30 + [test_speaker] * 10
    rows = score_rows(40).drop("session")
    return rows.with_columns(split=pl.Series(splits), speaker=pl.Series(speakers))


@pytest.mark.parametrize("command", ["evaluate", "crossval"])
def test_commands_that_measure_warn_by_themselves(
    cli: Cli, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    assert cli(command, input=csv(scored_splits("a"))).exit_code == 0
    warned = [text for text in caplog.messages if "train and test share" in text]
    assert len(warned) == 1
    assert "share 1 speaker;" in warned[0]


@pytest.mark.parametrize("command", ["evaluate", "crossval"])
def test_nothing_is_warned_of_where_nothing_is_shared(
    cli: Cli, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    assert cli(command, input=csv(scored_splits("b"))).exit_code == 0
    assert "share" not in caplog.text


def test_a_warning_goes_by_folds_and_counts_each_thing_once(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    apart = [scored_splits("b"), scored_splits("a").with_columns(speaker=pl.lit("c"))]
    folds = [part.with_columns(fold=pl.lit(name)) for part, name in zip(apart, "12", strict=True)]
    # In the second fold all is spoken by one.
    assert cli("evaluate", input=csv(folds[0])).exit_code == 0
    swapped = folds[0].with_columns(
        fold=pl.lit("2"), split=pl.col("split").replace({"train": "test", "test": "train"})
    )
    assert cli("evaluate", input=csv(pl.concat([folds[0], swapped]))).exit_code == 0
    assert "share" not in caplog.text
    again = folds[1].with_columns(fold=pl.lit("3"))
    assert cli("evaluate", input=csv(pl.concat([*folds, again]))).exit_code == 0
    assert "train and test share 1 speaker;" in caplog.text


def test_crossval_warns_by_its_own_folds(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    one = scored_splits("b").with_columns(part=pl.lit("1"))
    other = {"train": "test", "test": "train"}
    two = one.with_columns(part=pl.lit("2"), split=pl.col("split").replace(other))
    options = ("--by", "part", "--method", "speech")
    assert cli("crossval", *options, input=csv(pl.concat([one, two]))).exit_code == 0
    assert "share" not in caplog.text


def test_a_column_of_lists_is_nobodys_name(cli: Cli, tmp_path: Path) -> None:
    rows = scored_splits("b").with_columns(script=pl.lit([1, 2]))
    rows.write_parquet(tmp_path / "scores.parquet")
    assert cli("evaluate", tmp_path / "scores.parquet").exit_code == 0


def test_evaluate_warns_of_rows_that_where_leaves_out(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    rows = csv(scored_splits("a"))
    assert cli("evaluate", "--where", "split = 'test'", input=rows).exit_code == 0
    assert "train and test share 1 speaker" in caplog.text


def test_a_split_column_of_another_meaning_stops_no_evaluation(cli: Cli) -> None:
    rows = scored_splits("a").with_columns(split=pl.lit("odd"))
    assert cli("evaluate", input=csv(rows)).exit_code == 0
