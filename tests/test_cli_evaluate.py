from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import jiwer
import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from samples import EMOTIONS, LOOSE, SPEECH_COLUMNS, csv, score_rows
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
)

from emobatch.cli.main import main
from emobatch.evaluation.metrics import HEADLINE
from emobatch.evaluation.paired_test import mcnemar
from emobatch.fusion.selection.method import Selection
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS

Cli = Callable[..., Result]


def final_rows(count: int = 60) -> pl.DataFrame:
    """A final table that is half right, with a column to go by."""
    rows = with_uncertainty(score_rows(count).lazy(), FOUR).collect()
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
    # How the labels were read is always said, what is left out, and that there are few rows.
    left_out = r"(note: \d+ of \d+ rows? (is|are) left out: .*\n)?"
    assert re.fullmatch(
        rf"note: labels .*\n{left_out}(note: (figures are of|all rows that) .*\n)?", result.stderr
    )
    found = json.loads(result.stdout)
    # Of these two, tests/test_cli_labels.py has the tests.
    assert found.pop("labels")["column"] and found.pop("left_out_by_reason")
    return found


OF_BOTH_STAGES = ("difference", "transitions", "paired_test")


def with_speakers(rows: pl.DataFrame, count: int = 12) -> pl.DataFrame:
    """The same rows, spoken in turn by that many."""
    return rows.with_columns(speaker=pl.format("s{}", pl.int_range(pl.len()) % count))


def evaluate(cli: Cli, rows: pl.DataFrame, *options: str) -> dict[str, Any]:
    return measured(cli("evaluate", "--json", *options, input=csv(rows)))


def test_the_json_has_the_contracts_shape(cli: Cli) -> None:
    rows = final_rows()
    found = evaluate(cli, rows)
    assert found["rows"] == 60
    assert found["before"] == figures(rows["label"], rows["speech_emotion"])
    assert found["after"] == figures(rows["label"], rows["emotion"])


def test_the_json_is_one_line_and_nothing_else(cli: Cli) -> None:
    result = cli("evaluate", "--json", input=csv(final_rows()))
    assert result.stdout.count("\n") == 1


def test_a_table_without_final_emotions_has_no_after(cli: Cli) -> None:
    found = evaluate(cli, score_rows(20))
    assert "before" in found
    assert not {"after", *OF_BOTH_STAGES} & set(found)


def test_a_table_without_speech_scores_has_no_before(cli: Cli) -> None:
    found = evaluate(cli, final_rows().select("label", "emotion"))
    assert "after" in found
    assert not {"before", "calibration_error", "risk_coverage", *OF_BOTH_STAGES} & set(found)


def test_each_value_of_a_column_is_measured(cli: Cli) -> None:
    rows = final_rows()
    found = evaluate(cli, rows, "--by", "session")
    assert list(found["by"]) == ["1", "2", "3"]
    for value, group in found["by"].items():
        alone = evaluate(cli, rows.filter(pl.col("session") == value))
        assert group == {name: alone[name] for name in ("rows", "before", "after")}
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
    others = rows.with_columns(id="other " + pl.col("id"))
    unlabelled = others.with_columns(label=pl.lit(None, dtype=pl.String))
    blank = rows.with_columns(id="blank " + pl.col("id"), label=pl.lit(""))
    assert evaluate(cli, rows)["left_out"] == 0
    assert evaluate(cli, pl.concat([unlabelled, rows, blank])) == evaluate(cli, rows)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("label = 'sad'", "all rows that are measured are labelled sad, so that UA is the recall"),
        ("id < '009'", "figures are of 9 rows; of fewer than 10 they say next to nothing"),
        ("id < '010'", ""),
    ],
)
def test_figures_of_one_class_or_few_rows_are_noted(cli: Cli, where: str, said: str) -> None:
    options = ("--bootstrap", "0", "--where", where)
    noted = cli("evaluate", *options, input=csv(final_rows())).stderr
    assert said in noted
    for words in ("labelled sad", "next to nothing"):
        assert (words in noted) == (words in said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_cannot_be_printed_is_said_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    final_rows().write_parquet(tmp_path / "final.parquet")
    command = ["evaluate", "--bootstrap", "0", str(tmp_path / "final.parquet"), *options]
    # What could not be printed can't be when the file is closed, either.
    with suppress(OSError), Path("/dev/full").open("w") as full, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", full)
        with pytest.raises(click.ClickException, match="standard output: No space left on device;"):
            main(command, standalone_mode=False)


def test_labelled_rows_without_scores_are_left_out_and_counted(cli: Cli) -> None:
    rows = final_rows()
    unscored = rows.head(7).with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in SPEECH_COLUMNS),
        id="other " + pl.col("id"),
        emotion=pl.lit(None, dtype=pl.String),
    )
    found = evaluate(cli, pl.concat([rows, unscored]))
    assert found == evaluate(cli, rows) | {"left_out": 7}


