"""What `calibrate` found, and where that comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.evaluation.metrics import Metrics
from emobatch.fusion.file import Fitted
from emobatch.fusion.method import Method
from emobatch.tables.fitted_rows import ID, FittedRows
from emobatch.tables.provenance import date, software
from emobatch.tables.score_table import ScoreTable


@dataclass(frozen=True)
class Calibration:
    """What `calibrate` found.

    Attributes:
        fitted: as written to the file.
        before: UA, WA and F1 in percent of the speech branch, on the rows it was fitted on; of a
            method that decides attributes, the CCC of each.
        after: those of the final emotions or attributes, on the same rows.
    """

    fitted: Fitted
    before: Metrics
    after: Metrics


def made_of(scores: ScoreTable, rows: pl.DataFrame, method: Method) -> dict[str, Any]:
    """Take down where what was fitted comes from, for ``[fitted]``.

    Args:
        scores: the table.
        rows: those of it that were fitted on.
        method: as fitted.

    Returns:
        Tables, date, software, models and ids.
    """
    return {
        "scored_with": scored_with(scores, method),
        "tables": [Path(name).name for name in scores.sources],
        "where": scores.where,
        "date": date(),
        "software": software(["polars", "numpy", "scikit-learn"]),
        "models": scores.provenance.get("models"),
        "ids": ids_of(rows),
        **_origin(scores),
    }


def scored_with(scores: ScoreTable, method: Method) -> dict[str, Any] | None:
    """Take down the options of `score` that what a method reads depends on, for ``[fitted]``.

    Args:
        scores: the table that it is fitted on.
        method: as fitted.

    Returns:
        Their values by name, None where it depends on none.
    """
    options = scores.provenance.get("options") or {}
    return {name: options.get(name) for name in method.score_options} or None


def ids_of(rows: pl.DataFrame) -> dict[str, Any] | None:
    """Take down which rows a method is fitted on, for ``[fitted]``.

    Args:
        rows: those that it is fitted on.

    Returns:
        See :class:`emobatch.tables.fitted_rows.FittedRows`; None where the rows have no ids.
    """
    fitted = FittedRows.of(rows[ID]) if ID in rows.columns else None
    return fitted.to_document() if fitted is not None and fitted.rows else None


def _origin(scores: ScoreTable) -> dict[str, Any]:
    options = scores.provenance.get("options") or {}
    language = {name: options.get(name) for name in ("language", "transcript_language")}
    return {**language, "manifests": list(scores.manifests) or None}
