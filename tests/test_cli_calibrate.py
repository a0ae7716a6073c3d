from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from published import FIXTURE, Fold, every_fold
from reference import best_pair
from refusals import refusal
from samples import EMOTIONS, SPEECH_COLUMNS, csv, score_rows

from emobatch.tables import writing
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]
NOT_TEST = "split != 'test'"
# Where nothing is asked of resamples, which take most of the time.
NO_RESAMPLES = ("--bootstrap", 0)
RESAMPLED = (3, 6)


def fitted(result: Result) -> dict[str, Any]:
    """The thresholds file on standard output."""
    assert result.exit_code == 0, result.stderr
    return tomllib.loads(result.stdout)


@every_fold
def test_the_published_runs_are_reproduced_as_committed(cli: Cli, fold: Fold) -> None:
    options = ["--where", NOT_TEST, "--trained-on", "train"]
    # Of two folds with resamples, which take most of the time; one of them draws speakers.
    resampled = fold.number in RESAMPLED
    found = fitted(cli("calibrate", fold.table, *options, *(() if resampled else NO_RESAMPLES)))
    is_published(found, fold.published)
    committed = tomllib.loads(fold.committed.read_text(encoding="utf-8"))
    # Format 2 names what format 1 took for granted.
    assert (found.pop("format"), committed.pop("format")) == (2, 1)
    assert (found.pop("method"), tuple(found.pop("classes"))) == ("selection", FOUR.classes)
    assert found.pop("sentiments") == FOUR.as_dict()["sentiments"]
    labels = found["fitted"].pop("labels")["read"]  # which the committed files don't say
    assert sum(sum(counts.values()) for counts in labels.values()) == found["fitted"]["rows"]
    for document in (found, committed):
        for key in ("date", "software", "tables"):
            del document["fitted"][key]
    found["fitted"].pop("ids", None)  # where the table has some
    if not resampled or "speaker" not in pl.read_parquet_schema(fold.table):
        without_resamples(found)
        without_resamples(committed)
    for name in EMOTIONS:
        # The last digit of a logarithm is the machine's.
        wanted, entry = committed["thresholds"].pop(name), found["thresholds"].pop(name)
        firm, wanted_firm = entry.pop("firmness"), wanted.pop("firmness")
        assert entry == pytest.approx(wanted, abs=1e-9)
        for key, value in wanted_firm.items():
            assert firm.pop(key) == pytest.approx(value, abs=1.1e-4), key
        assert not firm
    assert found == committed


def is_published(found: dict[str, Any], published: dict[str, Any]) -> None:
    assert found["exclusions"] == published["exclusions"]
    assert set(found["thresholds"]) == set(EMOTIONS)
    for name, wanted in published["classes"].items():
        entry = found["thresholds"][name]
        assert entry["detection_accuracy"] == pytest.approx(wanted["detection_accuracy"], abs=1e-4)
        same = ["flagged", "detected", "mapping"]
        if wanted["mapping"] == "simple":
            same += ["flip", "sentiment"]
        assert {key: entry[key] for key in same} == {key: wanted[key] for key in same}, name


def without_resamples(document: dict[str, Any]) -> None:
    """What the drawing of speakers doesn't change."""
    document["fitted"].pop("bootstrap", None)
    for entry in document["thresholds"].values():
        entry["firmness"] = {
            key: value for key, value in entry["firmness"].items() if key.startswith("equal")
        }


def training_rows() -> pl.DataFrame:
    rows = pl.scan_parquet(FIXTURE.table).filter(pl.col("split") != "test")
    return with_uncertainty(rows, FOUR).collect()


