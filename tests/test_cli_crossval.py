from __future__ import annotations

import json
import statistics
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from published import FIXTURE, PUBLISHED
from reference import algorithm_1, best_pair
from refusals import refusal
from samples import EMOTIONS, csv, score_rows

from emobatch.cli.main import main
from emobatch.evaluation.metrics import metrics
from emobatch.fusion.selection.detection import FlagBy
from emobatch.fusion.selection.fitting import fit
from emobatch.tables import writing
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("unresampled")
# What Table III calls them, and what `--method` does.
METHODS = {
    "none": "speech",
    "entropy": "selection-entropy",
    "varentropy": "selection-varentropy",
    "both": "selection",
}
RULES = ["none", "entropy", "varentropy", "both"]


def found(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def split_rows(count: int = 400) -> pl.DataFrame:
    """Two folds with splits, whose classes can all be fitted."""
    place = pl.int_range(pl.len())
    split = pl.when(place % 5 == 0).then(pl.lit("test")).when(place % 5 == 1).then(pl.lit("val"))
    return score_rows(count).with_columns(
        fold=(place % 2 + 1).cast(pl.String), split=split.otherwise(pl.lit("train"))
    )


@pytest.fixture(scope="module")
def two_folds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `crossval --json` prints of `split_rows`."""
    file = tmp_path_factory.mktemp("scores") / "rows.csv"
    split_rows().write_csv(file)
    return found(CliRunner().invoke(main, ["crossval", "--json", str(file)]))


@pytest.fixture(scope="module")
def three_folds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same of rows without splits, by session."""
    file = tmp_path_factory.mktemp("scores") / "rows.csv"
    score_rows(300).write_csv(file)
    options = ["crossval", "--json", "--by", "session"]
    return found(CliRunner().invoke(main, [*options, str(file)]))


def has_the_papers_figures(measured: dict[str, Any], published: dict[str, Any]) -> None:
    """Table IV."""
    for figure, wanted in published["test"].items():
        for stage in ("before", "after"):
            assert measured[stage][figure] == pytest.approx(wanted[stage], abs=0.01)


def test_the_papers_table_iv_of_the_fold_that_is_always_here(cli: Cli) -> None:
    (measured,) = found(cli("crossval", FIXTURE.table, "--json"))["folds"].values()
    has_the_papers_figures(measured, FIXTURE.published)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"{PUBLISHED} is not on this machine")
def test_one_glob_is_the_six_folds_of_table_iv_and_their_means(cli: Cli) -> None:
    result = found(cli("crossval", PUBLISHED / "fold_*.parquet", "--json"))
    assert list(result["folds"]) == [f"fold_{number:02}" for number in range(1, 7)]
    published = json.loads((PUBLISHED / "published.json").read_text())
    for number, measured in enumerate(result["folds"].values(), 1):
        has_the_papers_figures(measured, published[str(number)])
    for rule, stage in (("none", "before"), ("both", "after")):
        for figure in ("UA", "WA", "F1"):
            values = [fold["test"][figure][stage] for fold in published.values()]
            summary = result["selection"][rule]
            assert summary["mean"][figure] == pytest.approx(statistics.mean(values), abs=0.01)
            assert summary["sd"][figure] == pytest.approx(statistics.stdev(values), abs=0.01)


