"""Arousal, valence and dominance: measured, fused by ridge, and never taken for their labels."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rated import rated_rows
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge as Reference
from sklearn.metrics import roc_auc_score, root_mean_squared_error

from emobatch.evaluation.agreement import agreement
from emobatch.evaluation.measures.auc import class_areas
from emobatch.fusion.ridge.regression import STRENGTHS, Line, choose_strength

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("unresampled")
ATTRIBUTES = ("arousal", "valence", "dominance")


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return rated_rows()


@pytest.fixture
def table(rows: pl.DataFrame, tmp_path: Path) -> Path:
    file = tmp_path / "scores.parquet"
    rows.write_parquet(file)
    return file


def measured(cli: Cli, *arguments: object) -> dict[str, object]:
    result = cli("evaluate", *arguments, "--json", "--bootstrap", 50)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def done(cli: Cli, *arguments: object) -> Result:
    result = cli(*arguments)
    assert result.exit_code == 0, result.stderr
    return result


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Columns by name."""
    return rows.select(sorted(rows.columns))


def ccc(labels: np.ndarray, predicted: np.ndarray) -> float:
    both = np.cov(labels, predicted, ddof=0)
    apart = (labels.mean() - predicted.mean()) ** 2
    return float(2 * both[0, 1] / (both[0, 0] + both[1, 1] + apart))


numbers = st.lists(st.floats(-100, 100), min_size=4, max_size=30)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(3, 200), st.floats(0.01, 50), st.floats(-100, 100))
def test_agreement_is_that_of_the_formulas(seed: int, count: int, scale: float, far: float) -> None:
    random = np.random.default_rng(seed)
    labels = random.uniform(1, 7, count)
    predicted = far + scale * (labels + random.normal(size=count))
    found = agreement(labels, predicted)
    assert found["CCC"] == pytest.approx(ccc(labels, predicted), abs=1e-6)
    assert found["Pearson"] == pytest.approx(pearsonr(labels, predicted).statistic, abs=1e-6)
    assert found["RMSE"] == pytest.approx(root_mean_squared_error(labels, predicted), rel=1e-6)
    gaps = np.append(labels, [np.nan, 3.0]), np.append(predicted, [1.0, np.nan])
    assert agreement(*gaps) == pytest.approx(found)  # rows that lack one don't count


@given(numbers, st.floats(-10, 10))
def test_what_doesn_t_vary_correlates_with_nothing(values: list[float], other: float) -> None:
    labels, flat = np.array(values), np.full(len(values), other)
    assume(labels.std() > 1e-3)
    found = agreement(labels, flat)
    assert found["CCC"] == pytest.approx(0, abs=1e-9) and np.isnan(found["Pearson"])


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(2, 5), st.integers(1, 6))
def test_areas_are_those_of_scikit_learn(seed: int, count: int, classes: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    values = random.integers(0, steps + 1, (count, classes)) / steps  # with ties
    for number, area in enumerate(class_areas(values, labels)):
        mine = labels == number
        if not 0 < mine.sum() < count:
            assert area is None
            continue
        pairs = values[mine, number][:, None] - values[~mine, number]
        assert area == pytest.approx(100 * ((pairs > 0).mean() + (pairs == 0).mean() / 2))
        assert area == pytest.approx(100 * roc_auc_score(mine, values[:, number]))


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from(STRENGTHS), st.floats(0.01, 100))
def test_a_line_is_scikit_learn_s_whatever_the_scale(
    seed: int, strength: float, scale: float
) -> None:
    random = np.random.default_rng(seed)
    inputs, labels = random.normal(3, 2, (30, 4)), random.uniform(1, 7, 30)
    far = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    expected = Reference(alpha=strength).fit(far, labels).predict(far)
    assert Line.fit(inputs, labels, strength).of(inputs) == pytest.approx(expected)
    scaled = Line.fit(scale * inputs, labels, strength)
    assert scaled.of(scale * inputs) == pytest.approx(expected)


