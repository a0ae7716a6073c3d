from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from polars.testing import assert_frame_equal
from published import FIXTURE, Fold, every_fold
from reference import algorithm_1
from refusals import refusal
from samples import LOOSE, LOOSE_TOML, SPEECH_COLUMNS, csv, score_rows

from emobatch.tables import reading, stored, writing
from emobatch.tables.score_columns import DECISION_COLUMNS, number_columns
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("unresampled")


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    path = tmp_path / "loose.toml"
    path.write_text(LOOSE_TOML, encoding="utf-8")
    return path


def final(result: Result) -> pl.DataFrame:
    """The final table on standard output, all of it text."""
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return pl.read_csv(result.stdout.encode(), infer_schema=False)


@every_fold
def test_table_iv_is_reproduced(cli: Cli, fold: Fold) -> None:
    applied = cli("apply", fold.table, "-t", fold.committed, "--where", "split = 'test'")
    measured = json.loads(cli("evaluate", "--json", input=applied.stdout).stdout)
    for figure, wanted in fold.published["test"].items():
        for stage in ("before", "after"):
            assert measured[stage][figure] == pytest.approx(wanted[stage], abs=0.01)
    assert measured["rows"] == len(final(applied))


def test_decisions_equal_algorithm_1(cli: Cli, toml: Path) -> None:
    rows = score_rows(300)
    found = final(cli("apply", "-t", toml, input=csv(rows))).select(DECISION_COLUMNS)
    scored = with_uncertainty(rows.lazy(), FOUR).collect()
    wanted = pl.DataFrame([algorithm_1(row, LOOSE) for row in scored.iter_rows(named=True)])
    assert found.equals(wanted.cast(pl.String))
    assert set(found["decided_by"]) == {"speech", "text", "reverted"}


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet", "jsonl", "ndjson"])
def test_every_format_holds_the_same(cli: Cli, toml: Path, tmp_path: Path, extension: str) -> None:
    source, target = tmp_path / "s.parquet", tmp_path / f"final.{extension}"
    score_rows().write_parquet(source)
    result = cli("apply", source, "-t", toml, "-o", target)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    cli("apply", source, "-t", toml, "-o", tmp_path / "wanted.parquet")
    wanted = pl.read_parquet(tmp_path / "wanted.parquet")
    found = reading.scan(str(target), number_columns).with_columns(
        pl.col("flagged").cast(pl.String) == "true"
    )
    assert_frame_equal(found.collect(), wanted, check_exact=True)


def test_columns_are_carried_untouched_and_in_order(cli: Cli, toml: Path) -> None:
    awkward = ["007", "1e5", 'say "hi"', "two\nlines", "=1+1", " padded ", "a,b", None, "", "ü😀"]
    rows = score_rows(len(awkward))
    rows = pl.DataFrame({"z": awkward, **rows.to_dict(), "a": awkward[::-1]})
    found = final(cli("apply", "-t", toml, input=csv(rows)))
    computed = ["speech_emotion", "entropy", "varentropy"]
    assert found.columns == [*rows.columns, *computed, *DECISION_COLUMNS]
    for name in ("z", "a", "id", "session", "label"):
        assert found[name].to_list() == rows[name].to_list()


@pytest.mark.parametrize(
    "name", ["row", "fault", "count", "decision", "rows", "thresholds", "*", "^id$", "sentiment "]
)
def test_a_users_own_column_of_any_name_is_carried(cli: Cli, toml: Path, name: str) -> None:
    rows = score_rows(5)
    rows = rows.with_columns(pl.Series(name, ["mine"] * 5))
    found = final(cli("apply", "-t", toml, input=csv(rows)))
    assert found.columns[: rows.width] == rows.columns
    assert found.get_column(name).to_list() == ["mine"] * 5


def test_applying_again_changes_nothing(cli: Cli, toml: Path) -> None:
    once = cli("apply", "-t", toml, input=csv(score_rows())).stdout
    assert cli("apply", "-t", toml, input=once).stdout == once


def test_rows_without_scores_are_carried_with_nulls(cli: Cli, toml: Path) -> None:
    rows = score_rows(6)
    unscored = rows.with_columns(
        pl.when(pl.col("id") == "003").then(None).otherwise(pl.col(name)).alias(name)
        for name in (*SPEECH_COLUMNS, "sentiment", "sentiment_score")
    )
    found = final(cli("apply", "-t", toml, input=csv(unscored)))
    wanted = final(cli("apply", "-t", toml, input=csv(rows)))
    assert found["id"].to_list() == rows["id"].to_list()
    assert set(found.row(3)[4:]) == {None}
    assert found.filter(pl.col("id") != "003").equals(wanted.filter(pl.col("id") != "003"))


