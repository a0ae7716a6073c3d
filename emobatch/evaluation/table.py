"""What was measured, as a file: JSON, or one long table with a row for each figure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.evaluation.document import document
from emobatch.evaluation.figure import Figure
from emobatch.evaluation.measures import every_measure
from emobatch.evaluation.result import Evaluation
from emobatch.tables import writing
from emobatch.tables.provenance import date, software

JSON = ".json"
SCHEMA: Mapping[str, type[pl.DataType]] = {
    "group": pl.String,
    "stage": pl.String,
    "figure": pl.String,
    "class": pl.String,
    "to": pl.String,
    "coverage": pl.Float64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def write(evaluation: Evaluation, target: Path, made_of: Mapping[str, Any]) -> None:
    """Write what was measured.

    Args:
        evaluation: what `evaluate` gave.
        target: ``.json`` for the whole, a table's extension for :func:`long_table`.
        made_of: what was measured, for the table's metadata.

    Raises:
        OutputError: if it can't be written.
    """
    if target.suffix.lower() == JSON:
        text = json.dumps(document(evaluation), ensure_ascii=False)
        writing.write_text(target, text + "\n")
        return
    read = {} if evaluation.labels is None else {"labels": evaluation.labels.as_dict()}
    versions = {"date": date(), "software": software(["polars", "scikit-learn"])}
    provenance = {**made_of, **read, **versions}
    writing.write(long_table(evaluation).lazy(), target, provenance)


def long_table(evaluation: Evaluation) -> pl.DataFrame:
    """Lay out what was measured as a row for each figure.

    Args:
        evaluation: what `evaluate` gave.

    Returns:
        ``group``, the value of `--by`, null for all rows together; ``stage``, ``before``, ``after``
        or ``difference``, or ``text`` for the text branch alone; ``figure``; ``class`` that it is
        about, and ``to``, the class predicted (of ``confusion``) or changed to (of
        ``transition_…``); ``coverage``, the percentage of rows kept, those of least entropy, where
        not all are; ``value``, and ``low`` and ``high``, its 95 % interval. What a figure has none
        of is null.

    Examples:
        >>> from emobatch.evaluation.measured_rows import evaluate_rows
        >>> from emobatch.tasks.task import Task
        >>> rows = pl.DataFrame({"label": ["sad", "angry"], "emotion": ["sad", "sad"]})
        >>> evaluation = evaluate_rows(rows, Task.of(["angry", "sad"]), bootstrap=0)
        >>> long_table(evaluation).select("stage", "figure", "value").rows()[:2]
        [(None, 'rows', 2.0), ('after', 'UA', 50.0)]
    """
    measures = {measure.name: measure for measure in every_measure()}
    rows = [_row(each) for each in evaluation.figures if measures[each.measure].is_listed(each)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _row(figure: Figure) -> tuple[Any, ...]:
    described = (figure.group, figure.stage, figure.name, figure.of_class, figure.to)
    return (*described, figure.coverage, figure.value, figure.low, figure.high)