def test_the_penalty_is_that_of_the_highest_ccc_of_speakers_left_out() -> None:
    random = np.random.default_rng(1)
    inputs, labels = random.normal(size=(40, 6)), random.uniform(1, 7, 40)
    labels += inputs[:, 0]
    parts = np.arange(40) % 4
    strength, tried = choose_strength(inputs, labels, parts)
    by_hand = {}
    for each in STRENGTHS:
        found = np.empty(40)
        for part in range(4):
            out = parts == part
            found[out] = Line.fit(inputs[~out], labels[~out], each).of(inputs[out])
        by_hand[each] = ccc(labels, found)
    assert tried == pytest.approx(by_hand)
    assert strength == max(STRENGTHS, key=lambda each: by_hand[each])


def test_evaluate_measures_each_branch(cli: Cli, rows: pl.DataFrame, table: Path) -> None:
    found = measured(cli, table)
    assert found["attributes_stage"] == "before"
    for stage, prefix in (("before", "speech"), ("text", "text")):
        values = found["attributes_by_stage"][stage]  # type: ignore[index]
        for name in ATTRIBUTES:
            labels, said = (rows[each].to_numpy() for each in (name, f"{prefix}_{name}"))
            assert values[name]["CCC"] == pytest.approx(ccc(labels, said), abs=1e-4)
            assert values[name]["rows"] == len(rows)
        mean = np.mean([values[name]["CCC"] for name in ATTRIBUTES])
        assert values["mean"]["CCC"] == pytest.approx(mean, abs=1e-4)
    assert found["attributes"] == found["attributes_by_stage"]["before"]  # type: ignore[index]
    assert found["intervals"]["unit"] == "speaker"  # type: ignore[index]
    low, high = found["attributes_intervals"]["text"]["valence"]["Pearson"]  # type: ignore[index]
    assert low < found["attributes_by_stage"]["text"]["valence"]["Pearson"] < high  # type: ignore[index]
    assert 70 < found["auc"]["before"]["mean"] < 95  # type: ignore[index]
    shown = done(cli, "evaluate", table, "--bootstrap", 0).stdout
    assert "arousal" in shown and "CCC" in shown and max(map(len, shown.splitlines())) <= 80


def test_intervals_are_of_speakers(cli: Cli, rows: pl.DataFrame, table: Path) -> None:
    # Each speaker's rows three times over: as many speakers, so as wide an interval.
    thrice = table.with_name("thrice.parquet")
    copies = [rows.with_columns(pl.format("{} {}", "id", pl.lit(each))) for each in range(3)]
    pl.concat(copies).write_parquet(thrice)
    one, three = (measured(cli, file)["attributes_intervals"] for file in (table, thrice))
    assert one == three


def test_rows_without_a_class_count_too(cli: Cli, rows: pl.DataFrame, table: Path) -> None:
    half = rows.with_columns(label=pl.when(pl.int_range(pl.len()) % 2 == 0).then("label"))
    half.write_parquet(table)
    found = measured(cli, table, "--by", "session")
    assert found["rows"] == 100
    assert found["attributes"]["arousal"]["rows"] == 200  # type: ignore[index]
    groups = found["by"].values()  # type: ignore[attr-defined]
    assert [each["attributes"]["arousal"]["rows"] for each in groups] == [40] * 5
    alone = rows.drop("label", "speech_angry", "speech_happy", "speech_neutral", "speech_sad")
    alone.write_parquet(table)
    only = measured(cli, table)
    assert only["attributes"] == found["attributes"]
    assert "before" not in only
    assert "valence" in done(cli, "evaluate", table, "--bootstrap", 0).stdout


def test_another_scale_is_noted(cli: Cli, rows: pl.DataFrame, table: Path) -> None:
    rows.filter(pl.col("arousal") > 3, pl.col("speech_arousal") < 1).write_parquet(table)
    assert "CCC and RMSE need one scale" in done(cli, "evaluate", table, "--bootstrap", 0).stderr