def best_of_class(name: str, sample: pl.Expr) -> tuple[float, float, int, int] | None:
    """Every pair of a grid around the sample's percentiles, tried on the rows predicted so."""
    rows = training_rows()
    of_class, sample_rows = rows.filter(pl.col("speech_emotion") == name), rows.filter(sample)
    return best_pair(
        of_class["entropy"].to_numpy(),
        of_class["varentropy"].to_numpy(),
        (of_class["label"] != name).to_numpy(),
        np.linspace(*np.percentile(sample_rows["entropy"], [65, 85]), 200),
        np.linspace(*np.percentile(sample_rows["varentropy"], [15, 35]), 200),
    )


@pytest.mark.parametrize(("protocol", "most"), [("released", 0.7), ("paper", 1.0)])
def test_tau_m_goes_as_far_as_the_protocol_says(cli: Cli, protocol: str, most: float) -> None:
    # All who are sad say it with a score of 0.9, all who are angry with one of 0.99.
    rows = score_rows(400).with_columns(sentiment=pl.lit("negative"))
    score = pl.when(pl.col("label") == "sad").then(0.9).otherwise(0.99)
    rows = rows.filter(pl.col("label").is_in(["angry", "sad"])).with_columns(sentiment_score=score)
    options = ("--protocol", protocol, *NO_RESAMPLES)
    entries = fitted(cli("calibrate", *options, input=csv(rows)))["thresholds"].values()
    simple = [entry for entry in entries if entry["mapping"] == "simple"]
    assert all(entry["sentiment"] <= most for entry in simple)
    assert any(0.9 <= entry["sentiment"] < 0.99 for entry in simple) == (protocol == "paper")


@pytest.mark.parametrize("protocol", ["released", "paper"])
def test_the_protocols_take_their_percentiles_from_different_rows(cli: Cli, protocol: str) -> None:
    options = ("--where", NOT_TEST, "--protocol", protocol, *NO_RESAMPLES)
    found = fitted(cli("calibrate", FIXTURE.table, *options))
    assert found["fitted"]["protocol"] == protocol
    for name in EMOTIONS:
        is_label = pl.col("label") == name
        misclassified = (pl.col("speech_emotion") == name) & ~is_label
        wanted = best_of_class(name, is_label if protocol == "paper" else misclassified)
        assert wanted is not None
        entry = found["thresholds"][name]
        got = [entry[key] for key in ("entropy", "varentropy", "flagged", "detected")]
        assert got == pytest.approx(list(wanted), abs=1e-9), name


def test_the_protocols_find_different_thresholds(cli: Cli) -> None:
    released, paper = (
        fitted(cli("calibrate", FIXTURE.table, "--protocol", each, *NO_RESAMPLES))
        for each in ("released", "paper")
    )
    for name in EMOTIONS:
        assert released["thresholds"][name] != paper["thresholds"][name]


def test_the_mapping_is_the_first_of_the_most_accurate(cli: Cli) -> None:
    found = fitted(cli("calibrate", FIXTURE.table, "--where", NOT_TEST, *NO_RESAMPLES))
    check_mappings(found, training_rows())


def test_the_mapping_is_chosen_by_flagged_rows_alone(cli: Cli) -> None:
    rows = with_uncertainty(score_rows(600).lazy(), FOUR).collect()
    check_mappings(fitted(cli("calibrate", *NO_RESAMPLES, input=csv(rows))), rows)


def check_mappings(found: dict[str, Any], rows: pl.DataFrame) -> None:
    for name in EMOTIONS:
        entry = found["thresholds"][name]
        flagged = rows.filter(
            (pl.col("speech_emotion") == name)
            & (pl.col("entropy") >= entry["entropy"])
            & (pl.col("varentropy") <= entry["varentropy"])
        )
        assert len(flagged) == entry["flagged"]
        settings = [
            (mapping, flip, step / 20)
            for mapping in ("simple", "refer")
            for flip in (True, False)
            for step in range(15)
        ]
        right = [sum(mapped_right(flagged, *setting)) for setting in settings]
        wanted = settings[int(np.argmax(right))]
        assert (entry["mapping"], entry["flip"], entry["sentiment"]) == wanted


