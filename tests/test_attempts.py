"""Rows that end the process that scores them: found by halves, whatever else goes away."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from emobatch.models.choice import Choice
from emobatch.scorers.plan import Plan
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.runners.attempts import LOST, TRIES, Lost, attempts

CHOICE = Choice(models="demo")


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe(Plan.of(CHOICE, CHOICE.find_checkpoints()), None, None, Path())  # type: ignore[arg-type]


def rows(count: int) -> pl.DataFrame:
    names = [str(number) for number in range(count)]
    return pl.DataFrame({"path": [f"{name}.wav" for name in names], "id": names})


def scored(recipe: Recipe, asked: pl.DataFrame) -> pl.DataFrame:
    """As models would; the entropy says which rows were scored together."""
    schema = recipe.plan.schema
    together = hash(tuple(asked["id"])) % 1000 / 7
    given = [{"id": name, "entropy": together, "status": "ok"} for name in asked["id"]]
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in given], schema=schema)
    return asked.drop(*schema, strict=False).hstack(frame)


def run(
    recipe: Recipe, chunk: pl.DataFrame, deadly: set[str], gone: frozenset[int] = frozenset()
) -> tuple[pl.DataFrame, list[list[str]]]:
    """What comes of a chunk, and what was tried; `gone` are tries whose machine goes away."""
    tried: list[list[str]] = []
    trying = attempts(recipe, chunk)
    asked = next(trying)
    while True:
        tried.append(asked["id"].to_list())
        is_lost = deadly & set(tried[-1]) or len(tried) - 1 in gone
        try:
            asked = trying.send(Lost("lost") if is_lost else scored(recipe, asked))
        except StopIteration as done:
            return done.value, tried


@pytest.mark.parametrize("deadly", [set(), {"0"}, {"5"}, {"10"}, {"2", "3"}, {"0", "4", "10"}])
def test_rows_that_end_their_process_fail_and_no_others(recipe: Recipe, deadly: set[str]) -> None:
    chunk = rows(11)
    found, tried = run(recipe, chunk, deadly)
    assert found["id"].to_list() == chunk["id"].to_list()
    failed = found.filter(status="error")
    assert set(failed["id"]) == deadly and set(failed["error"]) <= {f"worker: {LOST}"}
    # The others are as if these had failed in any other way: scored together.
    fine = chunk.filter(~pl.col("id").is_in(sorted(deadly)))
    assert found.filter(status="ok").equals(scored(recipe, fine))
    losses = sum(bool(deadly & set(each)) for each in tried)
    assert losses <= TRIES + 6 * len(deadly)


@pytest.mark.parametrize("gone", [{0}, {0, 1}, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 2, 5, 9}])
def test_machines_that_go_away_cost_no_row(recipe: Recipe, gone: set[int]) -> None:
    found, _ = run(recipe, rows(8), set(), frozenset(gone))
    assert found["status"].unique().to_list() == ["ok"]
    assert found["id"].to_list() == rows(8)["id"].to_list()
    if len(gone) < TRIES:
        assert found.equals(scored(recipe, rows(8)))


def test_a_row_that_is_alone_is_tried_again_before_it_fails(recipe: Recipe) -> None:
    found, tried = run(recipe, rows(1), {"0"})
    assert found["status"].to_list() == ["error"] and len(tried) == TRIES + 2


def test_where_all_end_their_process_all_fail(recipe: Recipe) -> None:
    found, _ = run(recipe, rows(3), {"0", "1", "2"})
    assert found["status"].to_list() == ["error"] * 3