def test_ridge_gains_where_each_branch_knows_a_part(
    cli: Cli, rows: pl.DataFrame, table: Path
) -> None:
    fitted, final = table.with_name("ridge.toml"), table.with_name("final.parquet")
    new = "speaker IN ('s08', 's09')"
    shown = done(
        cli, "calibrate", table, "--method", "ridge", "--where", f"NOT {new}", "-o", fitted
    )
    assert "CCC" in shown.stderr
    applied = done(cli, "apply", table, "-t", fitted, "-o", final)
    assert "'arousal' holds labels and is kept as 'manifest_arousal'" in applied.stderr
    decided = pl.read_parquet(final)
    assert decided.columns[-4:] == [*ATTRIBUTES, "attributes_by"]
    for name in ATTRIBUTES:  # nothing is lost
        assert decided[f"manifest_{name}"].equals(rows[name])
    found = measured(cli, final, "--where", new)
    assert found["attributes_stage"] == "after"
    tested = decided.filter(pl.col("speaker") >= "s08")
    by_hand = ccc(tested["manifest_valence"].to_numpy(), tested["valence"].to_numpy())
    assert found["attributes"]["valence"]["CCC"] == pytest.approx(by_hand, abs=1e-4)  # type: ignore[index]
    stages = found["attributes_by_stage"].items()  # type: ignore[attr-defined]
    means = {name: each["mean"]["CCC"] for name, each in stages}
    assert means["after"] > 0.8 > means["before"]
    # Again, on what it wrote: the labels stay where they are.
    again = table.with_name("again.parquet")
    assert "holds labels" not in done(cli, "apply", final, "-t", fitted, "-o", again).stderr
    assert in_order(pl.read_parquet(again)).equals(in_order(decided))


def test_neither_order_nor_neighbours_matter_to_ridge(
    cli: Cli, rows: pl.DataFrame, table: Path
) -> None:
    texts = []
    for order in (rows, rows.sample(fraction=1, shuffle=True, seed=3)):
        order.write_parquet(table)
        text = done(cli, "calibrate", table, "--method", "ridge").stdout
        document = tomllib.loads(text)
        document.pop("fitted")
        texts.append(document)
    assert texts[0] == texts[1]
    fitted = table.with_name("r.toml")
    fitted.write_text(text)
    csv = io.StringIO(done(cli, "apply", table, "-t", fitted, "--where", "id = '0007'").stdout)
    whole = pl.read_csv(io.StringIO(done(cli, "apply", table, "-t", fitted).stdout))
    one = pl.read_csv(csv)
    assert one["valence"].item() == whole.filter(pl.col("id") == 7)["valence"].item()


def test_rows_that_lack_a_branch(cli: Cli, rows: pl.DataFrame, table: Path) -> None:
    fitted = table.with_name("r.toml")
    done(cli, "calibrate", table, "--method", "ridge", "--alpha", 1, "-o", fitted)
    text = pl.when(pl.int_range(pl.len()) != 0)
    speech = pl.when(pl.int_range(pl.len()) != 1)
    rows.with_columns(
        text.then("text_valence").alias("text_valence"),
        speech.then("speech_arousal").alias("speech_arousal"),
    ).write_parquet(table)
    final = table.with_name("final.parquet")
    done(cli, "apply", table, "-t", fitted, "-o", final)
    decided = pl.read_parquet(final)
    assert decided["attributes_by"].to_list()[:3] == ["no-text", None, "fusion"]
    assert decided["arousal"].null_count() == 1
    lines = tomllib.loads(fitted.read_text())["ridge"]["no-text"]["arousal"]
    names = [f"speech_{name}" for name in ATTRIBUTES]
    expected = lines["offset"] + sum(lines[name] * rows[name][0] for name in names)
    assert decided["arousal"][0] == pytest.approx(expected)


def test_emotions_that_were_decided_stay(cli: Cli, table: Path) -> None:
    average, ridge = (table.with_name(f"{name}.toml") for name in ("average", "ridge"))
    done(cli, "calibrate", table, "--method", "average", "-o", average)
    done(cli, "calibrate", table, "--method", "ridge", "-o", ridge)
    once, twice, other = (table.with_name(f"{name}.parquet") for name in ("once", "twice", "other"))
    done(cli, "apply", table, "-t", average, "-o", once)
    done(cli, "apply", once, "-t", ridge, "-o", twice)
    done(cli, "apply", table, "-t", ridge, "-o", other)
    last = other.with_name("last.parquet")
    done(cli, "apply", other, "-t", average, "-o", last)
    assert in_order(pl.read_parquet(twice)).equals(in_order(pl.read_parquet(last)))
    noted = done(cli, "evaluate", twice, "--bootstrap", 0).stderr
    assert "note: the thresholds were fitted on 200 of these 200 rows" in noted
    assert "note: attributes: the thresholds were fitted on 200 of these 200 rows" in noted
    found = measured(cli, twice)
    assert found["attributes_stage"] == "after" and "after" in found
    assert found["auc"]["after"]["mean"] > 50  # type: ignore[index]