def test_what_keeps_its_emotion_counts_as_right_where_it_is(cli: Cli) -> None:
    # The simple mapping says nothing without a score; that of `refer` says angry as well.
    rows = score_rows(2000).with_columns(
        sentiment=pl.lit("negative"), sentiment_score=pl.lit(None, dtype=pl.Float64)
    )
    found = fitted(cli("calibrate", *NO_RESAMPLES, input=csv(rows)))["thresholds"]["angry"]
    assert found["flagged"] > found["detected"]
    # Of equals the first is taken.
    assert (found["mapping"], found["flip"], found["sentiment"]) == ("simple", True, 0.0)


def mapped_right(rows: pl.DataFrame, mapping: str, flip: bool, tau: float) -> list[bool]:
    def emotion(row: dict[str, Any]) -> str:
        if row["sentiment"] != "negative":
            return {"neutral": "neutral", "positive": "happy"}[row["sentiment"]]
        if mapping == "refer":
            return "angry" if row["speech_angry"] >= row["speech_sad"] else "sad"
        return "angry" if (row["sentiment_score"] <= tau) != flip else "sad"

    return [emotion(row) == row["label"] for row in rows.iter_rows(named=True)]


def test_the_result_is_on_standard_output_and_what_was_found_on_standard_error(cli: Cli) -> None:
    result = cli("calibrate", FIXTURE.table, "--where", NOT_TEST)
    figures = fitted(result)["fitted"]
    for said in ("68.42", "26 / 38", "happy → angry"):
        assert said in result.stderr
    entries = fitted(result)["thresholds"]
    simple = {name: each for name, each in entries.items() if each["mapping"] == "simple"}
    assert simple
    for name, each in simple.items():
        lines = (line for line in result.stderr.splitlines() if line.split()[:1] == [name])
        sign = ">" if each["flip"] else "≤"
        assert next(lines).rstrip().endswith(f"simple, score {sign} {each['sentiment']} is angry")
    for stage in ("before", "after"):
        for value in figures[stage].values():
            assert f"{value:.2f}" in result.stderr
        assert [stage, *(f"{value:.2f}" for value in figures[stage].values())] in [
            line.split() for line in result.stderr.splitlines()
        ]
    assert not set("─│┃→≥%") & set(result.stdout)
    assert "[thresholds" not in result.stderr


def test_the_figures_stored_are_those_of_applying_the_thresholds(cli: Cli, tmp_path: Path) -> None:
    cli("calibrate", FIXTURE.table, *NO_RESAMPLES, "-o", tmp_path / "t.toml")
    final = cli("apply", FIXTURE.table, "-t", tmp_path / "t.toml").stdout
    measured = json.loads(cli("evaluate", "--json", input=final).stdout)
    stored = tomllib.loads((tmp_path / "t.toml").read_text())["fitted"]
    for key in ("rows", "before", "after"):
        assert stored[key] == measured[key]