@pytest.mark.parametrize("fit_on", ["train+val", "val"])
def test_folds_are_what_calibrate_apply_and_evaluate_make_of_them(
    cli: Cli, tmp_path: Path, fit_on: str
) -> None:
    rows = csv(split_rows())
    folder = tmp_path / "thresholds"
    result = found(
        cli("crossval", "--json", "--fit-on", fit_on, "--thresholds-out", folder, input=rows)
    )
    assert sorted(path.name for path in folder.iterdir()) == ["fold_1.toml", "fold_2.toml"]
    for name, fold in result["folds"].items():
        splits = ", ".join(f"'{split}'" for split in fit_on.split("+"))
        where = f"fold = '{name}' AND split IN ({splits})"
        by_hand, written = tmp_path / "by_hand.toml", folder / f"fold_{name}.toml"
        assert cli("calibrate", "--where", where, "-o", by_hand, input=rows).exit_code == 0
        calibrated, thresholds = (tomllib.loads(file.read_text()) for file in (by_hand, written))
        for entry in calibrated["thresholds"].values():
            entry.pop("firmness", None)
        assert thresholds.pop("fitted")["rows"] == calibrated.pop("fitted")["rows"]
        assert thresholds == calibrated
        where = f"fold = '{name}' AND split = 'test'"
        final = cli("apply", "-t", written, "--where", where, input=rows).stdout
        by_hand = found(cli("evaluate", "--json", input=final))
        for key in ("rows", "before", "after"):
            assert fold[key] == by_hand[key]


def test_without_splits_each_value_tests_and_the_others_are_fitted_on(
    cli: Cli, tmp_path: Path, three_folds: dict[str, Any]
) -> None:
    rows = csv(score_rows(300))
    assert list(three_folds["folds"]) == ["1", "2", "3"]
    thresholds = tmp_path / "t.toml"
    for name, fold in three_folds["folds"].items():
        other = f"session != '{name}'"
        assert cli("calibrate", "--where", other, "-o", thresholds, input=rows).exit_code == 0
        this = f"session = '{name}'"
        final = cli("apply", "-t", thresholds, "--where", this, input=rows).stdout
        assert found(cli("evaluate", "--json", input=final))["after"] == fold["after"]
        assert (fold["rows"], fold["fitted_on"]) == (100, 200)


def test_files_without_splits_test_in_turn(
    cli: Cli, tmp_path: Path, three_folds: dict[str, Any]
) -> None:
    rows = score_rows(300)
    for (session,), part in rows.group_by("session"):
        part.drop("session").write_parquet(tmp_path / f"part_{session}.parquet")
    by_file = found(cli("crossval", tmp_path / "*.parquet", "--json"))
    assert list(by_file["folds"]) == ["part_1", "part_2", "part_3"]
    assert by_file["selection"] == three_folds["selection"]


def test_a_fold_column_in_several_files_groups_their_rows(
    cli: Cli, tmp_path: Path, two_folds: dict[str, Any]
) -> None:
    rows = split_rows()
    rows[:150].write_parquet(tmp_path / "a.parquet")
    rows[150:].write_parquet(tmp_path / "b.parquet")
    assert found(cli("crossval", "--json", tmp_path / "*.parquet")) == two_folds


@pytest.mark.parametrize("selection", ["entropy", "varentropy"])
def test_one_measure_alone_is_the_best_of_its_own_grid(selection: FlagBy) -> None:
    rows = with_uncertainty(score_rows(400).lazy(), FOUR).collect()
    fitted = fit(rows, FOUR, flag_by=selection)
    for name in EMOTIONS:
        of_class = rows.filter(pl.col("speech_emotion") == name)
        wrong = of_class["label"] != name
        grids = {
            measure: np.linspace(*np.percentile(of_class.filter(wrong)[measure], percentiles), 200)
            if measure == selection
            else np.array([never])
            for measure, percentiles, never in (
                ("entropy", [65, 85], -np.inf),
                ("varentropy", [15, 35], np.inf),
            )
        }
        measures = [of_class[measure].to_numpy() for measure in grids]
        wanted = best_pair(*measures, wrong.to_numpy(), *grids.values())
        entry = fitted.classes[name]
        assert wanted is not None
        assert (entry.figures.flagged, entry.figures.detected) == wanted[2:]
        assert getattr(entry.limits, selection) == pytest.approx(wanted[selection == "varentropy"])