def test_folds_of_speakers_and_sessions(cli: Cli, rows: pl.DataFrame, table: Path) -> None:
    for by, folds in (("speaker", 10), ("session", 5)):
        found = json.loads(
            done(cli, "crossval", table, "--method", "ridge", "--by", by, "--json").stdout
        )
        own = found["methods"]["ridge"]["CCC"]["mean"]
        assert len(own["folds"]) == folds
        gain = found["methods"]["ridge"]["gain"]
        plain = found["methods"]["speech"]["CCC"]["mean"]
        assert gain["value"] == pytest.approx(own["mean"] - plain["mean"], abs=2e-4)
        assert 0 < gain["low"] < gain["value"] < gain["high"]
        assert gain["folds_up"] == folds
    # One fold by hand: fitted on the others alone.
    fitted = table.with_name("r.toml")
    done(cli, "calibrate", table, "--method", "ridge", "--where", "session != '0'", "-o", fitted)
    final = table.with_name("final.parquet")
    done(cli, "apply", table, "-t", fitted, "--where", "session = '0'", "-o", final)
    assert own["folds"][0]["value"] == measured(cli, final)["attributes"]["mean"]["CCC"]  # type: ignore[index]
    shown = done(cli, "crossval", table, "--method", "ridge", "--by", "session").stdout
    assert "up in 5 of 5 folds" in shown and max(map(len, shown.splitlines())) <= 80


@pytest.mark.usefixtures("undrawn")
def test_the_report_has_a_section_of_them(cli: Cli, table: Path) -> None:
    average, final, page = (table.with_name(name) for name in ("a.toml", "final.csv", "r.html"))
    done(cli, "calibrate", table, "--method", "average", "-o", average)
    done(cli, "apply", table, "-t", average, "-o", final)  # text, as CSV has labels
    done(cli, "report", final, "-o", page)
    text = page.read_text(encoding="utf-8")
    assert "Arousal, valence, dominance" in text
    value = measured(cli, final)["attributes"]["arousal"]["CCC"]  # type: ignore[index]
    assert f"{value:.3f}" in text and f"CCC: arousal {value}" in text
    assert "Mean valence and arousal by final emotion" in text
    bare = table.with_name("bare.csv")
    rows = pl.read_csv(final, infer_schema=False)
    said = [name for name in rows.columns if "_" in name and name.endswith(ATTRIBUTES)]
    rows.drop(said).with_columns(arousal=pl.lit("high")).write_csv(bare)
    done(cli, "report", bare, "-o", page)  # a manifest may call anything so
    assert "Arousal, valence" not in page.read_text(encoding="utf-8")


FIT = ("calibrate", "--method", "ridge")


@pytest.mark.parametrize(
    ("dropped", "arguments", "said"),
    [
        (ATTRIBUTES, FIT, "to fit on; add labels"),
        ([f"speech_{name}" for name in ATTRIBUTES], FIT, "score with --attribute-model"),
        (["speaker"], FIT, "add a column 'speaker'"),
        ([], (*FIT, "--label-column", "id"), "no options of classes"),
        ([], ("crossval", "--method", "ridge,average", "--by", "speaker"), "give it alone"),
    ],
)
def test_what_is_refused(
    cli: Cli,
    rows: pl.DataFrame,
    table: Path,
    dropped: Sequence[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    rows.drop(dropped).write_parquet(table)
    result = cli(*arguments, table)
    assert result.exit_code == 1 and said in result.stderr


def test_columns_that_can_t_be_told_apart_are_refused(
    cli: Cli, rows: pl.DataFrame, table: Path
) -> None:
    fitted = table.with_name("r.toml")
    done(cli, "calibrate", table, "--method", "ridge", "-o", fitted)
    gate = cli("score", table, "--gate", fitted, "--models", "demo")
    assert gate.exit_code == 1 and "decides attributes" in gate.stderr
    rows.with_columns(manifest_arousal="arousal").write_parquet(table)
    twice = cli("apply", table, "-t", fitted)
    assert twice.exit_code == 1 and "rename one of them" in twice.stderr
    rows.with_columns(arousal=pl.lit("high")).write_parquet(table)
    for command in (FIT, ("evaluate",)):
        words = cli(*command, table)
        assert words.exit_code == 1 and "'high'; a number is wanted" in words.stderr