@pytest.mark.parametrize("missing", [["emotion"], list(SPEECH_COLUMNS)])
def test_rows_of_which_one_stage_is_missing_are_left_out_of_both(
    cli: Cli, missing: list[str]
) -> None:
    rows = final_rows()
    partly = rows.head(7).with_columns(
        *(pl.lit(None).cast(rows.schema[name]).alias(name) for name in missing),
        id="other " + pl.col("id"),
    )
    found = evaluate(cli, pl.concat([rows, partly]))
    assert found == evaluate(cli, rows) | {"left_out": 7}


def test_predictions_without_speech_scores_are_not_taken_for_those_before(cli: Cli) -> None:
    found = evaluate(cli, final_rows().select("label", "emotion", "speech_emotion"))
    assert "before" not in found and "after" in found


def test_labels_and_emotions_of_any_spelling_are_read(cli: Cli) -> None:
    rows = final_rows()
    short = {"angry": "ANG", "happy": "exc", "neutral": "NEU", "sad": "Sadness"}
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


def test_symbols_count_for_nothing_in_the_word_error_rate(cli: Cli) -> None:
    rows = with_transcripts(["$5 + 3€ = what?", "a|b"], ["5 3 what", "ab"])
    assert evaluate(cli, rows)["wer"] == 0


def test_rows_without_a_reference_do_not_count_for_the_word_error_rate(cli: Cli) -> None:
    rows = with_transcripts([None, "", " ... ", "one two"], ["noise", "noise", "noise", "one"])
    assert evaluate(cli, rows)["wer"] == 50


def test_rows_without_scores_count_for_the_word_error_rate(cli: Cli) -> None:
    rows = with_transcripts(["one two"] * 4, ["one two"] * 3 + ["one"])
    unscored = pl.int_range(pl.len()) == 3
    rows = rows.with_columns(
        pl.when(~unscored).then(pl.col(name)).alias(name) for name in (*SPEECH_COLUMNS, "emotion")
    )
    assert evaluate(cli, rows)["wer"] == 12.5


def test_the_word_error_rate_is_resampled_by_speaker(cli: Cli) -> None:
    # One of twelve speakers is never understood.
    heard = [None if number % 12 == 0 else "one two" for number in range(120)]
    rows = with_transcripts(["one two"] * 120, heard)
    by_row, by_speaker = evaluate(cli, rows), evaluate(cli, with_speakers(rows))
    assert by_row["wer"] == by_speaker["wer"]
    widths = [found["wer_interval"][1] - found["wer_interval"][0] for found in (by_row, by_speaker)]
    assert widths[1] > 1.5 * widths[0]


def test_tables_without_any_reference_have_no_word_error_rate(cli: Cli) -> None:
    assert evaluate(cli, with_transcripts([None, None], ["a", "b"])).get("wer") is None
    assert "wer" not in evaluate(cli, final_rows().with_columns(transcript=pl.lit("a")))


def test_word_error_rates_go_by_groups_too(cli: Cli) -> None:
    rows = with_transcripts(["one two", "one two", "one"], ["one", "one two", "one"])
    found = evaluate(cli, rows, "--by", "session")
    assert [group["wer"] for group in found["by"].values()] == [50, 0, 0]