@pytest.mark.parametrize("rule", ["entropy", "varentropy"])
def test_figures_of_one_measure_alone_are_those_of_its_thresholds(
    two_folds: dict[str, Any], rule: FlagBy
) -> None:
    rows = with_uncertainty(split_rows().lazy(), FOUR).collect()
    for (name,), part in rows.group_by("fold"):
        fitted = fit(part.filter(pl.col("split") != "test"), FOUR, flag_by=rule)
        tested = part.filter(pl.col("split") == "test")
        final = [algorithm_1(row, fitted) for row in tested.iter_rows(named=True)]
        emotions = pl.Series([row["emotion"] for row in final])
        fold = two_folds["folds"][name]
        assert fold[rule] == metrics(tested["label"], emotions, EMOTIONS)
        assert fold["flagged"][rule] == sum(row["flagged"] for row in final)


def test_means_spread_wins_and_losses_are_those_of_the_folds(three_folds: dict[str, Any]) -> None:
    folds = list(three_folds["folds"].values())
    before = [fold["before"] for fold in folds]
    assert list(three_folds["selection"]) == RULES
    keys = {"none": "before", "both": "after"}
    for rule, summary in three_folds["selection"].items():
        figures = [fold[keys.get(rule, rule)] for fold in folds]
        for name in ("UA", "WA", "F1"):
            values = [one[name] for one in figures]
            assert summary["mean"][name] == pytest.approx(np.mean(values), abs=0.005)
            assert summary["sd"][name] == pytest.approx(np.std(values, ddof=1), abs=0.005)
            pairs = [(one[name], other[name]) for one, other in zip(figures, before, strict=True)]
            assert summary["wins"][name] == sum(one > other for one, other in pairs)
            assert summary["losses"][name] == sum(one < other for one, other in pairs)
            method = three_folds["methods"][METHODS[rule]][name]
            assert method["folds_up"] == summary["wins"][name]
            assert (method["mean"], method["sd"]) == (summary["mean"][name], summary["sd"][name])
            assert [fold["value"] for fold in method["folds"]] == values


def test_a_table_has_a_row_for_each_fold_and_rule(
    cli: Cli, tmp_path: Path, two_folds: dict[str, Any]
) -> None:
    result = cli("crossval", "-o", tmp_path / "folds.csv", input=csv(split_rows()))
    assert (result.exit_code, result.stdout) == (0, "")
    table = pl.read_csv(tmp_path / "folds.csv")
    keys = {"none": "before", "both": "after"}
    for row in table.iter_rows(named=True):
        fold = two_folds["folds"][str(row["fold"])]
        figures = {name: row[name] for name in ("UA", "WA", "F1")}
        assert figures == fold[keys.get(row["selection"], row["selection"])]
        assert row["flagged"] == fold["flagged"][row["selection"]]
    assert table["selection"].to_list() == RULES * 2


def test_a_json_file_has_what_json_prints(
    cli: Cli, tmp_path: Path, two_folds: dict[str, Any]
) -> None:
    target = tmp_path / "folds.json"
    assert cli("crossval", "-o", target, input=csv(split_rows())).exit_code == 0
    assert json.loads(target.read_text()) == two_folds


def test_the_tables_for_people_have_the_same_figures(cli: Cli, two_folds: dict[str, Any]) -> None:
    shown = [line.split() for line in cli("crossval", input=csv(split_rows())).stdout.splitlines()]
    for name, fold in two_folds["folds"].items():
        figures = [
            f"{fold[stage][figure]:.2f}" for figure in ("UA", "WA", "F1")
            for stage in ("before", "after")
        ]  # fmt: skip
        assert [name, str(fold["rows"]), str(fold["flagged"]["both"]), *figures] in shown
    for rule, summary in two_folds["selection"].items():
        method = METHODS[rule]
        line = next(line for line in shown if line and line[0] == method)
        mean, sd = summary["mean"]["UA"], summary["sd"]["UA"]
        assert line[1:4] == [f"{mean:.2f}", "±", f"{sd:.2f}"]
        wins, losses = summary["wins"], summary["losses"]
        pairs = ["-"] * 3 if rule == "none" else [f"{wins[n]}/{losses[n]}" for n in wins]
        assert line[-3:] == pairs


