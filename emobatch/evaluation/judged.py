"""What a language model's review is worth: by its confidence, and by the confidence asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.evaluation.figure import AFTER
from emobatch.evaluation.metrics import Indices, class_indices, confusion_counts, headline
from emobatch.evaluation.sample import Sample
from emobatch.tables.judged import is_judged
from emobatch.tasks.label_columns import canonical

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Of the class of a row that a model says nothing of.
NOTHING = -1
# Bounds of the confidences that rows are counted by; the last bin has both of its ends.
BOUNDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(21))
# By which a threshold is chosen: what the paper gives.
CHOSEN_BY = "F1"
REMEDY = "did `emobatch judge` write this table?"


@dataclass(frozen=True)
class Reviewed:
    """Labelled rows of a judged table.

    Attributes:
        labels: (rows,) index of each row's class.
        fused: (rows,) that of the emotion before the review.
        said: (rows,) that of what the language model says, -1 where it says nothing.
        confidence: (rows,) 0 to 1, NaN where it says nothing.
        size: number of classes.
    """

    labels: Indices
    fused: Indices
    said: Indices
    confidence: Floats
    size: int

    def kept(self, rows: Bools) -> Reviewed:
        """Pick some rows.

        Args:
            rows: (rows,) which.

        Returns:
            Those.
        """
        return replace(
            self,
            labels=self.labels[rows],
            fused=self.fused[rows],
            said=self.said[rows],
            confidence=self.confidence[rows],
        )

    def emotions(self, least: float | None) -> Indices:
        """Say which emotions a threshold would give.

        Args:
            least: confidence from which what the model says is taken; None for never.

        Returns:
            (rows,) index of each row's class.

        Examples:
            >>> said = np.array([1, 1, NOTHING])
            >>> rows = Reviewed(said, np.array([0, 0, 0]), said, np.array([0.9, 0.5, np.nan]), 2)
            >>> rows.emotions(0.8).tolist()
            [1, 0, 0]
        """
        if least is None:
            return self.fused
        return np.where((self.said != NOTHING) & (self.confidence >= least), self.said, self.fused)

    def figures(self, least: float | None) -> dict[str, float]:
        """Measure what a threshold would give.

        Args:
            least: as for :meth:`emotions`.

        Returns:
            UA, WA and macro F1 in percent, rounded to two decimals.

        Examples:
            >>> said = np.array([1, 1])
            >>> rows = Reviewed(np.array([1, 0]), np.array([0, 0]), said, np.array([0.9, 0.5]), 2)
            >>> rows.figures(0.8)["WA"], rows.figures(None)["WA"]
            (100.0, 50.0)
        """
        return self.measured(self.emotions(least))

    def measured(self, emotions: Indices) -> dict[str, float]:
        """Measure emotions.

        Args:
            emotions: (rows,) index of each row's class.

        Returns:
            UA, WA and macro F1 in percent, rounded to two decimals.
        """
        return headline(confusion_counts(self.labels, emotions, self.size))


def reviewed(sample: Sample) -> Reviewed | None:
    """Take what was reviewed of labelled rows.

    Args:
        sample: the rows.

    Returns:
        The scored ones of them; None where no language model has reviewed the table.

    Raises:
        LabelError: if it says an emotion that is no class.
    """
    rows, task = sample.scored, sample.task
    if rows.is_empty() or AFTER not in sample.stages or not is_judged(rows.columns):
        return None
    fused, said = (
        canonical(rows[name], task.labels, remedy=REMEDY)
        for name in ("fused_emotion", "judge_emotion")
    )
    places = said.replace_strict(
        list(task.classes), range(len(task.classes)), default=NOTHING, return_dtype=pl.Int64
    )
    return Reviewed(
        sample.labels,
        class_indices(fused, task.classes, "emotions before the review"),
        places.fill_null(NOTHING).to_numpy().astype(np.intp),
        rows["judge_confidence"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        len(task.classes),
    )


def bins(confidence: Floats) -> list[tuple[tuple[float, float], Bools]]:
    """Sort rows by how sure the model is of them.

    Args:
        confidence: (rows,) 0 to 1, NaN where it says nothing.

    Returns:
        Bounds of each bin, the upper one in it only where that is 1, and (rows,) which rows it has.

    Examples:
        >>> [int(rows.sum()) for _, rows in bins(np.array([0.8, 0.89, 1.0, np.nan]))]
        [0, 0, 0, 0, 2, 1]
    """
    found = []
    for low, high in pairwise(BOUNDS):
        below = confidence < high if high < 1 else confidence <= high
        found.append(((low, high), (confidence >= low) & below))
    return found


def chosen(by_threshold: Mapping[float, float], without: float) -> float | None:
    """Choose the confidence from which to believe a model.

    Args:
        by_threshold: a figure by threshold, the higher the better.
        without: the same figure where the model is never believed.

    Returns:
        The threshold of the best figure, of equals the highest, for it changes least; None where
        none does better than no review.

    Examples:
        >>> chosen({0.5: 60.0, 0.8: 62.0, 0.9: 62.0}, 61.0), chosen({0.5: 60.0}, 60.0)
        (0.9, None)
    """
    best = max(by_threshold.values())
    if best <= without:
        return None
    return max(at for at, value in by_threshold.items() if value == best)
