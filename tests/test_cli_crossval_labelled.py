"""`crossval --labelled N,…`: what so many labelled rows give."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import pytest
from click.testing import Result
from refusals import refusal
from samples import csv, score_rows
from scipy.stats import t

from emobatch.crossval.learning_curve import shares
from emobatch.evaluation.metrics import metrics
from emobatch.fusion.methods import METHODS
from emobatch.fusion.speech import Speech
from emobatch.tasks.task import Task

Cli = Callable[..., Result]


@dataclass(frozen=True)
class Parrot(Speech):
    """Says the labels of the rows that it was fitted on, one after the other."""

    name = "parrot"
    uses_unlabelled = True
    heard: pl.Series | None = None
    given: ClassVar[list[pl.DataFrame]] = []

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        cls.given.append(rows)
        return cls(task, rows.sort("id")["label"].drop_nulls())

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        table = rows.collect()
        assert self.heard is not None
        said = (self.heard.to_list() * len(table))[: len(table)]
        decided_by = pl.lit("speech")
        return table.lazy().with_columns(emotion=pl.Series(said), decided_by=decided_by)

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        return cls(task)


@pytest.fixture(autouse=True)
def parrot() -> Iterator[type[Parrot]]:
    METHODS.register("parrot", Parrot)
    Parrot.given.clear()
    yield Parrot
    METHODS.remove("parrot")


def rows() -> pl.DataFrame:
    return score_rows(120).with_columns(fold=pl.int_range(pl.len()) % 2)


def curve(cli: Cli, table: pl.DataFrame, counts: str = "4,20", *options: str) -> dict[str, Any]:
    command = ("crossval", "--method", "parrot", "--labelled", counts, "--json", *options)
    result = cli(*command, input=csv(table))
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)["labelled"]


def test_figures_are_of_draws_that_have_each_class_and_leave_the_others_unlabelled(
    cli: Cli, parrot: type[Parrot]
) -> None:
    found = curve(cli, rows())
    assert (found["draws"], found["level"]) == (20, 95)
    drawn = parrot.given[2:]  # the first two folds are of all labelled rows
    assert len(drawn) == 2 * 20 * 2
    known = [each["label"].drop_nulls() for each in drawn]
    assert [len(labels) for labels in known] == [4] * 40 + [20] * 40
    assert all(labels.n_unique() == 4 for labels in known)
    # What isn't drawn, and what tests, is there without a label.
    assert {len(each) for each in drawn} == {120}
    assert len({tuple(each.drop_nulls("label")["id"]) for each in drawn}) == 80
    for number, count in enumerate((4, 20)):
        figures = []
        for fold in range(2):
            tested = rows().filter(pl.col("fold") == fold)["label"]
            figures.append([])
            for draw in range(20):
                fitted = drawn[40 * number + 2 * draw + fold].sort("id")["label"].drop_nulls()
                said = pl.Series((fitted.to_list() * len(tested))[: len(tested)])
                figures[-1].append(
                    metrics(tested, said, ("angry", "happy", "neutral", "sad"))["UA"]
                )
        values = np.mean(figures, axis=0)
        point = found["methods"]["parrot"][number]
        far = t.ppf(0.975, 19) * values.std(ddof=1) * np.sqrt(1 + 1 / 20)
        wanted = (values.mean(), values.mean() - far, values.mean() + far)
        assert point["labelled"] == count
        assert [point["UA"][name] for name in ("mean", "low", "high")] == pytest.approx(
            wanted, abs=0.011
        )


def test_draws_are_the_same_whatever_the_rows_order(cli: Cli, parrot: type[Parrot]) -> None:
    for table in (rows(), rows().sample(fraction=1, shuffle=True, seed=2)):
        curve(cli, table, "8")
    drawn = [sorted(each.drop_nulls("label")["id"]) for each in parrot.given]
    half = len(drawn) // 2
    assert drawn[:half] == drawn[half:]


def test_the_table_for_people_has_them_beside_all_rows(cli: Cli) -> None:
    points = curve(cli, rows(), "20,4,20")["methods"]["parrot"]
    assert [point["labelled"] for point in points] == [4, 20]
    command = ("crossval", "--method", "parrot", "--labelled", "4,20")
    lines = cli(*command, input=csv(rows())).stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("UA by labelled rows"))
    shown = [line.split() for line in lines[at:]]
    assert ["method", "4", "20", "all"] in shown
    means = [f"{point['UA']['mean']:.2f}" for point in points]
    assert next(line for line in shown if line[:1] == ["parrot"])[1:3] == means
    spans = " ".join(f"{point['UA']['low']:.2f} to {point['UA']['high']:.2f}" for point in points)
    assert f"95 % {spans}" in [" ".join(line) for line in shown]


def test_without_the_option_nothing_is_drawn(cli: Cli) -> None:
    result = cli("crossval", "--method", "speech", "--json", input=csv(rows()))
    assert "labelled" not in json.loads(result.stdout)


@pytest.mark.parametrize(
    ("sizes", "count"), [([90, 9, 1], 3), ([90, 9, 1], 100), ([5, 5], 7), ([1, 1, 50], 10)]
)
def test_each_class_has_its_share_and_one_row_at_least(sizes: list[int], count: int) -> None:
    found = shares(sizes, count)
    assert found.sum() == count and (found >= 1).all() and (found <= sizes).all()
    exact = 1 + (np.array(sizes) - 1) * (count - len(sizes)) / (sum(sizes) - len(sizes))
    assert (np.abs(found - exact) < 1).all()


@pytest.mark.parametrize("counts", ["3", "61"])
def test_what_cannot_be_drawn_is_refused(cli: Cli, counts: str) -> None:
    said = refusal(cli("crossval", "--labelled", f"20,{counts}", input=csv(rows())))
    assert f"--labelled {counts}: fold '0' has 60 labelled rows of 4 classes" in said


@pytest.mark.parametrize("counts", ["many", "20,", "-5", "1.5"])
def test_what_is_no_number_is_wrong_usage(cli: Cli, counts: str) -> None:
    result = cli("crossval", "--labelled", counts, input=csv(rows()))
    assert result.exit_code == 2 and "whole numbers above 0" in result.stderr