def test_rows_that_cannot_count_are_left_out_and_counted(
    cli: Cli, caplog: pytest.LogCaptureFixture, two_folds: dict[str, Any]
) -> None:
    rows = split_rows()
    spoilt = rows[:3].with_columns(
        label=pl.Series([None, "sad", "sad"]),
        fold=pl.Series(["1", None, "1"]),
        split=pl.Series(["test", "test", ""]),
    )
    result = found(cli("crossval", "--json", input=csv(pl.concat([rows, spoilt]))))
    assert "note: 3 rows without" in caplog.text
    assert result.pop("labels")["unlabelled"] == 1
    assert result | {"labels": two_folds["labels"]} == {**two_folds, "left_out": 3}


def test_labels_go_through_the_alias_table(cli: Cli, two_folds: dict[str, Any]) -> None:
    rows = split_rows()
    short = rows.with_columns(label=pl.col("label").str.head(3).replace("ang", "rage"))
    renamed = cli("crossval", "--json", "--label-map", "rage=angry", input=csv(short))
    result = found(renamed)
    assert list(result["labels"].pop("read")["angry"]) == ["rage"]
    assert result | {"labels": two_folds["labels"]} == two_folds


def test_a_class_that_cannot_be_fitted_is_named_with_the_reason(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    rows = split_rows().filter(pl.col("label") == "sad")
    sad_at_times = rows.with_columns(
        label=pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("sad")).otherwise("label")
    )
    result = found(cli("crossval", "--json", input=csv(sad_at_times)))
    reasons = result["folds"]["1"]["never_deferred"]
    assert reasons["sad"].startswith("only 0 misclassified as sad")
    assert f"note: fold 1: sad is never flagged: {reasons['sad']}" in caplog.messages


def test_fitting_on_rows_that_the_speech_model_saw_is_said(
    cli: Cli, caplog: pytest.LogCaptureFixture
) -> None:
    said, asked = "rows that the speech model was trained on", "if the speech model was trained on"
    rows = csv(split_rows(200))
    for options, notes in (
        (["--fit-on", "train"], [asked]),
        (["--fit-on", "train", "--trained-on", "train"], [said]),
        (["--fit-on", "val", "--trained-on", "train+val"], [said]),
        (["--fit-on", "val", "--trained-on", "train"], []),
        (["--fit-on", "val"], []),
        (["--trained-on", "none"], []),
    ):
        caplog.clear()
        assert cli("crossval", "--method", "average", *options, input=rows).exit_code == 0
        assert [note for note in (said, asked) if note in caplog.text] == notes, options


def write_scored(file: Path, rows: pl.DataFrame, model: str) -> None:
    models = {"speech": {"name": model, "digest": f"sha256:{model}"}}
    writing.write(rows.lazy(), file, {"models": models})


def test_each_fold_may_have_a_speech_model_of_its_own(
    cli: Cli, tmp_path: Path, two_folds: dict[str, Any]
) -> None:
    rows = split_rows()
    for (fold,), part in rows.group_by("fold"):
        write_scored(tmp_path / f"{fold}.parquet", part, f"model-{fold}")
    folder = tmp_path / "out"
    result = found(cli("crossval", "--json", tmp_path / "*.parquet", "--thresholds-out", folder))
    assert result == two_folds
    fitted = tomllib.loads((folder / "fold_2.toml").read_text())["fitted"]
    assert fitted["models"]["speech"]["name"] == "model-2"


def test_scores_of_two_models_are_not_fitted_on_together(cli: Cli, tmp_path: Path) -> None:
    for session in ("1", "2"):
        rows = score_rows(300).filter(pl.col("session") == session)
        write_scored(tmp_path / f"{session}.parquet", rows, f"model-{session}")
    assert "different models" in refusal(cli("crossval", tmp_path / "*.parquet"))