def test_an_output_file_is_what_standard_output_gets(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(csv(score_rows(200)))
    command = ("calibrate", tmp_path / "s.csv", *NO_RESAMPLES)
    assert cli(*command, "-o", tmp_path / "t.toml").stdout == ""
    assert (tmp_path / "t.toml").read_text() == cli(*command).stdout


@pytest.mark.parametrize("protocol", ["released", "paper"])
def test_a_class_with_too_few_rows_has_the_reason_in_the_file(cli: Cli, protocol: str) -> None:
    rows = with_uncertainty(score_rows(300).lazy(), FOUR).collect()
    is_sad = (pl.col("label") == "sad") | (pl.col("speech_emotion") == "sad")
    counted = pl.col("label" if protocol == "paper" else "speech_emotion") == "sad"
    four_sad = rows.filter(counted, pl.col("label") != pl.col("speech_emotion")).head(4)
    table = csv(pl.concat([rows.filter(~is_sad), four_sad]))
    result = cli("calibrate", "--protocol", protocol, *NO_RESAMPLES, input=table)
    sad = fitted(result)["thresholds"]["sad"]
    few = "labelled" if protocol == "paper" else "misclassified as"
    assert sad["reason"] == f"only 4 {few} sad, at least 5 rows are needed"
    assert not {"entropy", "varentropy"} & set(sad)
    assert {"entropy", "varentropy"} < set(fitted(result)["thresholds"]["angry"])
    assert "never flagged" in result.stderr


def test_of_a_text_model_of_emotions_every_class_takes_what_it_says(
    cli: Cli, tmp_path: Path
) -> None:
    # No row is misclassified as sad, so that nothing is fitted for it.
    rows = with_uncertainty(score_rows(200).lazy(), FOUR).collect()
    rows = rows.filter((pl.col("speech_emotion") != "sad") | (pl.col("label") == "sad"))
    table = csv(rows.select("label", *SPEECH_COLUMNS, text_emotion="label", text_score=pl.lit(0.9)))
    options = (*NO_RESAMPLES, "-o", tmp_path / "t.toml")
    assert cli("calibrate", *options, input=table).exit_code == 0
    entries = tomllib.loads((tmp_path / "t.toml").read_text())["thresholds"]
    assert "entropy" not in entries["sad"]
    assert {entry["mapping"] for entry in entries.values()} == {"direct"}
    assert cli("apply", "-t", tmp_path / "t.toml", input=table).exit_code == 0


def test_rows_without_a_label_or_scores_do_not_count(cli: Cli) -> None:
    rows = score_rows(200)
    unlabelled = rows.with_columns(label=pl.lit(None, dtype=pl.String))
    unscored = rows.with_columns(
        pl.lit(None, dtype=pl.Float64).alias(name) for name in SPEECH_COLUMNS
    )
    wanted = fitted(cli("calibrate", *NO_RESAMPLES, input=csv(rows)))
    assert wanted["fitted"]["rows"] == 200
    result = cli("calibrate", *NO_RESAMPLES, input=csv(pl.concat([unlabelled, rows, unscored])))
    found = fitted(result)
    assert found["fitted"].pop("left_out") == {"unlabelled": 200, "unscored": 200}
    left_out = "400 of 600 rows are left out: 200 without a label, 200 without scores"
    assert f"note: {left_out}\n" in result.stderr
    assert found["fitted"].pop("labels")["unlabelled"] == 200
    del wanted["fitted"]["labels"]
    assert found == wanted


def test_several_files_a_glob_and_a_pipe_are_one_table(cli: Cli, tmp_path: Path) -> None:
    rows = score_rows(300)
    rows[:100].write_csv(tmp_path / "a.csv")
    rows[100:].write_parquet(tmp_path / "b.parquet")
    rows[100:].select(reversed(rows.columns)).write_ndjson(tmp_path / "c.jsonl")
    whole = fitted(cli("calibrate", *NO_RESAMPLES, input=csv(rows)))
    for sources in (
        [tmp_path / "a.csv", tmp_path / "b.parquet"],
        [tmp_path / "[ac].*"],
        [tmp_path / "b.parquet", "-"],
    ):
        found = fitted(cli("calibrate", *sources, *NO_RESAMPLES, input=csv(rows[:100])))
        assert found["fitted"]["rows"] == 300
        assert found["thresholds"] == whole["thresholds"]
        assert found["exclusions"] == whole["exclusions"]


def test_where_keeps_rows(cli: Cli) -> None:
    rows = score_rows(300)
    found = fitted(cli("calibrate", "--where", "session != 3", *NO_RESAMPLES, input=csv(rows)))
    others = csv(rows.filter(pl.col("session") != "3"))
    kept = fitted(cli("calibrate", *NO_RESAMPLES, input=others))
    assert found["fitted"].pop("where") == "session != 3"
    assert found == kept


def test_labels_of_any_spelling_are_read(cli: Cli) -> None:
    rows = score_rows(200)
    spelt = rows.with_columns(pl.col("label").replace({"angry": "ANG", "happy": "exc"}))
    found, wanted = (
        fitted(cli("calibrate", *NO_RESAMPLES, input=csv(each))) for each in (spelt, rows)
    )
    angry = found["fitted"].pop("labels")["read"]["angry"]
    assert angry == {"ANG": wanted["fitted"].pop("labels")["read"]["angry"]["angry"]}
    assert found == wanted


def test_models_of_the_score_table_are_kept(cli: Cli, tmp_path: Path) -> None:
    models = {"speech": {"name": "a/b", "revision": "abc", "digest": "sha256:1"}}
    writing.write(score_rows(200).lazy(), tmp_path / "s.parquet", {"models": models})
    found = fitted(cli("calibrate", tmp_path / "s.parquet", *NO_RESAMPLES))
    assert found["fitted"]["models"] == models


def test_what_a_table_says_of_its_sentiments_is_kept(cli: Cli, tmp_path: Path) -> None:
    task = FOUR.with_sentiments(["happy=none"]).as_dict()
    made = {"models": {"speech": {"name": "a/b"}}, "task": task}
    writing.write(score_rows(100).lazy(), tmp_path / "s.parquet", made)
    found = fitted(cli("calibrate", *NO_RESAMPLES, tmp_path / "s.parquet"))
    assert found["sentiments"] == task["sentiments"]


def with_labels(*labels: str | None) -> pl.DataFrame:
    rows = score_rows(200)
    return rows.with_columns(label=pl.Series([*labels, *rows["label"][len(labels) :]]))


def test_only_what_a_gate_left_out_is_refused(cli: Cli) -> None:
    rows = score_rows(100)
    source = pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("manifest"))
    told = rows.with_columns(transcript_source=source.otherwise(pl.lit("asr")))
    plain = cli("calibrate", *NO_RESAMPLES, input=csv(rows))
    assert cli("calibrate", *NO_RESAMPLES, input=csv(told)).stdout == plain.stdout
    one = pl.when(pl.int_range(pl.len()) > 0).then("transcript_source").otherwise(pl.lit("gated"))
    said = refusal(cli("calibrate", input=csv(told.with_columns(transcript_source=one))))
    assert "1 rows were scored with --gate" in said


