"""Improvised and scripted rows apart, where rows of a dialogue were decided together.

Context gains from neighbours that share a label, which improvisations for one emotion each do most.
"""

from __future__ import annotations

import polars as pl

from emobatch.evaluation.figure import AFTER, BEFORE, DIFFERENCE
from emobatch.evaluation.measured_rows import evaluate_rows
from emobatch.evaluation.result import Evaluation
from emobatch.fusion.context.chains import chains
from emobatch.fusion.description import Table, Value
from emobatch.fusion.pooling import CONTEXT
from emobatch.reporting.described import Block, Part, grid
from emobatch.tasks.task import Task

# As in IEMOCAP's ids: Ses05M_impro03_M045, Ses05M_script03_2_M045.
CONDITION = r"^Ses\d\d[FM]_(impro|script)"
SPOKEN = {"impro": "improvised", "script": "scripted"}
SAID = (
    "Rows of a dialogue were decided together. IEMOCAP's improvisations were played for one "
    "emotion each, so that a speaker's neighbouring rows share a label more often than in speech "
    "that nobody arranged: expect less of context there."
)
COLUMNS = ("", "rows", "neighbours that share a label, %", "UA before, %", "after, %", "gain")


def conditions_section(labelled: pl.DataFrame, task: Task) -> Part | None:
    """Lay out what improvised and scripted rows gained, each by themselves.

    Args:
        labelled: rows with ``label``, ``speech_emotion``, ``emotion``, ``decided_by`` and maybe
            ``id``.
        task: the classes.

    Returns:
        A table with a row for each of the two that is there; None where no row was decided by its
        neighbours, or ids don't say which is improvised.
    """
    if "id" not in labelled.columns or CONTEXT not in labelled["decided_by"]:
        return None
    condition = labelled["id"].cast(pl.String).str.extract(CONDITION)
    rows = tuple(
        _row(name, labelled.filter(condition == part), task)
        for part, name in SPOKEN.items()
        if part in condition
    )
    if not rows:
        return None
    blocks: list[Block] = [SAID, grid(Table("Improvised and scripted rows", COLUMNS, rows))]
    return Part("Improvised and scripted rows", tuple(blocks))


def _row(name: str, rows: pl.DataFrame, task: Task) -> tuple[str | int | Value | None, ...]:
    evaluation = evaluate_rows(rows, task)
    figures = (_value(evaluation, stage) for stage in (BEFORE, AFTER, DIFFERENCE))
    return (name, len(rows), Value(_shared(rows), 1), *figures)


def _value(evaluation: Evaluation, stage: str) -> Value:
    found = evaluation.get("UA", stage=stage)
    return Value(None) if found is None else Value(found.value, 2, found.low, found.high)


def _shared(rows: pl.DataFrame) -> float | None:
    # A row that stands twice, as in tables of several runs, is its own neighbour's neighbour once.
    once = rows.unique("id", keep="first", maintain_order=True)
    before, after = chains(once.select("id")).pairs
    labels = once["label"].to_numpy()
    return 100 * float((labels[before] == labels[after]).mean()) if len(before) else None
