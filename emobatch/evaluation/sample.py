"""Labelled rows as measures take them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.evaluation.bootstrap import Units, units
from emobatch.evaluation.figure import STAGES
from emobatch.evaluation.intervals import Bounds, Place, intervals
from emobatch.evaluation.metrics import Indices, class_indices
from emobatch.evaluation.normalisation import WORDS
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Sample:
    """Rows that are measured together.

    Attributes:
        rows: with ``label``, a class, and any of a final table's columns.
        task: the classes.
        resamples: bootstrap resamples that intervals come from, 0 for none.
        group: value of `--by` that the rows have, None for all rows together.
        normalisation: of texts, see :func:`emobatch.evaluation.normalisation.normalised`.
    """

    rows: pl.DataFrame
    task: Task
    resamples: int = 0
    group: str | None = None
    normalisation: str = WORDS

    @property
    def stages(self) -> dict[str, str]:
        """Columns of predictions that there are, by stage."""
        return {stage: name for stage, name in STAGES.items() if name in self.rows.columns}

    @cached_property
    def scored(self) -> pl.DataFrame:
        """The rows that have predictions, in all stages; all where only text is measured."""
        present = [pl.col(name).is_not_null() for name in self.stages.values()]
        return self.rows.filter(pl.all_horizontal(present)) if present else self.rows

    @cached_property
    def labels(self) -> Indices:
        """(scored,) index of each row's class."""
        return class_indices(self.scored["label"], self.task.classes, "labels")

    @cached_property
    def predictions(self) -> Mapping[str, Indices]:
        """(scored,) index of the class predicted, by stage."""
        classes, scored = self.task.classes, self.scored
        return {
            stage: class_indices(scored[name], classes, "predictions")
            for stage, name in self.stages.items()
        }

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """(scored, classes) the speech branch's probabilities."""
        return self.scored.select(self.task.speech_columns).to_numpy()

    @cached_property
    def drawn(self) -> Units:
        """What is drawn of the scored rows."""
        return units(self.scored)

    @cached_property
    def bounds(self) -> Mapping[Place, Bounds]:
        """Intervals of the figures that confusion matrices give; empty without resamples."""
        if not self.resamples or not self.stages or self.scored.is_empty():
            return {}
        drawn, classes = self.drawn, self.task.classes
        return intervals(self.labels, self.predictions, classes, drawn, self.resamples)

    def between(
        self, stage: str, name: str, of_class: str | None = None
    ) -> tuple[float | None, float | None]:
        """The interval of one of these figures.

        Args:
            stage: ``before``, ``after`` or ``difference``.
            name: of the figure.
            of_class: class that it is about.

        Returns:
            Its bounds, None where there is no interval.
        """
        bounds = self.bounds.get((stage, name, of_class))
        return (None, None) if bounds is None else bounds
