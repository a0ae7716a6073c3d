"""Figures of predictions against labels: UA, WA, macro F1, per class, confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import LabelError

Metrics = dict[str, float]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
# What predictions are judged by, in the order in which it is shown everywhere.
HEADLINE = ("UA", "WA", "F1")
# Those of each class, and what `figures` calls them.
OF_CLASSES = {"precision": "precision", "recall": "recall", "F1": "class F1"}


def metrics(labels: pl.Series, predictions: pl.Series, classes: Sequence[str]) -> Metrics:
    """UA (mean recall over the classes that occur), WA (accuracy) and macro F1.

    Args:
        labels: (rows,) class names.
        predictions: (rows,) class names.
        classes: those that there are.

    Returns:
        The three figures in percent, rounded to two decimals.

    Raises:
        LabelError: if there are no rows, or a value is no class.

    Examples:
        >>> labels, predictions = ["sad", "sad", "happy"], ["sad", "happy", "happy"]
        >>> metrics(pl.Series(labels), pl.Series(predictions), ("happy", "sad"))
        {'UA': 75.0, 'WA': 66.67, 'F1': 66.67}
    """
    return headline(_counts(labels, predictions, classes))


def per_class(
    labels: pl.Series, predictions: pl.Series, classes: Sequence[str]
) -> dict[str, Metrics]:
    """Precision, recall and F1 of each class, and how many rows are labelled with it.

    What is divided by nothing is 0, as scikit-learn has it: the precision of a class that is never
    predicted, the recall of one without support.

    Args:
        labels: (rows,) class names.
        predictions: (rows,) class names.
        classes: those that there are.

    Returns:
        By class, in their order: ``precision``, ``recall`` and ``F1`` in percent,
        rounded to two decimals, and ``support`` in rows.

    Raises:
        LabelError: if there are no rows, or a value is no class.

    Examples:
        >>> labels, predictions = ["sad", "sad", "happy"], ["sad", "happy", "sad"]
        >>> per_class(pl.Series(labels), pl.Series(predictions), ("happy", "sad"))["sad"]
        {'precision': 50.0, 'recall': 50.0, 'F1': 50.0, 'support': 2}
    """
    counts = _counts(labels, predictions, classes)
    found = confusion_figures(counts[None])
    columns = {name: np.nan_to_num(found[column][0]) for name, column in OF_CLASSES.items()}
    return {
        name: {
            **{figure: round(float(values[place]), 2) for figure, values in columns.items()},
            "support": int(counts[place].sum()),
        }
        for place, name in enumerate(classes)
    }


def confusion(labels: pl.Series, predictions: pl.Series, classes: Sequence[str]) -> list[list[int]]:
    """How many rows of each label were predicted as each class.

    Args:
        labels: (rows,) class names.
        predictions: (rows,) class names.
        classes: those that there are.

    Returns:
        A row of counts for each label, with a column for each prediction, both in the order of
        the classes.

    Raises:
        LabelError: if there are no rows, or a value is no class.

    Examples:
        >>> confusion(pl.Series(["angry", "sad"]), pl.Series(["sad", "sad"]), ("angry", "sad"))
        [[0, 1], [0, 1]]
    """
    counts: list[list[int]] = _counts(labels, predictions, classes).astype(int).tolist()
    return counts


def confusion_counts(true: Indices, guess: Indices, size: int) -> Floats:
    """Count rows by class and prediction.

    Args:
        true: (rows,) places of the classes.
        guess: (rows,) places of the predictions.
        size: number of classes.

    Returns:
        (size, size) rows by class and prediction.

    Examples:
        >>> confusion_counts(np.array([0, 1]), np.array([1, 1]), 2).tolist()
        [[0.0, 1.0], [0.0, 1.0]]
    """
    counts = np.bincount(true * size + guess, minlength=size * size)
    return counts.reshape(size, size).astype(np.float64)


def headline(counts: Floats) -> Metrics:
    """UA, WA and macro F1 of a confusion matrix.

    Args:
        counts: (classes, classes) rows by label and prediction.

    Returns:
        By name, in percent, rounded to two decimals.

    Examples:
        >>> headline(np.array([[1.0, 1.0], [0.0, 1.0]]))
        {'UA': 75.0, 'WA': 66.67, 'F1': 66.67}
    """
    found = confusion_figures(counts[None])
    return {name: round(float(found[name][0]), 2) for name in HEADLINE}


def confusion_figures(counts: Floats) -> dict[str, Floats]:
    """UA, WA, macro F1 and the figures of each class, for many confusion matrices at once.

    Args:
        counts: (n, classes, classes) rows by label and prediction.

    Returns:
        See :func:`figures`.

    Examples:
        >>> percent = confusion_figures(np.array([[[1.0, 1.0], [0.0, 1.0]]]))
        >>> float(percent["UA"][0]), percent["precision"][0].tolist()
        (75.0, [100.0, 50.0])
    """
    right = np.diagonal(counts, axis1=1, axis2=2)
    return figures(right, counts.sum(axis=2), counts.sum(axis=1))


def figures(right: Floats, support: Floats, predicted: Floats) -> dict[str, Floats]:
    """UA, WA, macro F1 and the figures of each class, of many tables at once.

    Args:
        right: (n, classes) rows of each label that are predicted as it.
        support: (n, classes) rows of each label.
        predicted: (n, classes) rows predicted as each class.

    Returns:
        In percent: (n,) ``UA``, ``WA`` and ``F1``; (n, classes) ``precision``, ``recall`` and
        ``class F1``, NaN where they would be divided by nothing. Means are over the classes that
        have a value, which for F1 are those that occur as label or prediction.

    Examples:
        >>> right, support, predicted = np.array([[[1.0, 1.0]], [[2.0, 1.0]], [[1.0, 2.0]]])
        >>> float(figures(right, support, predicted)["UA"][0])
        75.0
    """
    recall, f1 = _ratio(right, support), _ratio(2 * right, support + predicted)
    return {
        "UA": _mean(recall),
        "WA": _ratio(right.sum(axis=1), support.sum(axis=1)),
        "F1": _mean(f1),
        "precision": _ratio(right, predicted),
        "recall": recall,
        "class F1": f1,
    }


def class_indices(values: pl.Series, classes: Sequence[str], what: str = "classes") -> Indices:
    """Number the classes of rows that all have one.

    Args:
        values: (rows,) class names.
        classes: those that there are, in order.
        what: what to call the rows in a message.

    Returns:
        (rows,) their places among the classes.

    Raises:
        LabelError: if a value is null or no class.

    Examples:
        >>> class_indices(pl.Series(["sad", "angry"]), ("angry", "sad")).tolist()
        [1, 0]
    """
    places = values.cast(pl.String).cast(pl.Enum(classes), strict=False)
    if places.null_count():
        row = places.is_null().arg_max() or 0
        raise LabelError(
            f"{what}: row {row + 1} is {values[row]!r}, not one of {', '.join(classes)}; "
            "drop rows without a class first"
        )
    return places.to_physical().to_numpy().astype(np.intp)


def _counts(labels: pl.Series, predictions: pl.Series, classes: Sequence[str]) -> Floats:
    if labels.is_empty():
        raise LabelError("no rows to measure; look at the labels and --where")
    true = class_indices(labels, classes, "labels")
    guess = class_indices(predictions, classes, "predictions")
    return confusion_counts(true, guess, len(classes))


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio = np.full(whole.shape, np.nan)
    np.divide(100 * part, whole, out=ratio, where=whole > 0)
    return ratio


def _mean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1)) / 100
