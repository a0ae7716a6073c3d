"""Confidence intervals of the figures that a confusion matrix gives, and of their differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.evaluation.bootstrap import Units, interval, resampled_counts
from emobatch.tasks.labels import EMOTIONS

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
OF_CLASSES = ("precision", "recall", "F1")


def intervals(
    labels: Indices, stages: Mapping[str, Indices], drawn: Units, resamples: int
) -> dict[str, dict[str, Any]]:
    """95 % intervals of UA, WA, macro F1 and the figures of each class.

    Args:
        labels: (rows,) index of each row's class.
        stages: (rows,) index of the class predicted, by stage; one or two stages.
        drawn: what is resampled.
        resamples: number of bootstrap resamples.

    Returns:
        By stage, and as ``difference`` of the second stage from the first on the same resamples:
        ``UA``, ``WA``, ``F1``, each as bounds in percent, and ``classes``, which has ``precision``,
        ``recall`` and ``F1`` for each class, None where no resample gives the figure.

    Examples:
        >>> labels = np.array([0, 0, 1, 1])
        >>> drawn = Units("row", np.arange(4), 4)
        >>> intervals(labels, {"before": labels}, drawn, 20)["before"]["WA"]
        [100.0, 100.0]
    """
    size = len(EMOTIONS)
    shape = (size,) * (1 + len(stages))
    cells = np.ravel_multi_index((labels, *stages.values()), shape).astype(np.int64)
    counts = resampled_counts(cells, size ** len(shape), drawn, resamples)
    counts = counts.reshape(-1, *shape)
    # Summed over what the other stage predicted.
    axes = range(2, 2 + len(stages))
    figures = {
        stage: confusion_figures(counts.sum(axis=tuple(axis for axis in axes if axis != own)))
        for stage, own in zip(stages, axes, strict=True)
    }
    if len(stages) > 1:
        first, second = figures.values()
        figures["difference"] = {name: second[name] - first[name] for name in first}
    return {stage: _bounds(values) for stage, values in figures.items()}


def confusion_figures(counts: Floats) -> dict[str, Floats]:
    """UA, WA, macro F1 and the figures of each class, for many confusion matrices at once.

    Args:
        counts: (n, classes, classes) rows by label and prediction.

    Returns:
        In percent: (n,) ``UA``, ``WA`` and ``F1``; (n, classes) ``precision``, ``recall`` and
        ``class F1``, NaN where they would be divided by nothing. Means are over the classes that
        have a value, which for F1 are those that occur as label or prediction.

    Examples:
        >>> found = confusion_figures(np.array([[[1.0, 1.0], [0.0, 1.0]]]))
        >>> float(found["UA"][0]), found["precision"][0].tolist()
        (75.0, [100.0, 50.0])
    """
    right = np.diagonal(counts, axis1=1, axis2=2)
    support, predicted = counts.sum(axis=2), counts.sum(axis=1)
    recall, f1 = _ratio(right, support), _ratio(2 * right, support + predicted)
    return {
        "UA": _mean(recall),
        "WA": _ratio(right.sum(axis=1), counts.sum(axis=(1, 2))),
        "F1": _mean(f1),
        "precision": _ratio(right, predicted),
        "recall": recall,
        "class F1": f1,
    }


def _bounds(figures: Mapping[str, Floats]) -> dict[str, Any]:
    bounds: dict[str, Any] = {name: interval(figures[name]) for name in ("UA", "WA", "F1")}
    columns: Sequence[str] = ("precision", "recall", "class F1")
    bounds["classes"] = {
        name: {
            figure: interval(figures[column][:, number])
            for figure, column in zip(OF_CLASSES, columns, strict=True)
        }
        for number, name in enumerate(EMOTIONS)
    }
    return bounds


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio = np.full(whole.shape, np.nan)
    np.divide(100 * part, whole, out=ratio, where=whole > 0)
    return ratio


def _mean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1)) / 100
