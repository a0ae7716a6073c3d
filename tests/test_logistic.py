"""Logistic fusion and adaptation on the published scores, and against a reference of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fusion_reference as reference
import numpy as np
import polars as pl
import pytest
from click.testing import Result
from numpy.typing import NDArray
from published import FIXTURE, Fold, every_fold
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score

from emobatch.fusion.file import Fitted, read, to_toml
from emobatch.fusion.logistic import regression
from emobatch.fusion.logistic.centring import Speakers
from emobatch.fusion.logistic.method import Logistic
from emobatch.fusion.logistic.regression import Regression, softmax
from emobatch.tasks.four import FOUR

Cli = Callable[..., Result]

# UA in percent of folds 1 to 6.
UNCENTRED = (71.68, 71.00, 72.94, 71.80, 64.80, 63.53)
CENTRED = (71.42, 72.13, 74.16, 72.22, 65.94, 65.17)
TOGETHER = (81.13, 80.07, 85.31, 76.50, 74.35, 74.30)
ADAPTED = (80.95, 75.68, 85.00, 72.18, 71.33, 72.42)


def average_recall(final: pl.DataFrame) -> float:
    """UA in percent of the rows that test."""
    rows = final.filter(split="test")
    return float(100 * recall_score(rows["label"], rows["emotion"], average="macro"))


def fitted(cli: Cli, table: Path, target: Path, *options: object) -> Path:
    """A thresholds file of all rows that don't test."""
    where = ("--where", "split != 'test'")
    result = cli("calibrate", table, "--method", "logistic", *where, *options, "-o", target)
    assert result.exit_code == 0, result.stderr
    return target


def applied(cli: Cli, table: Path, thresholds: Path, target: Path) -> Path:
    """A final table of the rows that test."""
    result = cli("apply", table, "-t", thresholds, "--where", "split = 'test'", "-o", target)
    assert result.exit_code == 0, result.stderr
    return target


@every_fold
@pytest.mark.parametrize(
    ("options", "figures"),
    [
        (("--centre", "none"), UNCENTRED),
        (("--centre", "speaker"), CENTRED),
        (("--context", "dialogue"), TOGETHER),
    ],
    ids=["uncentred", "centred", "context"],
)
def test_the_published_folds_come_to_their_figures(
    cli: Cli,
    tmp_path: Path,
    fold: Fold,
    options: tuple[str, ...],
    figures: tuple[float, ...],
) -> None:
    if fold is FIXTURE and options != ("--centre", "none"):
        pytest.skip("its rows don't say who speaks")
    thresholds = fitted(cli, fold.table, tmp_path / "t.toml", *options)
    final = applied(cli, fold.table, thresholds, tmp_path / "final.parquet")
    assert average_recall(pl.read_parquet(final)) == pytest.approx(
        figures[fold.number - 1], abs=0.0051
    )


@every_fold
def test_adapting_without_a_label_comes_to_its_figures(
    cli: Cli, tmp_path: Path, fold: Fold
) -> None:
    table, final = tmp_path / "scores.parquet", tmp_path / "final.parquet"
    if fold is FIXTURE:
        pytest.skip("its rows don't say who speaks")
    rows = pl.read_parquet(fold.table)
    rows.drop("label").write_parquet(table)
    result = cli("apply", table, "--adapt", "speaker", "--context", "dialogue", "-o", final)
    assert result.exit_code == 0, result.stderr
    figure = average_recall(pl.read_parquet(final).with_columns(label=rows["label"]))
    assert figure == pytest.approx(ADAPTED[fold.number - 1], abs=0.0051)


FINAL = [f"final_{name}" for name in reference.CLASSES]


