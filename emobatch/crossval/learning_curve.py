"""What so many labelled rows give: methods fitted on draws of the rows that a fold fits on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import CalibrationError
from emobatch.evaluation.draws import LEVEL, prediction_interval
from emobatch.evaluation.metrics import HEADLINE, Metrics, metrics
from emobatch.fusion.held_out import HeldOut
from emobatch.fusion.methods import METHODS
from emobatch.tasks.labels_read import LABEL
from emobatch.tasks.task import Task

DRAWS, SEED = 20, 0


@dataclass(frozen=True)
class LearningCurve:
    """Methods fitted on few labelled rows.

    Attributes:
        draws: by method and number of labelled rows, the UA, WA and F1 of each draw, means over
            the folds in percent.
    """

    draws: Mapping[str, Mapping[int, Sequence[Metrics]]]

    def mean(self, method: str, labelled: int, figure: str) -> float:
        """Mean of a figure over the draws, in percent."""
        return round(mean(draw[figure] for draw in self.draws[method][labelled]), 2)

    def interval(self, method: str, labelled: int, figure: str) -> tuple[float, float]:
        """Bounds between which one more draw lies in 95 of 100 cases, in percent."""
        return prediction_interval([draw[figure] for draw in self.draws[method][labelled]])

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON.

        Returns:
            What the draws are, and by method and number of ``labelled`` rows, for each figure its
            ``mean`` with ``low`` and ``high``, the bounds of one more draw.
        """
        return {
            **{"draws": DRAWS, "seed": SEED, "level": LEVEL},
            "methods": {
                method: [{"labelled": count, **self._figures(method, count)} for count in by_count]
                for method, by_count in self.draws.items()
            },
        }

    def _figures(self, method: str, labelled: int) -> dict[str, Any]:
        return {name: self._of(method, labelled, name) for name in HEADLINE}

    def _of(self, method: str, labelled: int, figure: str) -> dict[str, float]:
        low, high = self.interval(method, labelled, figure)
        return {"mean": self.mean(method, labelled, figure), "low": low, "high": high}


def learning_curve(
    folds: Mapping[str, HeldOut],
    methods: Mapping[str, Mapping[str, Any]],
    counts: Sequence[int],
    task: Task,
) -> LearningCurve:
    """Fit methods on draws of labelled rows, and measure them on the rows that test.

    The rows that aren't drawn stand as rows without a label.

    Args:
        folds: their rows, by name.
        methods: options by name of the method.
        counts: of labelled rows, each in rising order.
        task: the classes.

    Returns:
        Figures of each draw; the same for the same rows in any order.

    Raises:
        CalibrationError: if a fold has fewer rows, or more classes, than are to be drawn.
    """
    drawn = {
        count: [
            [drawn_from(fold, count, draw, f"fold {name!r}") for name, fold in folds.items()]
            for draw in range(DRAWS)
        ]
        for count in counts
    }
    return LearningCurve(
        {
            method: {
                count: [_means(parts, method, options, task) for parts in draws]
                for count, draws in drawn.items()
            }
            for method, options in methods.items()
        }
    )


def drawn_from(fold: HeldOut, count: int, draw: int, name: str = "the table") -> HeldOut:
    """Draw labelled rows to fit on, as many of each class as its share, and one at least.

    Args:
        fold: the rows.
        count: how many are drawn.
        draw: number of the draw, from 0.
        name: what to call the fold in a message.

    Returns:
        The same with the drawn rows to fit on; the others are without labels.

    Raises:
        CalibrationError: if there are fewer rows, or more classes.
    """
    rows = fold.fitted_on
    sizes = dict(rows[LABEL].value_counts().sort(LABEL).iter_rows())
    if not len(sizes) <= count <= len(rows):
        raise CalibrationError(
            f"--labelled {count}: {name} has {len(rows)} labelled rows of {len(sizes)} classes to "
            "fit on; give no more than it has rows, and no fewer than classes"
        )
    by = [column for column, kind in rows.schema.items() if not kind.is_nested()]
    rows = rows.sort(by, maintain_order=True, nulls_last=True)
    generator = np.random.default_rng([SEED, count, draw])
    labels = rows[LABEL].to_numpy()
    taken = np.zeros(len(rows), bool)
    for label, share in zip(sizes, shares(list(sizes.values()), count), strict=True):
        taken[generator.choice(np.flatnonzero(labels == label), share, replace=False)] = True
    others = pl.concat([fold.others, rows.filter(~taken)])
    return replace(fold, fitted_on=rows.filter(taken), others=others)


def shares(sizes: Sequence[int], count: int) -> NDArray[np.intp]:
    """Deal a number of rows out to classes, by their sizes and one to each at least.

    Args:
        sizes: (classes,) rows of each, none of them 0.
        count: at least as many as classes, at most as many as rows.

    Returns:
        (classes,) how many of each; they sum to the number. By largest remainders.

    Examples:
        >>> shares([90, 9, 1], 10).tolist()
        [7, 2, 1]
    """
    left = np.array(sizes) - 1
    exact = left * (count - len(sizes)) / max(int(left.sum()), 1)
    found = np.floor(exact).astype(np.intp)
    missing = count - len(sizes) - int(found.sum())
    found[np.argsort(found - exact, kind="stable")[:missing]] += 1
    return found + 1


def _means(
    parts: Sequence[HeldOut], method: str, options: Mapping[str, Any], task: Task
) -> Metrics:
    figures = []
    for part in parts:
        emotions = part.decide(part.fit(METHODS[method], task, options))["emotion"]
        figures.append(metrics(part.tested[LABEL], emotions, task.classes))
    return {name: mean(each[name] for each in figures) for name in HEADLINE}