CHINESE = (["今天天气很好。", "我们去公园吧", "好"], ["今天天汽很好", "我们去 公园", None])


def test_of_languages_without_spaces_characters_are_counted(cli: Cli) -> None:
    said, heard = CHINESE
    wanted = jiwer.cer(["今天天气很好", "我们去公园吧", "好"], ["今天天汽很好", "我们去公园", ""])
    rows = with_transcripts(said, heard)
    found = evaluate(cli, rows)
    assert found["wer"] is None
    assert found["cer"] == pytest.approx(100 * wanted, abs=0.005)
    assert found["cer_rows"] == 3
    low, high = found["cer_interval"]
    assert low <= found["cer"] <= high
    shown = " ".join(cli("evaluate", input=csv(rows)).stdout.split())
    assert f"character error rate (CER) {found['cer']:.2f} %" in shown
    assert found["cer_normalisation"] in shown
    assert "WER" not in shown


def test_a_table_of_both_kinds_of_languages_has_both_rates_with_their_rows(cli: Cli) -> None:
    said, heard = CHINESE
    mixed = with_transcripts([*said, "one two", None], [*heard, "one", "hm"])
    rows = mixed.with_columns(language=pl.Series(["zh", "zh", "zh", "en", "en"]))
    found = evaluate(cli, rows, "--by", "language")
    alone = evaluate(cli, with_transcripts(said, heard))
    assert (found["wer"], found["wer_rows"]) == (50, 1)
    assert (found["cer"], found["cer_rows"]) == (alone["cer"], 3)
    assert (found["by"]["zh"]["wer"], found["by"]["zh"]["cer"]) == (None, alone["cer"])
    assert found["by"]["en"]["wer"] == 50 and "cer" not in found["by"]["en"]
    shown = cli("evaluate", "--by", "language", input=csv(rows)).stdout
    assert "(WER) of 1 row written with spaces between words: 50.00 %" in shown
    assert f"(CER) of 3 rows written without spaces between words: {alone['cer']:.2f} %" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert any(line[-2:] == ["WER", "CER"] for line in lines)
    assert any(line[:1] == ["zh"] and line[-2:] == ["-", f"{alone['cer']:.2f}"] for line in lines)


def test_the_table_for_people_has_the_same_figures(cli: Cli) -> None:
    rows = final_rows()
    shown = cli("evaluate", "--by", "session", input=csv(rows)).stdout
    lines = [line.split() for line in shown.splitlines()]
    found = evaluate(cli, rows, "--by", "session")
    assert shown.startswith("all: 60 rows\n")
    for stage in ("before", "after"):
        assert [stage, *(f"{value:.2f}" for value in found[stage].values())] in lines
        matrix = found["confusion"][stage]
        assert any(set(map(str, matrix[3])) <= set(line) for line in lines if "sad" in line[:1])
    for name, group in found["by"].items():
        values = [f"{group[s][figure]:.2f}" for figure in HEADLINE for s in ("before", "after")]
        assert [name, str(group["rows"]), *values] in lines
    change = found["transitions"][0]
    counts = [str(change[name]) for name in ("rows", "better", "worse", "neither")]
    assert [change["from"], "→", change["to"], *counts] in lines


def test_no_line_of_the_tables_is_wider_than_80_columns(cli: Cli) -> None:
    rows = with_speakers(final_rows(400))
    shown = cli("evaluate", "--by", "speaker", input=csv(rows)).stdout
    assert max(len(line.rstrip()) for line in shown.splitlines() if "95 %:" not in line) <= 80