@pytest.mark.parametrize("extension", ["csv", "parquet", "jsonl"])
def test_a_table_in_which_no_row_has_scores_is_carried(
    cli: Cli, toml: Path, tmp_path: Path, extension: str
) -> None:
    # As a shard comes out whose audio was nowhere to be found.
    rows = score_rows(3).with_columns(
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in (*SPEECH_COLUMNS, "entropy")),
        sentiment=pl.lit(None, dtype=pl.String),
        sentiment_score=pl.lit(None, dtype=pl.Float64),
    )
    source = tmp_path / f"s.{extension}"
    writing.write(rows.lazy(), source, {})
    found = final(cli("apply", source, "-t", toml))
    assert found["id"].to_list() == rows["id"].to_list()
    assert found["decided_by"].null_count() == 3


def test_rows_without_sentiment_stay_with_the_speech_branch(cli: Cli, toml: Path) -> None:
    rows = score_rows().with_columns(sentiment=pl.lit(None, dtype=pl.String))
    found = final(cli("apply", "-t", toml, input=csv(rows)))
    assert set(found["decided_by"]) == {"speech", "no-text"}
    assert found["emotion"].equals(found["speech_emotion"])


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["negative", "neutral", "positive"])])
def test_sentiments_in_other_text_types_are_read(
    cli: Cli, toml: Path, tmp_path: Path, kind: pl.DataType
) -> None:
    rows = score_rows()
    rows.with_columns(pl.col("sentiment").cast(kind)).write_parquet(tmp_path / "s.parquet")
    found = final(cli("apply", tmp_path / "s.parquet", "-t", toml))
    assert found.equals(final(cli("apply", "-t", toml, input=csv(rows))))


def test_probabilities_in_single_precision_are_read(cli: Cli, toml: Path, tmp_path: Path) -> None:
    rows = score_rows()
    single = rows.with_columns(pl.col(*SPEECH_COLUMNS, "sentiment_score").cast(pl.Float32))
    single.write_parquet(tmp_path / "s.parquet")
    found = final(cli("apply", tmp_path / "s.parquet", "-t", toml))
    wanted = final(cli("apply", "-t", toml, input=csv(rows)))
    assert found.select(DECISION_COLUMNS).equals(wanted.select(DECISION_COLUMNS))


def test_a_table_without_rows_gives_a_table_without_rows(cli: Cli, toml: Path) -> None:
    found = final(cli("apply", "-t", toml, input=csv(score_rows().clear())))
    assert found.is_empty()
    assert found.columns[-4:] == list(DECISION_COLUMNS)


def test_several_files_are_one_table(cli: Cli, toml: Path, tmp_path: Path) -> None:
    rows = score_rows(30)
    rows[:10].write_csv(tmp_path / "part-0.csv")
    rows[10:].select(reversed(rows.columns)).write_csv(tmp_path / "part-1.csv")
    found = cli("apply", tmp_path / "part-*.csv", "-t", toml).stdout
    assert found == cli("apply", "-t", toml, input=csv(rows)).stdout


def test_where_keeps_rows(cli: Cli, toml: Path) -> None:
    rows = score_rows()
    found = final(cli("apply", "-t", toml, "--where", "session = 2", input=csv(rows)))
    assert found["id"].to_list() == rows.filter(pl.col("session") == "2")["id"].to_list()


def scored_with(folder: Path, **models: dict[str, str]) -> Path:
    path = folder / "scored.parquet"
    writing.write(score_rows(200).lazy(), path, {"models": models, "options": {"beam_size": 1}})
    return path


SPEECH, OTHER_SPEECH = {"name": "a/speech", "digest": "1"}, {"name": "a/speech", "digest": "2"}
ASR = {"name": "large-v3", "digest": "3"}


@pytest.mark.parametrize(
    ("fitted_on", "applied_to"),
    [
        ({"speech": SPEECH}, {"speech": OTHER_SPEECH}),
        ({"speech": {"name": "x"}}, {"speech": {"name": "y"}}),
        ({"speech": SPEECH, "asr": ASR}, {"speech": SPEECH, "asr": {"name": "tiny"}}),
    ],
    ids=["weights", "names", "another branch"],
)
def test_scores_of_other_models_are_refused_unless_forced(
    cli: Cli, tmp_path: Path, fitted_on: dict[str, Any], applied_to: dict[str, Any]
) -> None:
    toml, target = tmp_path / "t.toml", tmp_path / "final.csv"
    assert cli("calibrate", scored_with(tmp_path, **fitted_on), "-o", toml).exit_code == 0
    table = scored_with(tmp_path, **applied_to)
    said = refusal(cli("apply", table, "-t", toml, "-o", target))
    assert "other models" in said
    assert "--force" in said
    assert not target.exists()
    assert cli("apply", table, "-t", toml, "-o", target, "--force").exit_code == 0
    assert target.exists()


