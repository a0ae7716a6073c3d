"""The method for a corpus, chosen by leaving speakers out of its labelled rows.

Of the methods whose mean is within one standard error of the best the simplest is taken (Breiman,
Friedman, Olshen and Stone, *Classification and Regression Trees*, 1984, section 3.4.3): a smaller
lead may be chance, and what is simpler is likelier to do as well on other speech.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev
from typing import Any

import polars as pl

from emobatch.errors import CalibrationError
from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.metrics import metrics
from emobatch.fusion.held_out import HeldOut
from emobatch.fusion.methods import BEST, METHODS
from emobatch.splits.roles import TrainedOn
from emobatch.splits.scheme import deal
from emobatch.tasks.task import Task

# From the simplest on: nothing is fitted, one number is, a pair for each class, a regression.
CANDIDATES = ("speech", "max", "average", "hierarchy", "selection", "logistic")
# Of more speakers several are left out together.
MOST_GROUPS, FEWEST_GROUPS = 10, 2


@dataclass(frozen=True)
class Choice:
    """Which method was chosen, and by what.

    Attributes:
        method: its name.
        figures: mean UA in percent by method, from the simplest on.
        best: the method of the highest mean.
        standard_error: of that mean.
        speakers: how many there are.
        groups: how many groups they were left out in.
        skipped: why other methods could not be fitted.
    """

    method: str
    figures: Mapping[str, float]
    best: str
    standard_error: float
    speakers: int
    groups: int
    skipped: Mapping[str, str]

    @property
    def why(self) -> str:
        """Say in words why this method was chosen."""
        highest = f"{self.figures[self.best]:.2f} % by {self.best}"
        if self.method == self.best:
            return (
                f"{self.method} has the highest mean UA, {self.figures[self.best]:.2f} %, and none "
                f"that is simpler is within one standard error ({self.standard_error:.2f}) of it"
            )
        return (
            f"{self.method} is the simplest whose mean UA, {self.figures[self.method]:.2f} %, is "
            f"within one standard error ({self.standard_error:.2f}) of the highest, {highest}"
        )

    def notes(self) -> list[str]:
        """Say what was chosen, and what of."""
        left_out = f"{self.speakers} speakers left out in {self.groups} groups"
        figures = ", ".join(f"{name} {value:.2f}" for name, value in self.figures.items())
        skipped = (f"{name} can't be fitted: {why}" for name, why in self.skipped.items())
        return [f"--method best: {self.why}", f"mean UA in %, {left_out}: {figures}", *skipped]

    def to_document(self) -> dict[str, Any]:
        """What stands in ``[fitted.chosen]``."""
        return {
            "why": self.why,
            "UA": dict(self.figures),
            "standard_error": self.standard_error,
            "speakers": self.speakers,
            "groups": self.groups,
            "skipped": dict(self.skipped) or None,
        }


def choose(
    rows: pl.DataFrame,
    unlabelled: pl.DataFrame,
    task: Task,
    options: Mapping[str, Mapping[str, Any]],
    trained_on: TrainedOn | None = None,
) -> Choice:
    """Choose the method to fit.

    Args:
        rows: labelled and scored, with ``speaker``.
        unlabelled: further rows of the same tables.
        task: the classes.
        options: by name of each method to choose from, in any order.
        trained_on: splits that the speech model was trained on; None where that is not known.

    Returns:
        The choice, the same in whatever order the rows are.

    Raises:
        CalibrationError: if there are no two speakers, or no method can be fitted.
    """
    parts = [
        HeldOut(rows.filter(~test), rows.filter(test), unlabelled, trained_on)
        for test in _groups(rows)
    ]
    figures: dict[str, list[float]] = {}
    skipped = {}
    for name in sorted(options, key=CANDIDATES.index):
        try:
            figures[name] = [_measured(part, name, task, options[name]) for part in parts]
        except CalibrationError as error:
            skipped[name] = str(error)
    if not figures:
        raise CalibrationError(f"--method {BEST}: {'; '.join(skipped.values())}")
    means = {name: round(mean(values), 2) for name, values in figures.items()}
    best = max(means, key=lambda name: means[name])
    standard_error = round(stdev(figures[best]) / sqrt(len(parts)), 2)
    chosen = next(name for name in means if means[name] >= means[best] - standard_error)
    speakers = rows[SPEAKER].drop_nulls().n_unique()
    return Choice(chosen, means, best, standard_error, speakers, len(parts), skipped)


def _groups(rows: pl.DataFrame) -> list[pl.Series]:
    if SPEAKER not in rows.columns or rows[SPEAKER].n_unique() < FEWEST_GROUPS:
        raise CalibrationError(
            f"--method {BEST} leaves speakers out, and needs labelled rows of two at least; add a "
            "column 'speaker' to the table, or name a method"
        )
    names = rows[SPEAKER].cast(pl.String)
    groups = deal(names.drop_nulls(), MOST_GROUPS, FEWEST_GROUPS)
    # A row that names no speaker is always fitted on: whose it is can't be said.
    return [names.is_in(group).fill_null(value=False) for group in groups]


def _measured(part: HeldOut, name: str, task: Task, options: Mapping[str, Any]) -> float:
    decided = part.decide(part.fit(METHODS[name], task, options))
    return metrics(part.tested["label"], decided["emotion"], task.classes)["UA"]