def test_an_output_file_is_json(cli: Cli, tmp_path: Path) -> None:
    result = cli("evaluate", "-o", tmp_path / "m.json", input=csv(final_rows()))
    assert (result.exit_code, result.stdout) == (0, "")
    written = json.loads((tmp_path / "m.json").read_text())
    assert written == json.loads(cli("evaluate", "--json", input=csv(final_rows())).stdout)


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
        (final_rows().drop("speech_sad"), ["--classes", "four"], "no column speech_sad"),
        (final_rows().drop("speech_sad"), [], "(angry, happy, neutral) sum to"),
        (final_rows().with_columns(speech_sad=pl.lit(0.9)), [], "row 1 (id 000): "),
        (final_rows().with_columns(emotion=pl.lit("fear")), [], "fear (60)"),
        (final_rows(), ["--by", "speaker"], "no column 'speaker'"),
        (final_rows(), ["--where", "nope = 1"], "no column 'nope'"),
        (final_rows(), ["--where", "session = '9'"], "--where"),
        (final_rows(), ["-o", "m.xlsx"], "name it .json, .csv"),
        (final_rows(), ["missing.csv"], "missing.csv: no such file"),
        (final_rows().with_columns(label=pl.lit("fru")), ["--label-map", "fru=no"], "NAME=CLASS"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    cli: Cli, rows: pl.DataFrame, arguments: list[str], said: str
) -> None:
    assert said in refusal(cli("evaluate", *arguments, input=csv(rows)))


def test_an_unknown_final_emotion_has_a_remedy_that_fits(cli: Cli) -> None:
    rows = final_rows().with_columns(pl.col("emotion").replace("sad", "fear"))
    afraid = csv(rows)
    said = refusal(cli("evaluate", input=afraid))
    assert f"fear ({(rows['emotion'] == 'fear').sum()})" in said
    assert "did `emobatch apply` write this table?" in said
    # A label map is for labels: it is not offered, and would be no help.
    assert "--label-map" not in said
    assert refusal(cli("evaluate", "--label-map", "fear=none", input=afraid)) == said


def test_a_label_map_is_for_labels_and_never_for_predictions(cli: Cli) -> None:
    rows = score_rows(300).with_columns(emotion=pl.col("label"))
    plain = json.loads(
        cli("evaluate", "--json", input=csv(rows.filter(pl.col("label") != "sad"))).stdout
    )
    dropped = cli("evaluate", "--json", "--label-map", "sad=none", input=csv(rows))
    found = json.loads(dropped.stdout)
    assert found["labels"].pop("dropped") == {"sad": found["left_out_by_reason"]["dropped"]}
    for document in (found, plain):
        del document["left_out_by_reason"]
    del plain["labels"]["dropped"]
    assert found == plain


def test_predictions_are_not_taken_for_labels(cli: Cli) -> None:
    rows = score_rows(30).with_columns(emotion=pl.col("label"))
    said = refusal(cli("evaluate", "--label-column", "emotion", input=csv(rows)))
    assert "holds predictions" in said


def decided_rows(count: int = 200) -> pl.DataFrame:
    """A final table as `apply` writes it."""
    rows = with_uncertainty(score_rows(count).lazy(), FOUR)
    return Selection(FOUR, LOOSE).decide(rows).collect()


def test_classes_and_confusion_are_given_before_and_after(cli: Cli) -> None:
    rows = decided_rows()
    found = evaluate(cli, rows)
    for stage, column in {"before": "speech_emotion", "after": "emotion"}.items():
        matrix = confusion_matrix(rows["label"], rows[column], labels=EMOTIONS)
        assert found["confusion"][stage] == matrix.tolist()
        recalls = [values["recall"] for values in found["classes"][stage].values()]
        assert found[stage]["UA"] == pytest.approx(sum(recalls) / 4, abs=0.01)
        support = {name: values["support"] for name, values in found["classes"][stage].items()}
        assert support == dict(rows["label"].value_counts().iter_rows())


def test_flagged_reverted_and_changed_rows_are_counted(cli: Cli) -> None:
    rows = decided_rows()
    found = evaluate(cli, rows)
    assert found["flagged"] == rows["flagged"].sum() > 0
    assert found["reverted"] == (rows["decided_by"] == "reverted").sum() > 0
    changed = (rows["emotion"] != rows["speech_emotion"]).sum()
    assert sum(change["rows"] for change in found["transitions"]) == changed