@pytest.mark.parametrize(
    ("fitted_on", "applied_to"),
    [
        ({"speech": SPEECH}, {"speech": SPEECH}),
        ({"speech": SPEECH}, {}),
        ({}, {"speech": SPEECH}),
        ({"speech": SPEECH}, {"asr": ASR}),
        ({"speech": SPEECH}, {"speech": {"name": "a/speech"}}),
        ({"speech": {**SPEECH, "name": "folder"}}, {"speech": SPEECH}),
    ],
    ids=["same", "table unknown", "file unknown", "nothing shared", "no digest", "moved"],
)
def test_scores_of_the_same_or_unknown_models_are_accepted(
    cli: Cli, tmp_path: Path, fitted_on: dict[str, Any], applied_to: dict[str, Any]
) -> None:
    toml = tmp_path / "t.toml"
    cli("calibrate", scored_with(tmp_path, **fitted_on), "-o", toml)
    assert cli("apply", scored_with(tmp_path, **applied_to), "-t", toml).exit_code == 0


@pytest.mark.parametrize("extension", ["parquet", "csv"])
def test_the_final_table_keeps_the_provenance_of_its_scores_and_thresholds(
    cli: Cli, tmp_path: Path, extension: str
) -> None:
    toml, target = tmp_path / "t.toml", tmp_path / f"final.{extension}"
    table = scored_with(tmp_path, speech=SPEECH)
    cli("calibrate", table, "-o", toml)
    cli("apply", table, "-t", toml, "-o", target)
    found = stored.metadata(str(target))
    assert found["models"] == {"speech": SPEECH}
    assert found["options"] == {"beam_size": 1}
    assert found["thresholds"]["rows"] == 200


FITTED_BY_HAND = {
    "a date": "date = 2026-01-31",
    "a model's name": 'models.speech = "a/speech"',
    "models as text": 'models = "a/speech"',
}


@pytest.mark.parametrize("line", FITTED_BY_HAND.values(), ids=FITTED_BY_HAND)
def test_notes_on_the_fit_that_were_edited_by_hand_end_in_no_traceback(
    cli: Cli, tmp_path: Path, line: str
) -> None:
    toml = tmp_path / "t.toml"
    toml.write_text(f"format = 1\n[fitted]\n{line}\n")
    table = scored_with(tmp_path, speech=SPEECH)
    result = cli("apply", table, "-t", toml, "-o", tmp_path / "final.csv")
    assert result.exit_code == 0 or refusal(result).startswith(str(toml))


def test_a_typo_in_the_thresholds_is_named_with_its_file(cli: Cli, toml: Path) -> None:
    toml.write_text(LOOSE_TOML.replace("flip", "flop", 1))
    target = toml.with_name("final.csv")
    said = refusal(cli("apply", "-t", toml, "-o", target, input=csv(score_rows())))
    assert str(toml) in said
    assert "did you mean 'flip'?" in said
    assert not target.exists()


def test_thresholds_are_required(cli: Cli) -> None:
    result = cli("apply", input=csv(score_rows()))
    assert result.exit_code == 2
    assert "--thresholds" in result.stderr


GOOD_CSV, GOOD_PARQUET = csv(score_rows()).encode(), FIXTURE.table.read_bytes()
CORRUPT: dict[str, tuple[str, bytes]] = {
    "half a parquet file": ("s.parquet", GOOD_PARQUET[:50_000]),
    "no parquet file": ("s.parquet", b"hello"),
    "a damaged page": ("s.parquet", GOOD_PARQUET[:200] + bytes(9000) + GOOD_PARQUET[9200:]),
    "an empty file": ("s.csv", b""),
    "an empty JSON Lines file": ("s.jsonl", b""),
    "a broken line of JSON": ("s.jsonl", b'{"id": 1}\n{oops\n'),
    "a field too many": ("s.csv", GOOD_CSV[:-1] + b",extra\n"),
    "text that is not UTF-8": ("s.csv", GOOD_CSV.replace(b"positive", b"positiv\xe9")),
    "a number that is none": ("s.csv", GOOD_CSV.replace(b"0.", b"o.")),
}


