from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
import polars as pl
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refusal
from samples import csv, score_rows
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from emobatch.labels import EMOTIONS
from emobatch.metrics import metrics
from emobatch.uncertainty import SPEECH_COLUMNS, with_uncertainty

Cli = Callable[..., Result]


def final_rows(count: int = 60) -> pl.DataFrame:
    """A final table that is half right, with a column to go by."""
    rows = with_uncertainty(score_rows(count).lazy()).collect()
    emotion = pl.when(pl.int_range(pl.len()) % 4 == 0).then("label").otherwise("speech_emotion")
    return rows.with_columns(emotion=emotion)


def figures(labels: pl.Series, predictions: pl.Series) -> dict[str, float]:
    """What scikit-learn says, in percent."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of predicted classes that no row is labelled with
        found = {
            "UA": balanced_accuracy_score(labels, predictions),
            "WA": accuracy_score(labels, predictions),
            "F1": f1_score(labels, predictions, average="macro"),
        }
    return {name: round(100 * float(value), 2) for name, value in found.items()}


def measured(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def evaluate(cli: Cli, rows: pl.DataFrame, *options: str) -> dict[str, Any]:
    return measured(cli("evaluate", "--json", *options, input=csv(rows)))


emotions = st.sampled_from(EMOTIONS)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(emotions, emotions), min_size=1, max_size=40))
def test_figures_equal_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    labels, predictions = (pl.Series(column) for column in zip(*pairs, strict=True))
    assert metrics(labels, predictions) == figures(labels, predictions)


def test_the_json_has_the_contracts_shape(cli: Cli) -> None:
    rows = final_rows()
    assert evaluate(cli, rows) == {
        "rows": 60,
        "before": figures(rows["label"], rows["speech_emotion"]),
        "after": figures(rows["label"], rows["emotion"]),
    }


def test_the_json_is_one_line_and_nothing_else(cli: Cli) -> None:
    result = cli("evaluate", "--json", input=csv(final_rows()))
    assert result.stdout.count("\n") == 1


def test_a_table_without_final_emotions_has_no_after(cli: Cli) -> None:
    found = evaluate(cli, score_rows(20))
    assert set(found) == {"rows", "before"}


def test_a_table_without_speech_scores_has_no_before(cli: Cli) -> None:
    found = evaluate(cli, final_rows().select("label", "emotion"))
    assert set(found) == {"rows", "after"}


def test_each_value_of_a_column_is_measured(cli: Cli) -> None:
    rows = final_rows()
    found = evaluate(cli, rows, "--by", "session")
    assert list(found["by"]) == ["1", "2", "3"]
    for value, group in found["by"].items():
        assert group == evaluate(cli, rows.filter(pl.col("session") == value))
    del found["by"]
    assert found == evaluate(cli, rows)


@pytest.mark.parametrize("column", ["label", "emotion", "speech_emotion"])
def test_what_is_measured_can_be_gone_by(cli: Cli, column: str) -> None:
    rows = final_rows()
    found = evaluate(cli, rows, "--by", column)["by"]
    assert {name: group["rows"] for name, group in found.items()} == dict(
        rows[column].value_counts().iter_rows()
    )


def test_rows_without_a_value_to_go_by_come_last(cli: Cli) -> None:
    rows = final_rows().with_columns(session=pl.col("session").replace("1", None))
    found = evaluate(cli, rows, "--by", "session")["by"]
    assert [group["rows"] for group in found.values()] == [20, 20, 20]
    assert list(found)[:2] == ["2", "3"]


def test_unlabelled_rows_do_not_count(cli: Cli) -> None:
    rows = final_rows()
    unlabelled = rows.with_columns(label=pl.lit(None, dtype=pl.String))
    blank = rows.with_columns(label=pl.lit(""))
    assert evaluate(cli, pl.concat([unlabelled, rows, blank])) == evaluate(cli, rows)


def test_labelled_rows_without_scores_are_left_out_and_counted(cli: Cli) -> None:
    rows = final_rows()
    unscored = rows.head(7).with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in SPEECH_COLUMNS),
        emotion=pl.lit(None, dtype=pl.String),
    )
    found = evaluate(cli, pl.concat([rows, unscored]))
    assert found.pop("left_out") == 7
    assert found == evaluate(cli, rows)


def test_labels_and_emotions_of_any_spelling_are_read(cli: Cli) -> None:
    rows = final_rows()
    short = {"angry": "ANG", "happy": "exc", "neutral": "N", "sad": "Sadness"}
    spelt = rows.with_columns(pl.col("label", "emotion").replace(short))
    assert evaluate(cli, spelt) == evaluate(cli, rows)


def with_transcripts(references: list[str | None], transcripts: list[str | None]) -> pl.DataFrame:
    return final_rows(len(references)).with_columns(
        reference=pl.Series(references, dtype=pl.String),
        transcript=pl.Series(transcripts, dtype=pl.String),
    )


def test_word_error_rate_equals_jiwers(cli: Cli) -> None:
    said = ["The cat sat.", "no  more, please!", "well done", "HELLO"]
    heard = ["the bat sat on", "no more please", None, "hello"]
    wanted = jiwer.wer(
        ["the cat sat", "no more please", "well done", "hello"],
        ["the bat sat on", "no more please", "", "hello"],
    )
    found = evaluate(cli, with_transcripts(said, heard))
    assert found["wer"] == pytest.approx(100 * wanted, abs=0.005)


def test_rows_without_a_reference_do_not_count_for_the_word_error_rate(cli: Cli) -> None:
    rows = with_transcripts([None, "", " ... ", "one two"], ["noise", "noise", "noise", "one"])
    assert evaluate(cli, rows)["wer"] == 50


def test_tables_without_any_reference_have_no_word_error_rate(cli: Cli) -> None:
    assert evaluate(cli, with_transcripts([None, None], ["a", "b"])).get("wer") is None
    assert "wer" not in evaluate(cli, final_rows().with_columns(transcript=pl.lit("a")))


def test_word_error_rates_go_by_groups_too(cli: Cli) -> None:
    rows = with_transcripts(["one two", "one two", "one"], ["one", "one two", "one"])
    found = evaluate(cli, rows, "--by", "session")
    assert [group["wer"] for group in found["by"].values()] == [50, 0, 0]


def test_the_table_for_people_has_the_same_figures(cli: Cli) -> None:
    rows = final_rows()
    shown = cli("evaluate", "--by", "session", input=csv(rows)).stdout
    found = evaluate(cli, rows, "--by", "session")
    for group in (found, *found["by"].values()):
        assert f"{group['rows']} rows" in shown
        for stage in ("before", "after"):
            line = "  ".join(f"{value:.2f}" for value in group[stage].values()).split()
            assert any(row.split()[1:] == line for row in shown.splitlines())


def test_an_output_file_is_json(cli: Cli, tmp_path: Path) -> None:
    result = cli("evaluate", "-o", tmp_path / "m.json", input=csv(final_rows()))
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads((tmp_path / "m.json").read_text()) == evaluate(cli, final_rows())


def test_several_files_are_one_table(cli: Cli, tmp_path: Path) -> None:
    rows = final_rows()
    rows[:20].write_parquet(tmp_path / "a.parquet")
    rows[20:].write_ndjson(tmp_path / "b.jsonl")
    found = measured(cli("evaluate", "--json", tmp_path / "*"))
    assert found == evaluate(cli, rows)


def test_where_keeps_rows(cli: Cli) -> None:
    rows = final_rows()
    found = evaluate(cli, rows, "--where", "session != '1'")
    assert found == evaluate(cli, rows.filter(pl.col("session") != "1"))


def test_unknown_labels_are_listed_and_can_be_dropped(cli: Cli) -> None:
    rows = final_rows()
    frustrated = rows.with_columns(label=pl.col("label").replace("sad", "fru"))
    said = refusal(cli("evaluate", input=csv(frustrated)))
    assert f"fru ({(rows['label'] == 'sad').sum()})" in said
    assert "--label-map fru=none" in said
    found = evaluate(cli, frustrated, "--label-map", "fru=none")
    assert found == evaluate(cli, rows.filter(pl.col("label") != "sad"))


@pytest.mark.parametrize(
    ("rows", "arguments", "said"),
    [
        (final_rows().drop("label"), [], "no column 'label'"),
        (final_rows().with_columns(label=pl.lit("")), [], "no row is labelled"),
        (final_rows().clear(), [], "no row is labelled"),
        (final_rows().select("id", "label"), [], "neither speech scores nor final emotions"),
        (final_rows().drop("speech_sad"), [], "no column speech_sad"),
        (final_rows().with_columns(speech_sad=pl.lit(0.9)), [], "row 1 (id 000): "),
        (final_rows().with_columns(emotion=pl.lit("fear")), [], "fear (60)"),
        (final_rows(), ["--by", "speaker"], "no column 'speaker'"),
        (final_rows(), ["--where", "nope = 1"], "no column 'nope'"),
        (final_rows(), ["--where", "session = '9'"], "--where"),
        (final_rows(), ["-o", "m.csv"], "name it .json"),
        (final_rows(), ["missing.csv"], "missing.csv: no such file"),
        (final_rows().with_columns(label=pl.lit("fru")), ["--label-map", "fru=no"], "NAME=CLASS"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    cli: Cli, rows: pl.DataFrame, arguments: list[str], said: str
) -> None:
    assert said in refusal(cli("evaluate", *arguments, input=csv(rows)))


def test_a_remedy_for_an_unknown_final_emotion_works(cli: Cli) -> None:
    afraid = csv(final_rows().with_columns(pl.col("emotion").replace("sad", "fear")))
    said = refusal(cli("evaluate", input=afraid))
    if "--label-map fear=none" in said:
        assert cli("evaluate", "--label-map", "fear=none", input=afraid).exit_code == 0


def test_a_label_map_is_for_labels_and_never_for_predictions(cli: Cli) -> None:
    rows = score_rows(300).with_columns(emotion=pl.col("label"))
    plain = json.loads(
        cli("evaluate", "--json", input=csv(rows.filter(pl.col("label") != "sad"))).stdout
    )
    dropped = cli("evaluate", "--json", "--label-map", "sad=none", input=csv(rows))
    assert json.loads(dropped.stdout) == plain


def test_predictions_are_not_taken_for_labels(cli: Cli) -> None:
    rows = score_rows(30).with_columns(emotion=pl.col("label"))
    said = refusal(cli("evaluate", "--label-column", "emotion", input=csv(rows)))
    assert "holds predictions" in said