def test_after_is_tested_against_before(cli: Cli) -> None:
    rows = decided_rows()
    found = evaluate(cli, rows)
    right = [(rows["label"] == rows[name]).to_numpy() for name in ("speech_emotion", "emotion")]
    assert found["paired_test"] == {"name": "McNemar, exact", **mcnemar(*right)}
    assert found["difference"]["UA"] == round(found["after"]["UA"] - found["before"]["UA"], 2)


def test_every_headline_figure_has_an_interval_around_it(cli: Cli) -> None:
    found = evaluate(cli, decided_rows())
    for stage in ("before", "after", "difference"):
        for name in HEADLINE:
            low, high = found["intervals"][stage][name]
            assert low < found[stage][name] < high
    for stage in ("before", "after"):
        for name, figures in found["classes"][stage].items():
            for figure, (low, high) in found["intervals"][stage]["classes"][name].items():
                assert low < figures[figure] < high


def test_speakers_are_resampled_where_they_are_known(cli: Cli) -> None:
    rows = decided_rows()
    by_row, by_speaker = evaluate(cli, rows), evaluate(cli, with_speakers(rows))
    assert (by_row["intervals"]["unit"], by_row["intervals"]["units"]) == ("row", 200)
    assert (by_speaker["intervals"]["unit"], by_speaker["intervals"]["units"]) == ("speaker", 12)
    assert by_row["intervals"]["after"] != by_speaker["intervals"]["after"]
    assert by_row["after"] == by_speaker["after"]
    shown = cli("evaluate", input=csv(with_speakers(rows))).stdout
    assert "1000 bootstrap resamples of 12 speakers" in shown


def test_the_table_says_that_one_speaker_stands_for_no_other(cli: Cli) -> None:
    shown = cli("evaluate", input=csv(with_speakers(decided_rows(), 1))).stdout
    assert "resamples of 200 rows (all of one speaker" in shown


def test_without_resamples_there_are_no_intervals_and_all_else_is_the_same(cli: Cli) -> None:
    rows = decided_rows().with_columns(reference=pl.lit("one two"), transcript=pl.lit("one"))
    found, plain = evaluate(cli, rows), evaluate(cli, rows, "--bootstrap", "0")
    for name in ("intervals", "sentiment_intervals", "wer_interval"):
        del found[name]
    assert plain == found
    assert "95 %" not in cli("evaluate", "--bootstrap", "0", input=csv(rows)).stdout


def test_sentiment_is_measured_against_what_the_label_implies(cli: Cli) -> None:
    rows = decided_rows()
    implied = rows["label"].replace_strict(
        {"angry": "negative", "sad": "negative", "happy": "positive", "neutral": "neutral"}
    )
    wanted = f1_score(implied, rows["sentiment"], labels=SENTIMENTS, average=None)
    found = evaluate(cli, rows)
    assert found["sentiment_f1"].pop("rows") == 200
    assert list(found["sentiment_f1"].values()) == pytest.approx(list(100 * wanted), abs=0.00501)
    for name, value in found["sentiment_f1"].items():
        low, high = found["sentiment_intervals"][name]
        assert low < value < high


def test_rows_without_a_sentiment_do_not_count_for_it(cli: Cli) -> None:
    rows = decided_rows()
    half = rows.with_columns(
        sentiment=pl.when(pl.int_range(pl.len()) < 90).then(pl.col("sentiment"))
    )
    found = evaluate(cli, half)["sentiment_f1"]
    assert found == evaluate(cli, rows.head(90))["sentiment_f1"]
    assert "sentiment_f1" not in evaluate(cli, rows.with_columns(sentiment=pl.lit("")))