def hot(posteriors: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Posteriors of logits that were divided by a temperature."""
    return softmax(np.log(posteriors) / temperature)


def test_uncentred_probabilities_are_those_of_scikit_learn() -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR, centre="none")
    found = method.decide(rows.lazy()).collect().select(FINAL).to_numpy()
    dicts = rows.to_dicts()
    heard = [reference.speech_of(row) for row in dicts]
    model = reference.Reference(heard, dicts)
    plain = np.array([model.posterior(x, row) for x, row in zip(heard, dicts, strict=True)])
    assert hot(plain, method.model.temperature) == pytest.approx(found, abs=2e-5)
    assert abs(method.model.temperature - 1) > 0.01  # it is used
    assert rows["sentiment"].null_count() > 20  # the regression without text as well


def test_centred_probabilities_are_those_of_the_formula() -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR)
    found = method.decide(rows.lazy()).collect().select(FINAL).to_numpy()
    dicts = rows.to_dicts()
    heard = [reference.speech_of(row) for row in dicts]
    usual = np.mean([*reference.means(heard, dicts).values()], axis=0)
    features = reference.centred(heard, dicts, usual)
    model = reference.Reference(features, dicts)
    plain = np.array([model.posterior(x, row) for x, row in zip(features, dicts, strict=True)])
    assert hot(plain, method.model.temperature) == pytest.approx(found, abs=2e-5)


def test_the_usual_mean_is_that_of_labelled_speakers_and_stays_as_fitted() -> None:
    rows = reference.table()
    # One speaker has no label: its rows count for its own mean alone.
    fit = rows.with_columns(label=pl.when(pl.col("speaker") != "s0").then("label"))
    method = Logistic.fit(fit, FOUR)
    heard = [reference.speech_of(row) for row in rows.to_dicts()]
    by_speaker = reference.means(heard, rows.to_dicts())
    usual = np.mean([mean for name, mean in by_speaker.items() if name != "s0"], axis=0)
    assert method.model.usual == pytest.approx(usual, abs=1e-7)
    few = rows.filter(pl.col("speaker") == "s0")
    found = method.decide(few.lazy()).collect()
    dicts = few.to_dicts()
    features = reference.centred([reference.speech_of(row) for row in dicts], dicts, usual)
    said = [reference.text_of(row) for row in dicts]
    assert not method.model.logits(
        np.array([reference.speech_of(row) for row in dicts]),
        np.array([np.full(3, np.nan) if each is None else each for each in said]),
        Speakers.of(np.zeros(len(dicts), int)),
    )[1].any()
    pair = method.model.pairs["centred"]
    assert pair.both is not None
    logits = [
        pair.speech.logits(x[None])[0]
        if t is None
        else pair.both.logits(np.hstack([x, t])[None])[0]
        for x, t in zip(features, said, strict=True)
    ]
    expected = softmax(np.array(logits) / method.model.temperature)
    assert found.select(FINAL).to_numpy() == pytest.approx(expected, abs=1e-6)


def test_the_temperature_makes_new_rows_likeliest() -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR, centre="none")
    new = rows.filter(pl.col("label").is_not_null(), pl.col("split") == "val")
    place = [reference.CLASSES.index(label) for label in new["label"]]

    def loss(temperature: float) -> float:
        other = replace(method, model=replace(method.model, temperature=temperature))
        found = other.decide(new.lazy()).collect().select(FINAL).to_numpy()
        return float(-np.log(found[np.arange(len(place)), place]).mean())

    best = method.model.temperature
    assert loss(best) < min(loss(best * 1.02), loss(best / 1.02))


def test_labels_of_rows_that_test_are_not_looked_at(cli: Cli, tmp_path: Path) -> None:
    rows = reference.table().with_columns(split=pl.Series(["train", "val", "test"] * 200))
    scrambled = rows.with_columns(
        label=pl.when(pl.col("split") == "test").then(pl.lit("sad")).otherwise("label")
    )
    finals, files = [], []
    for name, each in (("true", rows), ("scrambled", scrambled)):
        table = tmp_path / f"{name}.parquet"
        each.write_parquet(table)
        thresholds = fitted(cli, table, tmp_path / f"{name}.toml", "--context", "dialogue")
        files.append(thresholds.read_text().replace(table.name, ""))
        final = applied(cli, table, thresholds, tmp_path / f"{name}_final.parquet")
        finals.append(pl.read_parquet(final).drop("label"))
    assert files[0] == files[1]
    assert finals[0].equals(finals[1])


@pytest.mark.parametrize("options", [{}, {"centre": "none"}, {"context": "dialogue"}], ids=str)
def test_the_order_of_rows_makes_no_difference(options: dict[str, str]) -> None:
    rows = reference.table()
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=3)
    one, other = (Logistic.fit(each, FOUR, **options) for each in (rows, shuffled))
    assert one.to_document() == other.to_document()
    found = one.decide(rows.lazy()).collect()
    again = other.decide(shuffled.lazy()).collect().sort("id")
    assert found.equals(again)


@pytest.mark.parametrize("options", [{}, {"centre": "none"}, {"context": "dialogue"}], ids=str)
def test_rows_that_are_picked_afterwards_are_decided_with_all(options: dict[str, str]) -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR, **options)
    wanted = pl.col("speaker") == "s1"
    whole = method.decide(rows.lazy()).collect().filter(wanted)
    lazy = method.decide(rows.lazy()).filter(wanted).collect()
    streamed = method.decide(rows.lazy()).filter(wanted).collect(engine="streaming")
    assert lazy.equals(whole)
    assert streamed.equals(whole)
    pieces = pl.concat([rows[start : start + 50].lazy() for start in range(0, 600, 50)])
    in_pieces = method.decide(pieces).collect(engine="streaming").filter(wanted)
    assert in_pieces.equals(whole)


def test_without_centring_a_row_is_decided_by_itself() -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR, centre="none")
    assert not method.whole_table
    whole = method.decide(rows.lazy()).collect()
    pieces = [method.decide(rows[start : start + 7].lazy()).collect() for start in range(0, 600, 7)]
    assert pl.concat(pieces).equals(whole)


def test_a_file_that_is_read_back_decides_alike(tmp_path: Path) -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR, context="dialogue", gate_share=0.3)
    file = tmp_path / "t.toml"
    file.write_text(to_toml(Fitted(method)))
    again = read(file).method
    assert again.decide(rows.lazy()).collect().equals(method.decide(rows.lazy()).collect())


def test_a_row_without_scores_has_no_emotion() -> None:
    rows = reference.table()
    method = Logistic.fit(rows, FOUR, context="dialogue")
    gaps = pl.col("turn").is_in([3, 40])
    empty = rows.with_columns(
        pl.when(~gaps).then(pl.col(f"speech_{name}")).alias(f"speech_{name}")
        for name in reference.CLASSES
    )
    found = method.decide(empty.lazy()).collect()
    assert (
        found.filter(gaps).select("emotion", "decided_by", *FINAL).null_count().row(0) == (2,) * 6
    )
    assert found.filter(~gaps)["emotion"].null_count() == 0


@pytest.mark.parametrize("part", [300, 100_000], ids=["from a part", "from nothing"])
def test_many_rows_are_fitted_to_the_same_weights(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = reference.table(3000).drop_nulls("label")
    rng = np.random.default_rng(0)
    features = np.log(rows.select(FOUR.speech_columns).to_numpy())
    labels = np.array([reference.CLASSES.index(label) for label in rows["label"]])
    weights = rng.uniform(0.1, 2, len(labels))
    monkeypatch.setattr(regression, "PART", part)
    assert len(labels) > regression.MANY_ROWS
    found = Regression.fit(features, labels, weights, 4)
    expected = LogisticRegression(C=1, tol=1e-8, max_iter=10_000)
    expected.fit(features, labels, sample_weight=weights)
    assert found.weights == pytest.approx(expected.coef_, abs=1e-4)
    assert found.offsets == pytest.approx(expected.intercept_, abs=1e-4)
