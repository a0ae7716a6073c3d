"""Confidence intervals of the figures that a confusion matrix gives, and of their differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from emobatch.evaluation.bootstrap import Units, interval, resampled_totals
from emobatch.evaluation.figure import DIFFERENCE
from emobatch.evaluation.metrics import HEADLINE, OF_CLASSES, Floats, Indices, figures

# Stage, figure, and the class that it is about.
Place = tuple[str, str, str | None]
Bounds = tuple[float, float]


def intervals(
    labels: Indices,
    stages: Mapping[str, Indices],
    classes: Sequence[str],
    drawn: Units,
    resamples: int,
) -> dict[Place, Bounds]:
    """95 % intervals of UA, WA, macro F1 and the figures of each class.

    Args:
        labels: (rows,) index of each row's class.
        stages: (rows,) index of the class predicted, by stage; one or two stages.
        classes: their names.
        drawn: what is resampled.
        resamples: number of bootstrap resamples.

    Returns:
        By stage, and for ``difference`` of the second stage from the first on the same resamples,
        the bounds in percent of ``UA``, ``WA`` and ``F1``, whose class is None, and of
        ``precision``, ``recall`` and ``F1`` of each class; without those that no resample gives.

    Examples:
        >>> labels = np.array([0, 0, 1, 1])
        >>> drawn = Units("row", np.arange(4), 4)
        >>> bounds = intervals(labels, {"before": labels}, ("happy", "sad"), drawn, 20)
        >>> bounds["before", "WA", None]
        (100.0, 100.0)
    """
    size = len(classes)
    shape = (size,) * (1 + len(stages))
    cells = np.ravel_multi_index((labels, *stages.values()), shape).astype(np.int64)
    occurring, places = np.unique(cells, return_inverse=True)
    label, *guesses = np.unravel_index(occurring, shape)
    # Of each kind of row what it adds to the counts that figures are made of, and no more: there
    # are many more cells than such counts.
    parts = [_one_hot(label, size)]
    for guess in guesses:
        parts += [_one_hot(guess, size), _one_hot(label, size) * (label == guess)[:, None]]
    counts = resampled_totals(places, np.concatenate(parts, axis=1), drawn, resamples)
    support, *others = np.split(counts, len(parts), axis=1)
    by_stage = {
        stage: figures(right, support, predicted)
        for stage, predicted, right in zip(stages, others[::2], others[1::2], strict=True)
    }
    if len(stages) > 1:
        first, second = by_stage.values()
        by_stage[DIFFERENCE] = {name: second[name] - first[name] for name in first}
    return {
        place: bounds
        for stage, values in by_stage.items()
        for place, bounds in _bounds(stage, values, classes)
    }


def _one_hot(indices: Indices, size: int) -> Floats:
    return np.equal(indices[:, None], np.arange(size)).astype(np.float64)


def _bounds(
    stage: str, values: Mapping[str, Floats], classes: Sequence[str]
) -> Iterator[tuple[Place, Bounds]]:
    for name in HEADLINE:
        if bounds := interval(values[name]):
            yield (stage, name, None), (bounds[0], bounds[1])
    for number, of_class in enumerate(classes):
        for name, column in OF_CLASSES.items():
            if bounds := interval(values[column][:, number]):
                yield (stage, name, of_class), (bounds[0], bounds[1])