def test_a_sentiment_of_another_model_is_noted_and_left_out(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    rows = decided_rows().with_columns(sentiment=pl.lit("mixed"))
    result = cli("evaluate", "--json", input=csv(rows))
    assert "note: no figures of sentiment" in caplog.text and "mixed (200)" in caplog.text
    assert "sentiment_f1" not in json.loads(result.stdout)


def test_accuracy_is_given_by_the_share_of_rows_kept(cli: Cli) -> None:
    rows = decided_rows()
    points = evaluate(cli, rows)["risk_coverage"]["points"]
    assert [point["coverage"] for point in points] == list(range(100, 0, -10))
    sure = rows.sort("entropy").head(60)
    for stage, column in {"before": "speech_emotion", "after": "emotion"}.items():
        wanted = 100 * (sure["label"] == sure[column]).mean()
        assert points[7][stage] == pytest.approx(wanted, abs=0.00501)


def test_figures_do_not_hang_on_the_order_of_the_rows(cli: Cli) -> None:
    rows = with_speakers(decided_rows())
    assert evaluate(cli, rows.reverse()) == evaluate(cli, rows)


def test_the_word_error_rate_names_its_normalisation(cli: Cli) -> None:
    rows = with_transcripts(["one two"] * 9 + ["one"], ["one"] * 9 + ["two"])
    found = evaluate(cli, rows)
    low, high = found["wer_interval"]
    assert low <= found["wer"] <= high
    assert "lower case" in found["wer_normalisation"]
    assert found["wer_normalisation"] in " ".join(cli("evaluate", input=csv(rows)).stdout.split())


def test_rows_of_training_are_noted(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    split = pl.when(pl.int_range(pl.len()) < 150).then(pl.lit("train")).otherwise(pl.lit("test"))
    decided = decided_rows().with_columns(split=split)
    unscored = decided.head(5).with_columns(
        pl.lit(None).cast(decided.schema[name]).alias(name) for name in (*SPEECH_COLUMNS, "emotion")
    )
    rows = csv(pl.concat([decided, unscored]))
    cli("evaluate", "--trained-on", "train", "--where", "split != 'train'", input=rows)
    cli("evaluate", "--trained-on", "none", input=rows)
    assert "trained on" not in caplog.text
    cli("evaluate", input=rows)
    said = "the speech model was trained on"
    assert f"150 of 200 labelled rows are of the split 'train'; if {said} them" in caplog.text
    assert f"{said} 150 of 200" not in caplog.text
    cli("evaluate", "--trained-on", "train", input=rows)
    assert f"{said} 150 of 200 labelled rows" in caplog.text
    cli("evaluate", "--trained-on", "train+val", input=rows.replace("test", "dev"))
    assert f"{said} 200 of 200 labelled rows" in caplog.text


def ndjson(path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path, infer_schema_length=None)


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet", "jsonl"])
def test_an_output_table_has_a_row_for_each_figure(
    cli: Cli, tmp_path: Path, extension: str
) -> None:
    rows, target = decided_rows(), tmp_path / f"m.{extension}"
    assert cli("evaluate", "--by", "session", "-o", target, input=csv(rows)).stdout == ""
    read = {"csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": ndjson}
    table = read.get(extension, lambda path: pl.read_csv(path, separator="\t"))(target)
    names = ["group", "stage", "figure", "class", "to", "coverage"]
    assert table.columns == [*names, "value", "low", "high"]
    assert not table.select(names).is_duplicated().any()
    found = evaluate(cli, rows, "--by", "session")

    def value(**wanted: str | None) -> tuple[float | None, ...]:
        conditions = [
            pl.col(name).cast(pl.String).eq_missing(pl.lit(wanted.get(name))) for name in names
        ]
        return table.filter(conditions).select("value", "low", "high").row(0)

    bounds = found["intervals"]["after"]
    assert value(stage="after", figure="UA") == (found["after"]["UA"], *bounds["UA"])
    recall = found["classes"]["after"]["sad"]["recall"], *bounds["classes"]["sad"]["recall"]
    assert value(**{"stage": "after", "figure": "recall", "class": "sad"}) == recall
    count = found["confusion"]["before"][0][3]
    cell = {"stage": "before", "figure": "confusion", "class": "angry", "to": "sad"}
    assert value(**cell) == (count, None, None)
    group = found["by"]["2"]["before"]["WA"]
    assert value(group="2", stage="before", figure="WA") == (group, None, None)
    kept = found["risk_coverage"]["points"][2]["after"]
    assert value(stage="after", figure="WA", coverage="80.0") == (kept, None, None)
    assert value(figure="flagged") == (found["flagged"], None, None)