def test_unknown_labels_are_listed_with_counts_and_can_be_dropped(cli: Cli) -> None:
    table = csv(with_labels("fru", "fru", "xxx"))
    said = refusal(cli("calibrate", input=table))
    assert "fru (2), xxx (1)" in said
    assert "--label-map fru=none" in said
    mapped = ("--label-map", "fru=none", "--label-map=xxx=sad")
    found = fitted(cli("calibrate", *mapped, *NO_RESAMPLES, input=table))
    assert found["fitted"]["rows"] == 198


def without(*names: str) -> pl.DataFrame:
    return score_rows(50).drop(names)


BAD_TABLES = {
    "nothing is labelled": (with_labels(*[None] * 200), ["label"]),
    "no label column": (without("label"), ["no column 'label'", "manifest"]),
    "no speech columns": (without(*SPEECH_COLUMNS), ["speech_angry", "emobatch score"]),
    "one speech column is missing": (without("speech_sad"), ["angry, happy, neutral", "sum to"]),
    "no sentiment": (without("sentiment"), ["no column sentiment", "emobatch score"]),
    "an unknown sentiment": (
        score_rows(50).with_columns(pl.col("sentiment").replace("neutral", "mixed")),
        ["sentiment", "mixed ("],
    ),
    "NaN": (
        score_rows(50).with_columns(speech_sad=pl.lit(math.nan)),
        ["row 1 (id 000)", "NaN", "49 more rows"],
    ),
    "negative": (
        score_rows(50).with_columns(speech_sad=-pl.col("speech_sad")),
        ["row 1 (id 000)", "negative"],
    ),
    "not summing to one": (
        score_rows(50).with_columns(speech_sad=pl.lit(0.9)),
        ["row 1 (id 000)", "sum to"],
    ),
    "no rows": (score_rows(50).clear(), ["label"]),
}