@pytest.mark.parametrize(("name", "content"), CORRUPT.values(), ids=CORRUPT)
@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_a_corrupt_table_is_refused_by_name_and_leaves_no_file(
    cli: Cli, toml: Path, name: str, content: bytes, extension: str
) -> None:
    source = toml.with_name(name)
    source.write_bytes(content)
    before = sorted(toml.parent.iterdir())
    said = refusal(cli("apply", source, "-t", toml, "-o", toml.with_name(f"final.{extension}")))
    assert sorted(toml.parent.iterdir()) == before
    assert str(source) in said
    assert "_POLARS_TMP" not in said


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"speech_sad": pl.lit(math.nan)}, ["row 1 (id 000)", "NaN"]),
        ({"speech_sad": pl.lit("much")}, ["speech_sad holds no numbers"]),
        (
            {"sentiment_score": pl.lit(1.01)},
            ["row 1 (id 000)", "sentiment_score is not from 0 to 1"],
        ),
        ({"sentiment_score": pl.lit(math.nan)}, ["sentiment_score is not from 0 to 1"]),
        ({"sentiment": pl.lit("mixed")}, ["sentiment", "mixed (40)"]),
    ],
)
def test_values_that_make_no_sense_are_refused(
    cli: Cli, toml: Path, change: dict[str, pl.Expr], parts: list[str]
) -> None:
    source, target = toml.with_name("s.parquet"), toml.with_name("final.csv")
    score_rows(40).with_columns(**change).write_parquet(source)
    said = refusal(cli("apply", source, "-t", toml, "-o", target))
    assert all(part in said for part in parts)
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.csv"], "missing.csv: no such file"),
        (["-", "-o", "final.xlsx"], "name it .csv"),
        (["-", "-o", "none/final.csv"], "mkdir -p none"),
        (["-", "--where", "nope = 1"], "no column 'nope'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    cli: Cli, toml: Path, arguments: list[str], said: str
) -> None:
    assert said in refusal(cli("apply", *arguments, "-t", toml, input=csv(score_rows())))


def test_a_remedy_for_an_unknown_sentiment_is_one_that_apply_has(cli: Cli, toml: Path) -> None:
    mixed = csv(score_rows().with_columns(sentiment=pl.lit("mixed")))
    remedy = "--label-map"
    offered = remedy in refusal(cli("apply", "-t", toml, input=mixed))
    assert offered == (remedy in cli("apply", "--help").stdout)


def gated_rows() -> pl.DataFrame:
    """Rows of which a gate left out every other one."""
    rows = score_rows(200).with_columns(
        reference=pl.lit("well said"), transcript=pl.lit("well said")
    )
    read = pl.int_range(pl.len()) % 2 == 0
    left_out = [
        pl.when(read).then(pl.col(name)) for name in ("sentiment", "sentiment_score", "transcript")
    ]
    source = pl.when(read).then(pl.lit("asr")).otherwise(pl.lit("gated"))
    return rows.with_columns(*left_out, transcript_source=source)


def test_rows_that_another_gate_left_out_are_refused_unless_forced(
    cli: Cli, tmp_path: Path
) -> None:
    thresholds = tmp_path / "loose.toml"
    thresholds.write_text("format = 1\n[thresholds.neutral]\nentropy = 0.0\nvarentropy = 9.0\n")
    refused = cli("apply", "-t", thresholds, input=gated_rows().write_csv())
    assert (
        refused.exit_code == 1
        and "have no text, for a gate of other thresholds left it out" in refused.stderr
    )
    forced = cli("apply", "-t", thresholds, "--force", input=gated_rows().write_csv())
    assert forced.exit_code == 0 and "no-text" in forced.stdout


def test_thresholds_for_another_kind_of_text_model_are_refused(cli: Cli, toml: Path) -> None:
    rows = score_rows(40).with_columns(text_emotion="label", text_score=pl.lit(0.9))
    said = refusal(cli("apply", "-t", toml, input=csv(rows)))
    assert "for a text model of sentiment, the table has one of emotions" in said


def test_thresholds_for_other_classes_are_refused(cli: Cli, toml: Path) -> None:
    rows = score_rows(40).rename({"speech_sad": "speech_fear"})
    said = refusal(cli("apply", "-t", toml, input=csv(rows)))
    assert "fitted for the classes angry, happy, neutral, sad, the scores are of" in said


