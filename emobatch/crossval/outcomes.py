"""What methods made of the rows that test in a fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.metrics import Indices, Metrics, class_indices, metrics
from emobatch.evaluation.reliability import calibration_error, risk_coverage_area
from emobatch.tables.uncertainty import entropy
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Outcomes:
    """The rows that test in one fold, as each method decided them.

    Attributes:
        speaker: (rows,) who speaks, None where the table doesn't say.
        labels: (rows,) numbers of classes.
        decided: (rows,) the same of each method.
        classes: how many there are.
        figures: UA, WA and F1 in percent, by method.
        flagged: how many rows each method flags, None for one that flags none.
        calibration_error: of each method's probabilities, in percent; None where it gives none.
        risk_coverage_area: area under each method's curve of risk against coverage, in percent.
            Rows of the highest entropy are left out first: of the method's probabilities where it
            gives some, else of the speech branch's.
    """

    speaker: pl.Series | None
    labels: Indices
    decided: Mapping[str, Indices]
    classes: int
    figures: Mapping[str, Metrics]
    flagged: Mapping[str, int | None]
    calibration_error: Mapping[str, float | None]
    risk_coverage_area: Mapping[str, float]

    @classmethod
    def of(cls, tested: pl.DataFrame, decided: Mapping[str, pl.DataFrame], task: Task) -> Outcomes:
        """Measure methods.

        Args:
            tested: labelled and scored rows.
            decided: the same rows as each method decided them.
            task: the classes.

        Returns:
            What came of it.
        """
        names, classes = tested["label"], task.classes
        labels = class_indices(names, classes, "labels")
        found = {
            method: class_indices(rows["emotion"], classes, "predictions")
            for method, rows in decided.items()
        }
        return cls(
            tested[SPEAKER] if SPEAKER in tested.columns else None,
            labels,
            found,
            len(classes),
            {method: metrics(names, rows["emotion"], classes) for method, rows in decided.items()},
            {method: _flagged(rows) for method, rows in decided.items()},
            {method: _calibration_error(rows, labels, task) for method, rows in decided.items()},
            {
                method: _area(rows, found[method] == labels, task)
                for method, rows in decided.items()
            },
        )


def _flagged(decided: pl.DataFrame) -> int | None:
    if "flagged" in decided.columns:
        return int(decided["flagged"].sum())
    return 0 if (decided["decided_by"] == "speech").all() else None


def _probabilities(decided: pl.DataFrame, task: Task) -> Sequence[str] | None:
    # Where the speech branch decides every row, its probabilities are those of the decisions.
    final = [f"final_{name}" for name in task.classes]
    if set(final) <= set(decided.columns):
        return final
    kept = (decided["emotion"] == decided["speech_emotion"]) & (decided["decided_by"] == "speech")
    return task.speech_columns if kept.all() else None


def _calibration_error(decided: pl.DataFrame, labels: Indices, task: Task) -> float | None:
    names = _probabilities(decided, task)
    if names is None:
        return None
    return round(calibration_error(decided.select(names).to_numpy(), labels), 2)


def _area(decided: pl.DataFrame, right: NDArray[np.bool_], task: Task) -> float:
    names = _probabilities(decided, task)
    surprise = "entropy" if names is None else entropy(names).alias("entropy")
    uncertain = decided.select(surprise).to_series().to_numpy()
    return round(risk_coverage_area(uncertain, right), 2)
