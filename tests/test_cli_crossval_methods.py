"""`crossval --method A,B`: what methods gain, how sure that is, and how they differ."""

from __future__ import annotations

import io
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from published import FIXTURE
from samples import csv, score_rows
from scipy.stats import binomtest
from sklearn.metrics import recall_score

from emobatch.cli.main import main
from emobatch.crossval.comparison import Comparison
from emobatch.crossval.outcomes import Outcomes
from emobatch.fusion.methods import METHODS
from emobatch.fusion.speech import Speech
from emobatch.tasks.task import Task

Cli = Callable[..., Result]
FIGURES = ("UA", "WA", "F1")
ASKED = ("selection", "hierarchy", "logistic")


def spoken_rows(count: int = 480, speakers: int = 12) -> pl.DataFrame:
    """Two folds of the same rows, each tested on half of the speakers but two."""
    rows = score_rows(count).with_columns(
        speaker=pl.concat_str(pl.lit("s"), pl.int_range(pl.len()) % speakers)
    )
    number = pl.col("speaker").str.slice(1).cast(pl.Int64)
    half = speakers // 2
    folds = []
    for fold in range(2):
        tests = (number >= fold * half) & (number < (fold + 1) * half - 1)
        split = pl.when(tests).then(pl.lit("test")).when(number == speakers - 1).then(pl.lit("val"))
        folds.append(rows.with_columns(fold=pl.lit(fold), split=split.otherwise(pl.lit("train"))))
    return pl.concat(folds)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("scores") / "rows.parquet"
    spoken_rows().write_parquet(file)
    return file


