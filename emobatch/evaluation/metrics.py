"""Figures of predictions against labels: UA, WA, macro F1, per class, confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import LabelError

Metrics = dict[str, float]
Indices = NDArray[np.intp]
# What predictions are judged by, in the order in which it is shown everywhere.
HEADLINE = ("UA", "WA", "F1")
OF_CLASSES = ("precision", "recall", "F1")


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
    from sklearn.metrics import accuracy_score, f1_score, recall_score

    true, guess = _indices(labels, predictions, classes)
    occurring = sorted(set(true.tolist()))
    figures = {
        "UA": recall_score(true, guess, labels=occurring, average="macro", zero_division=0),
        "WA": accuracy_score(true, guess),
        "F1": f1_score(true, guess, average="macro", zero_division=0),
    }
    return {name: round(100 * float(value), 2) for name, value in figures.items()}


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
    from sklearn.metrics import precision_recall_fscore_support

    true, guess = _indices(labels, predictions, classes)
    columns = precision_recall_fscore_support(
        true, guess, labels=range(len(classes)), zero_division=0
    )
    return {
        name: {
            "precision": round(100 * float(precision), 2),
            "recall": round(100 * float(recall), 2),
            "F1": round(100 * float(f1), 2),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(classes, *columns, strict=True)
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
    from sklearn.metrics import confusion_matrix

    true, guess = _indices(labels, predictions, classes)
    counts: list[list[int]] = confusion_matrix(true, guess, labels=range(len(classes))).tolist()
    return counts


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
    names = values.cast(pl.String)
    bad = names.is_null() | ~names.is_in(list(classes))
    if bad.any():
        row = bad.arg_max() or 0
        raise LabelError(
            f"{what}: row {row + 1} is {values[row]!r}, not one of {', '.join(classes)}; "
            "drop rows without a class first"
        )
    places = names.replace_strict(list(classes), range(len(classes)), return_dtype=pl.Int64)
    return places.to_numpy().astype(np.intp)


def _indices(
    labels: pl.Series, predictions: pl.Series, classes: Sequence[str]
) -> tuple[Indices, Indices]:
    if labels.is_empty():
        raise LabelError("no rows to measure; look at the labels and --where")
    return (
        class_indices(labels, classes, "labels"),
        class_indices(predictions, classes, "predictions"),
    )