@pytest.mark.parametrize("extension", ["csv", "parquet"])
@pytest.mark.parametrize(("table", "parts"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_bad_tables_are_refused_in_one_line_and_leave_no_file(
    cli: Cli, tmp_path: Path, table: pl.DataFrame, parts: list[str], extension: str
) -> None:
    source = tmp_path / f"s.{extension}"
    writing.write(table.lazy(), source, {})
    before = sorted(tmp_path.iterdir())
    said = refusal(cli("calibrate", source, "-o", tmp_path / "t.toml"))
    assert all(part in said for part in parts), said
    assert sorted(tmp_path.iterdir()) == before


def test_a_bad_row_is_numbered_among_those_that_where_keeps(cli: Cli) -> None:
    rows = score_rows(50).drop("id").with_row_index("n")
    bad = rows.with_columns(
        speech_sad=pl.when(pl.col("n") == 9).then(math.nan).otherwise(pl.col("speech_sad"))
    )
    said = refusal(cli("calibrate", "--where", "n >= 5", input=csv(bad)))
    assert said.startswith("standard input, rows where n >= 5: row 5: ")


def test_a_remedy_for_an_unknown_sentiment_works(cli: Cli) -> None:
    rows = score_rows(50)
    mixed = csv(rows.with_columns(pl.col("sentiment").replace("neutral", "mixed")))
    said = refusal(cli("calibrate", input=mixed))
    assert f"mixed ({(rows['sentiment'] == 'neutral').sum()})" in said
    if "--label-map mixed=none" in said:
        assert cli("calibrate", "--label-map", "mixed=none", input=mixed).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.csv"], "no such file"),
        (["*.nothing"], "no file matches"),
        (["-", "-"], "standard input: named twice"),
        (["-", "--where", "nope = 1"], "no column 'nope'"),
        (["-", "--where", "session = "], "--where"),
        (["-", "--label-map", "fru"], "NAME=CLASS"),
        (["-", "-o", "t.json"], "name it .toml"),
        (["-", "-o", "none/t.toml"], "mkdir -p none"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    cli: Cli, arguments: list[str], said: str
) -> None:
    assert said in refusal(cli("calibrate", *arguments, input=csv(score_rows(50))))


def test_files_with_different_columns_are_refused(cli: Cli, tmp_path: Path) -> None:
    score_rows(50).write_csv(tmp_path / "a.csv")
    score_rows(50).drop("session").write_csv(tmp_path / "b.csv")
    said = refusal(cli("calibrate", tmp_path / "*.csv"))
    assert "b.csv: its columns differ" in said
    assert "session" in said


def test_files_of_different_models_are_refused(cli: Cli, tmp_path: Path) -> None:
    for name in ("a", "b"):
        models = {"models": {"speech": {"name": name}}}
        writing.write(score_rows(50).lazy(), tmp_path / f"{name}.parquet", models)
    assert "different models" in refusal(cli("calibrate", tmp_path / "*.parquet"))


@pytest.mark.parametrize(
    ("part", "name", "values"),
    [("software", "torch", ("2.12.0", "2.13.0")), ("options", "beam_size", (1, 5))],
)
def test_files_of_other_versions_or_options_are_refused_unless_forced(
    cli: Cli, tmp_path: Path, part: str, name: str, values: tuple[object, object]
) -> None:
    for file, value in zip("ab", values, strict=True):
        made = {"models": {}, "software": {"python": file}, "options": {"gate": file}}
        made |= {"models": {"speech": {"name": "same"}}, part: {name: value}}
        rows = score_rows(50).lazy().with_columns(id=file + pl.col("id"))
        writing.write(rows, tmp_path / f"{file}.parquet", made)
    said = refusal(cli("calibrate", tmp_path / "*.parquet"))
    assert f"different {part}.{name}" in said
    options = ("--force", *NO_RESAMPLES, "-o", tmp_path / "t.toml")
    assert cli("calibrate", tmp_path / "*.parquet", *options).exit_code == 0
    # It is nobody's.
    assert "models" not in tomllib.loads((tmp_path / "t.toml").read_text())["fitted"]


def test_an_unknown_protocol_is_wrong_usage(cli: Cli) -> None:
    result = cli("calibrate", "--protocol", "mine", input="")
    assert result.exit_code == 2
    assert "released" in result.stderr


def test_the_plateau_is_all_pairs_with_the_same_accuracy(cli: Cli) -> None:
    found = fitted(cli("calibrate", FIXTURE.table, "--where", NOT_TEST, "--bootstrap", "0"))
    rows = training_rows()
    for name in EMOTIONS:
        entry = found["thresholds"][name]
        of_class = rows.filter(pl.col("speech_emotion") == name)
        wrong = (of_class["label"] != name).to_numpy()
        entropy, varentropy = of_class["entropy"].to_numpy(), of_class["varentropy"].to_numpy()
        grid_e = np.linspace(*np.percentile(entropy[wrong], [65, 85]), 200)
        grid_v = np.linspace(*np.percentile(varentropy[wrong], [15, 35]), 200)
        over, under = entropy >= grid_e[:, None], (varentropy <= grid_v[:, None]).T
        counts = over.astype(int) @ under, (over & wrong).astype(int) @ under
        accuracy = counts[1] / np.maximum(counts[0], 1)
        at_e, at_v = np.nonzero(np.isclose(accuracy, accuracy.max(), atol=1e-12, rtol=0))
        assert entry["firmness"] == {
            "equal_pairs": len(at_e),
            "equal_entropy": pytest.approx([grid_e[at_e].min(), grid_e[at_e].max()], abs=1e-4),
            "equal_varentropy": pytest.approx([grid_v[at_v].min(), grid_v[at_v].max()], abs=1e-4),
        }


FIGURES_OF_RESAMPLES = {
    *("resamples", "entropy_interval", "varentropy_interval"),
    *("accuracy_interval", "left_out_accuracy"),
}


def test_resamples_say_how_much_the_choice_varies(cli: Cli) -> None:
    result = cli("calibrate", "--bootstrap", "30", input=csv(score_rows(600)))
    found = fitted(result)
    assert found["fitted"]["bootstrap"]["resamples"] == 30
    for entry in found["thresholds"].values():
        firm = entry["firmness"]
        assert set(firm) > FIGURES_OF_RESAMPLES
        assert firm["resamples"] == 30
        low, high = firm["entropy_interval"]
        assert 0 < low < high < math.log(4)
        # Rows that took no part in the choice are flagged less well.
        assert firm["left_out_accuracy"] < firm["accuracy_interval"][1]
        assert f"{firm['left_out_accuracy']:.2f}" in result.stderr
    assert "30 bootstrap resamples of 600 rows" in " ".join(result.stderr.split())
    # Each interval stands beneath its figure.
    lines = result.stderr.splitlines()
    heading = next(line for line in lines if "varentropy ≤" in line)
    for name, entry in found["thresholds"].items():
        at = next(n for n, line in enumerate(lines) if line.split()[:1] == [name])
        low, high = entry["firmness"]["varentropy_interval"]
        end = heading.index("varentropy ≤") + len("varentropy ≤")
        assert lines[at][:end].endswith(f" {entry['varentropy']:.4f}")
        assert lines[at + 1][:end].endswith(f" {low:.4f} to {high:.4f}")


def test_resamples_are_of_speakers_where_they_are_known(cli: Cli) -> None:
    speakers = pl.format("s{}", pl.int_range(pl.len()) % 5)
    rows = csv(score_rows(600).with_columns(speaker=speakers))
    by_speaker = fitted(cli("calibrate", "--bootstrap", "20", input=rows))
    by_row = fitted(cli("calibrate", "--bootstrap", "20", input=csv(score_rows(600))))
    assert by_speaker["fitted"]["bootstrap"]["unit"] == "speaker"
    assert by_speaker["fitted"]["bootstrap"]["units"] == 5
    assert by_speaker["thresholds"]["sad"]["firmness"] != by_row["thresholds"]["sad"]["firmness"]
    for name in EMOTIONS:
        for document in (by_speaker, by_row):
            del document["thresholds"][name]["firmness"]
    assert by_speaker["thresholds"] == by_row["thresholds"]


def test_without_resamples_the_thresholds_are_the_same(cli: Cli) -> None:
    rows = csv(score_rows(300))
    found, plain = (
        fitted(cli("calibrate", "--bootstrap", number, input=rows)) for number in ("20", "0")
    )
    assert "bootstrap" not in plain["fitted"]
    for entry in found["thresholds"].values():
        for key in FIGURES_OF_RESAMPLES:
            del entry["firmness"][key]
    assert plain["thresholds"] == found["thresholds"]


def test_large_tables_are_resampled_only_on_request(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("emobatch.fusion.selection.assessment.MOST_RESAMPLED", 100 * 200)
    rows = csv(score_rows(101))
    assert "bootstrap" not in fitted(cli("calibrate", input=rows))["fitted"]
    assert "--bootstrap 200" in caplog.text
    assert fitted(cli("calibrate", "--bootstrap", "3", input=rows))["fitted"]["bootstrap"]
    assert fitted(cli("calibrate", input=csv(score_rows(100))))["fitted"]["bootstrap"]


def test_few_flagged_rows_are_warned_of(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    found = fitted(cli("calibrate", *NO_RESAMPLES, input=csv(score_rows(200))))
    few = [name for name, entry in found["thresholds"].items() if entry["flagged"] < 20]
    assert few
    assert [text.split(":")[0] for text in found["fitted"]["warnings"]] == few
    for text in found["fitted"]["warnings"]:
        assert text in caplog.text


def test_enough_flagged_rows_are_not_warned_of(cli: Cli, caplog: pytest.LogCaptureFixture) -> None:
    found = fitted(cli("calibrate", "--bootstrap", "0", input=csv(score_rows(3000))))
    assert all(entry["flagged"] >= 20 for entry in found["thresholds"].values())
    assert "warnings" not in found["fitted"]
    assert "warning:" not in caplog.text


def test_rows_that_the_speech_model_was_trained_on_are_warned_of(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    split = pl.when(pl.int_range(pl.len()) < 2500).then(pl.lit("Train")).otherwise(pl.lit("val"))
    rows = csv(score_rows(4000).with_columns(split=split))
    unsaid = fitted(cli("calibrate", "--bootstrap", "0", input=rows))["fitted"]
    assert "warnings" not in unsaid
    assert "2500 of 4000 rows are of the split 'train'; if the speech model was" in caplog.text
    options = ["--bootstrap", "0", "--trained-on", "train"]
    warned = fitted(cli("calibrate", *options, input=rows))["fitted"]["warnings"]
    assert len(warned) == 1
    assert "trained on 2500 of 4000 rows" in warned[0]
    assert warned[0] in caplog.text
    only_val = cli("calibrate", "--where", "split = 'val'", *options, input=rows)
    assert "warnings" not in fitted(only_val)["fitted"]


def test_how_firm_a_choice_is_changes_no_emotion(cli: Cli, tmp_path: Path) -> None:
    rows = csv(score_rows(200))
    finals = []
    for number in ("20", "0"):
        file = tmp_path / f"{number}.toml"
        assert cli("calibrate", "--bootstrap", number, "-o", file, input=rows).exit_code == 0
        finals.append(cli("apply", "-t", file, input=rows).stdout)
    assert finals[0] == finals[1]