@pytest.fixture(scope="module")
def thresholds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of each fold and method."""
    return tmp_path_factory.mktemp("thresholds")


@pytest.fixture(scope="module")
def compared(table: Path, thresholds: Path) -> dict[str, Any]:
    options = ["--method", ",".join(ASKED), "--thresholds-out", str(thresholds), "--json"]
    result = CliRunner().invoke(main, ["crossval", str(table), *options])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def decided(
    table: Path, thresholds: Path, compared: dict[str, Any]
) -> dict[str, list[pl.DataFrame]]:
    """The test rows of each fold by method, decided by `apply`."""

    def apply(fold: int, method: str) -> pl.DataFrame:
        where = f"fold = {fold} AND split = 'test'"
        file = thresholds / f"fold_{fold}_{method}.toml"
        command = ["apply", str(table), "-t", str(file), "--where", where]
        return pl.read_csv(io.StringIO(CliRunner().invoke(main, command).stdout))

    found = {method: [apply(fold, method) for fold in range(2)] for method in ASKED}
    plain = [rows.with_columns(emotion="speech_emotion") for rows in found["selection"]]
    return {"speech": plain, **found}


def ua(rows: pl.DataFrame) -> float:
    return 100 * float(recall_score(rows["label"], rows["emotion"], average="macro"))


def test_each_method_has_its_means_and_what_it_gains(
    compared: dict[str, Any], decided: dict[str, list[pl.DataFrame]]
) -> None:
    plain = [round(ua(rows), 2) for rows in decided["speech"]]
    assert "gain" not in compared["methods"]["speech"]["UA"]
    for method in ASKED:
        mine = [round(ua(rows), 2) for rows in decided[method]]
        found = compared["methods"][method]["UA"]
        assert [fold["value"] for fold in found["folds"]] == mine
        assert found["mean"] == pytest.approx(np.mean(mine), abs=0.006)
        assert found["gain"]["value"] == pytest.approx(np.mean(mine) - np.mean(plain), abs=0.006)
        assert found["folds_up"] == sum(a > b for a, b in zip(mine, plain, strict=True))


def test_each_fold_says_whose_its_figures_are(compared: dict[str, Any]) -> None:
    for name, fold in compared["folds"].items():
        assert list(fold["methods"]) == list(compared["methods"])
        for method, figures in fold["methods"].items():
            listed = compared["methods"][method]["UA"]["folds"]
            assert [each["value"] for each in listed if each["fold"] == name] == [figures["UA"]]
        assert fold["method"] == ASKED[0] and fold["after"] == fold["methods"][ASKED[0]]


def drawn_gains(method: list[pl.DataFrame], plain: list[pl.DataFrame]) -> list[float]:
    """Gains of resamples of speakers, each drawn with all its rows."""
    rng = np.random.default_rng(1)
    parts = {
        name: (fold, rows["label"].to_numpy(), rows["emotion"].to_numpy(), before.to_numpy())
        for fold, (whole, other) in enumerate(zip(method, plain, strict=True))
        for (name,), rows in whole.with_columns(before=other["emotion"]).group_by("speaker")
        for before in (rows["before"],)
    }

    def average_recall(names: list[str], at: int) -> float:
        labels, found = (np.concatenate([parts[name][n] for name in names]) for n in (1, at))
        return 100 * float(np.mean([(found == c)[labels == c].mean() for c in set(labels)]))

    gains = []
    for _ in range(1500):
        names = rng.choice(sorted(parts), len(parts))
        found, weights = [], []
        for fold in range(2):
            mine = [name for name in names if parts[name][0] == fold]
            if mine:
                found.append(average_recall(mine, 2) - average_recall(mine, 3))
                weights.append(len(mine))
        gains.append(float(np.average(found, weights=weights)))
    return gains


def test_intervals_are_of_speakers_drawn_whole(
    compared: dict[str, Any], decided: dict[str, list[pl.DataFrame]]
) -> None:
    gains = drawn_gains(decided["hierarchy"], decided["speech"])
    wanted = np.percentile(gains, [2.5, 97.5])
    gain = compared["methods"]["hierarchy"]["UA"]["gain"]
    assert [gain["low"], gain["high"]] == pytest.approx(wanted, abs=0.8)
    said = compared["intervals"]
    assert (said["unit"], said["units"], said["resamples"]) == ("speaker", 10, 1000)


def test_folds_weigh_by_how_many_of_their_speakers_are_drawn() -> None:
    # Eight speakers with a fold each; a method has all of four right and of the others nothing.
    labels = np.zeros(5, dtype=np.intp)
    nothing = dict.fromkeys(FIGURES, 0.0)
    folds = {
        str(number): Outcomes(
            pl.Series([f"s{number}"] * 5),
            labels,
            {"speech": labels + 1, "other": labels + (number % 2)},
            2,
            {"speech": nothing, "other": dict.fromkeys(FIGURES, 100.0 * (1 - number % 2))},
            {}, {}, {},
        )
        for number in range(8)
    }  # fmt: skip
    gain = Comparison(folds).difference("other", "speech")
    assert gain.value["UA"] == 50
    # Of eight draws one to seven hit such a speaker, in 95 of 100 cases.
    assert gain.bounds["UA"] == pytest.approx((100 / 8, 700 / 8))


def test_without_speakers_rows_are_drawn(cli: Cli) -> None:
    rows = csv(spoken_rows().drop("speaker"))
    found = json.loads(cli("crossval", "--method", "hierarchy", "--json", input=rows).stdout)
    assert (found["intervals"]["unit"], found["intervals"]["units"]) == ("row", 400)


def test_confidence_is_measured_as_evaluate_does(
    cli: Cli, table: Path, compared: dict[str, Any]
) -> None:
    measured = []
    for fold in range(2):
        where = f"fold = {fold} AND split = 'test'"
        command = ("evaluate", table, "--where", where, "--json", "--bootstrap", 0)
        measured.append(json.loads(cli(*command).stdout))
    speech = compared["methods"]["speech"]
    errors = [each["calibration_error"] for each in measured]
    areas = [each["risk_coverage"]["area"]["before"] for each in measured]
    for name, values in (("calibration_error", errors), ("risk_coverage_area", areas)):
        assert [fold["value"] for fold in speech[name]["folds"]] == values
        assert speech[name]["mean"] == pytest.approx(np.mean(values), abs=0.006)


def test_a_methods_own_probabilities_are_what_is_measured(
    compared: dict[str, Any], decided: dict[str, list[pl.DataFrame]]
) -> None:
    for rows, fold in zip(
        decided["logistic"], compared["methods"]["logistic"]["calibration_error"]["folds"],
        strict=True,
    ):  # fmt: skip
        final = rows.select(f"final_{name}" for name in ("angry", "happy", "neutral", "sad"))
        sure, right = final.to_numpy().max(axis=1), rows["emotion"] == rows["label"]
        bins = pl.DataFrame({"bin": np.ceil(10 * sure), "sure": sure, "right": right})
        gaps = bins.group_by("bin").agg(
            pl.len(), gap=(pl.col("sure").mean() - pl.col("right").mean()).abs()
        )
        error = 100 * (gaps["len"] * gaps["gap"]).sum() / len(rows)
        assert fold["value"] == pytest.approx(error, abs=0.006)
    for method in ("selection", "hierarchy"):  # which give none
        assert compared["methods"][method]["calibration_error"]["mean"] is None
        assert compared["methods"][method]["risk_coverage_area"]["mean"] > 0


def test_methods_are_compared_in_pairs(
    compared: dict[str, Any], decided: dict[str, list[pl.DataFrame]]
) -> None:
    pairs = {(pair["method"], pair["against"]): pair for pair in compared["pairs"]}
    assert set(pairs) == {
        ("hierarchy", "selection"), ("logistic", "selection"), ("logistic", "hierarchy"),
    }  # fmt: skip
    for (method, other), pair in pairs.items():
        one, two = (pl.concat(decided[name], how="diagonal") for name in (method, other))
        first, second = (rows["emotion"] == rows["label"] for rows in (one, two))
        better, worse = int((first & ~second).sum()), int((second & ~first).sum())
        tested = pair["paired_test"]
        assert (tested["better"], tested["worse"]) == (better, worse)
        assert tested["p"] == pytest.approx(binomtest(better, better + worse).pvalue)
        means = [compared["methods"][name]["UA"]["mean"] for name in (method, other)]
        assert pair["UA"]["value"] == pytest.approx(means[0] - means[1], abs=0.011)
        assert pair["UA"]["low"] <= pair["UA"]["value"] <= pair["UA"]["high"]


def test_the_tables_for_people_have_the_same_figures_on_80_columns(
    cli: Cli, table: Path, compared: dict[str, Any]
) -> None:
    lines = cli("crossval", table, "--method", ",".join(ASKED)).stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("means over folds"))
    assert max(map(len, lines[at:])) <= 80
    shown = [line.split() for line in lines[at:]]
    best = max(compared["methods"], key=lambda name: compared["methods"][name]["UA"]["mean"])
    for method in ASKED:
        entry = compared["methods"][method]
        gain, error = entry["UA"]["gain"], entry["calibration_error"]["mean"]
        assert [
            method, *(f"{entry[name]['mean']:.2f}" for name in FIGURES), f"{gain['value']:+.2f}",
            f"{gain['low']:.2f}", "to", f"{gain['high']:.2f}", f"{entry['UA']['folds_up']}/2",
            "-" if error is None else f"{error:.2f}",
            f"{entry['risk_coverage_area']['mean']:.2f}",
        ] in shown  # fmt: skip
        assert method == best or sum(cells[:1] == [method] for cells in shown) == 2


@dataclass(frozen=True)
class Curious(Speech):
    """Takes down what it is given."""

    name = "curious"
    uses_unlabelled = True
    whole_table = True
    given: ClassVar[list[pl.DataFrame]] = []

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        cls.given.append(rows)
        return cls(task)

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        self.given.append(rows.collect())
        return super().decide(rows)

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        return cls(task)


@pytest.fixture
def curious() -> Iterator[type[Curious]]:
    METHODS.register("curious", Curious)
    Curious.given.clear()
    yield Curious
    METHODS.remove("curious")


def test_methods_that_need_it_get_the_whole_fold_without_test_labels(
    cli: Cli, curious: type[Curious]
) -> None:
    # Some rows have no label at all, and a few of these no split either.
    blank = pl.int_range(pl.len()) % 7 == 0
    rows = spoken_rows().with_columns(label=pl.when(~blank).then("label"))
    result = cli("crossval", "--method", "curious", "--fit-on", "val", "--json", input=csv(rows))
    assert result.exit_code == 0, result.stderr
    fold = rows.filter(pl.col("fold") == 0)
    fitted_on, decided = curious.given[:2]
    assert sorted(fitted_on["id"]) == sorted(decided["id"]) == sorted(fold["id"])
    labelled = fold.filter(pl.col("split") == "val")["label"].drop_nulls()
    assert sorted(fitted_on["label"].drop_nulls()) == sorted(labelled)
    assert "label" not in decided.columns


def test_labels_of_test_rows_touch_nothing(cli: Cli, tmp_path: Path) -> None:
    rows = spoken_rows(240)
    turned = pl.when(pl.col("split") == "test").then(pl.lit("angry")).otherwise("label")
    documents = []
    for number, part in enumerate((rows, rows.with_columns(label=turned))):
        folder = tmp_path / str(number)
        command = ("crossval", "--method", "logistic,average", "--thresholds-out", folder)
        assert cli(*command, input=csv(part)).exit_code == 0
        files = sorted(folder.iterdir())
        assert len(files) == 4
        documents.append([tomllib.loads(file.read_text()) for file in files])
    for document in documents[0] + documents[1]:
        document.pop("fitted")
    assert documents[0] == documents[1]


def test_published_scores_of_a_fold(cli: Cli) -> None:
    result = cli("crossval", FIXTURE.table, "--method", "hierarchy,logistic", "--json")
    found = json.loads(result.stdout)["methods"]
    # Without a column of speakers none is centred.
    assert found["logistic"]["UA"]["mean"] == pytest.approx(72.94, abs=0.01)
    gain = found["hierarchy"]["UA"]["gain"]
    assert gain["value"] < 0 and found["hierarchy"]["UA"]["folds_up"] == 0