@pytest.mark.parametrize("name", ["emotion", "flagged", "decided_by"])
def test_a_users_own_column_is_not_taken_for_a_decision(cli: Cli, toml: Path, name: str) -> None:
    rows = score_rows(40).with_columns(pl.lit("true").alias(name))
    said = refusal(cli("apply", "-t", toml, input=csv(rows)))
    assert f"column '{name}' is not of emobatch's making" in said


def test_the_final_table_has_the_sentiments_of_its_thresholds(cli: Cli, tmp_path: Path) -> None:
    rows, final = csv(score_rows(60)), tmp_path / "final.parquet"
    options = ("--sentiment-map", "happy=none", "--bootstrap", 0, "-o", tmp_path / "t.toml")
    assert cli("calibrate", *options, input=rows).exit_code == 0
    assert cli("apply", "-t", tmp_path / "t.toml", "-o", final, input=rows).exit_code == 0
    assert stored.metadata(final)["task"]["sentiments"]["positive"] == []


def test_speech_alone_leaves_nothing_of_what_another_method_decided(
    cli: Cli, toml: Path, tmp_path: Path
) -> None:
    first = pl.int_range(pl.len()) == 0
    rows = csv(
        score_rows(40).with_columns(
            pl.when(~first).then(pl.col(name)).alias(name) for name in SPEECH_COLUMNS
        )
    )
    alone = tmp_path / "speech.toml"
    assert cli("calibrate", "--method", "speech", "-o", alone, input=rows).exit_code == 0
    direct = cli("apply", "-t", alone, input=rows).stdout
    assert (
        cli("apply", "-t", alone, input=cli("apply", "-t", toml, input=rows).stdout).stdout
        == direct
    )
    decided_by = pl.read_csv(direct.encode())["decided_by"].to_list()
    assert decided_by == [None, *["speech"] * 39]


def test_tables_of_several_runs_are_refused_unless_forced(
    cli: Cli, toml: Path, tmp_path: Path
) -> None:
    for name in "ab":
        made = {"models": {"speech": {"name": name}}}
        rows = score_rows(10).lazy().with_columns(id=name + pl.col("id"))
        writing.write(rows, tmp_path / f"{name}.parquet", made)
    arguments = ("apply", tmp_path / "*.parquet", "-t", toml)
    assert "were scored with different models" in refusal(cli(*arguments))
    assert cli(*arguments, "--force").exit_code == 0


def test_what_is_read_is_never_overwritten(cli: Cli, tmp_path: Path) -> None:
    table, thresholds = tmp_path / "scores.csv", tmp_path / "t.toml"
    score_rows(50).write_csv(table)
    thresholds.write_text("format = 1\n")
    before = table.read_bytes()
    for command in (
        ["apply", table, "-t", thresholds],
        ["apply", tmp_path / "*.csv", "-t", thresholds],
        ["evaluate", table],
        ["folds", table, "--scheme", "session"],
        ["leakage", table],
    ):
        result = cli(*command, "-o", table)
        assert result.exit_code == 1 and "which would be lost" in result.stderr, command
    assert table.read_bytes() == before


def test_nothing_is_said_of_transcripts_that_a_gate_left_out(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    result = cli("evaluate", "--json", input=gated_rows().write_csv())
    found = json.loads(result.stdout)
    assert "wer" not in found and "sentiment_f1" not in found
    assert "100 rows were scored with --gate and their text was not recognised" in caplog.text


@pytest.mark.parametrize("spelling", [("True", "False"), ("TRUE", "FALSE"), ("1", "0")])
def test_flags_that_another_program_wrote_are_read(
    cli: Cli, tmp_path: Path, spelling: tuple[str, str]
) -> None:
    (tmp_path / "t.toml").write_text(LOOSE_TOML)
    final = cli("apply", "-t", tmp_path / "t.toml", input=csv(score_rows(60))).stdout
    other = final.replace(",true,", f",{spelling[0]},").replace(",false,", f",{spelling[1]},")
    assert other != final
    measured = [
        cli("evaluate", "--json", "--bootstrap", "0", input=table).stdout
        for table in (final, other)
    ]
    assert json.loads(measured[0])["flagged"] > 0
    assert measured[0] == measured[1]


def test_flags_that_are_none_are_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text(LOOSE_TOML)
    final = cli("apply", "-t", tmp_path / "t.toml", input=csv(score_rows(60))).stdout
    said = refusal(cli("evaluate", input=final.replace(",true,", ",yes,")))
    assert "column 'flagged' holds 'yes'" in said
