"""What methods that pool both branches' probabilities have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.fusion import evidence
from emobatch.fusion.evidence import Floats
from emobatch.fusion.method import Method
from emobatch.tables.score_columns import FINAL, text_columns
from emobatch.tasks.task import Task

SPEECH, FUSION, NO_TEXT, CONTEXT = DECIDERS = ("speech", "fusion", "no-text", "context")


class Pooling(Method):
    """Gives each class one probability, of what both branches say of it.

    A class that the text branch doesn't know keeps the probability that the speech branch gives it;
    so do all classes of a row of which the text branch says nothing.
    """

    task: Task

    @property
    def columns(self) -> Mapping[str, type[pl.DataType]]:  # type: ignore[override]
        """What :meth:`decide` adds, the probabilities ``final_CLASS`` among it."""
        return decision_columns(self.task)

    @abstractmethod
    def pool(self, speech: Floats, text: Floats) -> Floats:
        """Pool what the branches say of the classes that both know.

        Args:
            speech: (rows, known classes) probabilities.
            text: the same of the text branch, each row sums to 1.

        Returns:
            (rows, known classes) at least 0; of any sum, for they are normalised afterwards.
        """

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Take the class of the highest pooled probability; of equals the first.

        Args:
            rows: a score table.

        Returns:
            The rows with ``final_CLASS``, ``emotion`` and ``decided_by``.
        """
        inputs = evidence.columns(rows.collect_schema().names(), self.task)
        return evidence.with_computed(rows, inputs, self._decided, self.columns)

    def pooled(self, speech: Floats, text: Floats) -> Floats:
        """Probabilities of all classes.

        Args:
            speech: (rows, classes) probabilities.
            text: (rows, classes), NaN for classes that it doesn't know and rows without text.

        Returns:
            (rows, classes) probabilities; NaN throughout a row without speech scores.
        """
        known = np.isfinite(text).any(axis=0)
        told = np.isfinite(text[:, known]).all(axis=1) & known.any()
        found = speech.copy()
        if not told.any():
            return found
        heard = speech[np.ix_(told, known)]
        both = self.pool(heard, text[np.ix_(told, known)])
        share = heard.sum(axis=1, keepdims=True) / both.sum(axis=1, keepdims=True)
        found[np.ix_(told, known)] = both * share
        return found

    def needs_text(self) -> pl.Expr:
        """Say that any row's emotion can depend on the text branch."""
        return pl.col(self.task.speech_columns[0]).is_not_null()

    def _decided(self, rows: pl.DataFrame) -> dict[str, Any]:
        found = self.pooled(
            evidence.speech(rows, self.task), evidence.text_of_classes(rows, self.task)
        )
        return decided(found, self.task, by_text(rows))


def decision_columns(task: Task) -> dict[str, type[pl.DataType]]:
    """Columns of a method that gives probabilities.

    Args:
        task: the classes.

    Returns:
        ``final_CLASS``, ``emotion`` and ``decided_by``, with their types.
    """
    names = [f"{FINAL}{name}" for name in task.classes]
    return {**dict.fromkeys(names, pl.Float64), "emotion": pl.String, "decided_by": pl.String}


def by_text(rows: pl.DataFrame) -> NDArray[np.intp]:
    """Say what decides rows that both branches are asked about.

    Args:
        rows: with what the text branch says.

    Returns:
        (rows,) numbers of ``fusion``, and of ``no-text`` where it says nothing, in ``DECIDERS``.
    """
    told = rows[text_columns(rows.columns)[0]].is_not_null().to_numpy()
    return np.where(told, DECIDERS.index(FUSION), DECIDERS.index(NO_TEXT))


def decided(final: Floats, task: Task, by: NDArray[np.intp]) -> dict[str, pl.Series]:
    """Columns of a final table, of final probabilities.

    Args:
        final: (rows, classes) probabilities, NaN throughout a row that nothing is known of.
        task: the classes.
        by: (rows,) what decided, a number in ``DECIDERS``.

    Returns:
        Values of ``final_CLASS``, ``emotion`` and ``decided_by``, null where nothing is known.
    """
    known = evidence.known(final)
    # The last of the names is that of a row that nothing is known of.
    best = np.where(known, final.argmax(axis=1), len(task.classes))
    by = np.where(known, by, len(DECIDERS))
    numbers = {
        f"{FINAL}{name}": pl.Series(final[:, place], nan_to_null=True)
        for place, name in enumerate(task.classes)
    }
    return {
        **numbers,
        "emotion": pl.Series([*task.classes, None]).gather(best),
        "decided_by": pl.Series([*DECIDERS, None]).gather(by),
    }