def test_numbers_in_names_of_folds_are_ordered_as_numbers(cli: Cli) -> None:
    rows = csv(split_rows().with_columns(fold=pl.col("fold").replace({"1": "10", "2": "9"})))
    assert list(found(cli("crossval", "--method", "speech", "--json", input=rows))["folds"]) == [
        "9",
        "10",
    ]


def test_files_of_one_name_are_told_apart_by_their_folders(cli: Cli, tmp_path: Path) -> None:
    files = [tmp_path / folder / "scores.csv" for folder in "ab"]
    for file in files:
        file.parent.mkdir()
        split_rows(100).drop("fold").write_csv(file)
    result = found(cli("crossval", "--method", "speech", "--json", *files))
    assert list(result["folds"]) == [str(file) for file in files]


def test_files_of_other_classes_are_refused(cli: Cli, tmp_path: Path) -> None:
    split_rows(100).write_parquet(tmp_path / "a.parquet")
    renamed = split_rows(100).rename({"speech_sad": "speech_fear"})
    renamed.with_columns(pl.col("label").replace("sad", "fear")).write_parquet(
        tmp_path / "b.parquet"
    )
    said = refusal(cli("crossval", tmp_path / "a.parquet", tmp_path / "b.parquet"))
    assert "b.parquet: its classes differ from those of" in said


def test_a_class_may_stand_for_no_sentiment(cli: Cli, tmp_path: Path) -> None:
    options = ("--sentiment-map", "happy=none", "--thresholds-out", tmp_path / "out")
    assert cli("crossval", *options, input=csv(split_rows())).exit_code == 0
    document = tomllib.loads((tmp_path / "out" / "fold_1.toml").read_text())
    assert document["sentiments"]["positive"] == []


def test_a_fold_that_makes_no_file_name_is_refused(cli: Cli, tmp_path: Path) -> None:
    rows = split_rows().with_columns(fold=pl.lit("../up"))
    said = refusal(cli("crossval", "--thresholds-out", tmp_path / "out", input=csv(rows)))
    assert "makes no file name" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (score_rows(60), [], "no column 'fold'"),
        (split_rows(), ["--by", "speaker"], "no column 'speaker'"),
        (score_rows(60), ["--by", "session", "--fit-on", "val"], "no column 'split'"),
        (split_rows().filter(pl.col("split") != "test"), [], "fold '1' has no labelled"),
        (split_rows().filter(pl.col("split") == "test"), [], "to fit on (train+val)"),
        (split_rows().with_columns(split=pl.lit("x")), [], "x (400)"),
        (split_rows().drop("label"), [], "no column 'label'"),
        (split_rows().with_columns(label=pl.lit("fru")), [], "--label-map fru=none"),
        (split_rows().with_columns(label=pl.lit("")), [], "no row has both"),
        (split_rows().drop("speech_sad"), [], "(angry, happy, neutral) sum to"),
        (split_rows().with_columns(transcript_source=pl.lit("gated")), [], "--gate"),
        (split_rows(), ["-o", "out.toml"], "name it .json"),
        (split_rows().clear(), [], "no row has both"),
    ],
)
def test_what_cannot_be_cross_validated_is_refused(
    cli: Cli, rows: pl.DataFrame, options: list[str], said: str
) -> None:
    assert said in refusal(cli("crossval", *options, input=csv(rows)))


def test_files_of_which_only_some_have_splits_are_refused(cli: Cli, tmp_path: Path) -> None:
    split_rows().write_parquet(tmp_path / "a.parquet")
    split_rows().drop("split").write_parquet(tmp_path / "b.parquet")
    said = refusal(cli("crossval", tmp_path / "a.parquet", tmp_path / "b.parquet"))
    assert "no column 'split', which other tables have" in said
