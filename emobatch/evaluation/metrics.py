"""Figures of predictions against labels: UA, WA, macro F1, per class, confusion matrix."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import LabelError
from emobatch.tables.score_table import emotion_index
from emobatch.tasks.labels import EMOTIONS

Metrics = dict[str, float]
Indices = NDArray[np.intp]


def metrics(labels: pl.Series, predictions: pl.Series) -> Metrics:
    """UA (mean recall over the classes that occur), WA (accuracy) and macro F1.

    Args:
        labels: (rows,) class names.
        predictions: (rows,) class names.

    Returns:
        The three figures in percent, rounded to two decimals.

    Raises:
        LabelError: if there are no rows, or a value is no class.

    Examples:
        >>> metrics(pl.Series(["sad", "sad", "happy"]), pl.Series(["sad", "happy", "happy"]))
        {'UA': 75.0, 'WA': 66.67, 'F1': 66.67}
    """
    from sklearn.metrics import accuracy_score, f1_score, recall_score

    true, guess = _indices(labels, predictions)
    occurring = sorted(set(true.tolist()))
    figures = {
        "UA": recall_score(true, guess, labels=occurring, average="macro", zero_division=0),
        "WA": accuracy_score(true, guess),
        "F1": f1_score(true, guess, average="macro", zero_division=0),
    }
    return {name: round(100 * float(value), 2) for name, value in figures.items()}


def per_class(labels: pl.Series, predictions: pl.Series) -> dict[str, Metrics]:
    """Precision, recall and F1 of each class, and how many rows are labelled with it.

    What is divided by nothing is 0, as scikit-learn has it: the precision of a class that is never
    predicted, the recall of one without support.

    Args:
        labels: (rows,) class names.
        predictions: (rows,) class names.

    Returns:
        By class, in the order of ``EMOTIONS``: ``precision``, ``recall`` and ``F1`` in percent,
        rounded to two decimals, and ``support`` in rows.

    Raises:
        LabelError: if there are no rows, or a value is no class.

    Examples:
        >>> labels, predictions = ["sad", "sad", "happy"], ["sad", "happy", "sad"]
        >>> per_class(pl.Series(labels), pl.Series(predictions))["sad"]
        {'precision': 50.0, 'recall': 50.0, 'F1': 50.0, 'support': 2}
    """
    from sklearn.metrics import precision_recall_fscore_support

    true, guess = _indices(labels, predictions)
    columns = precision_recall_fscore_support(
        true, guess, labels=range(len(EMOTIONS)), zero_division=0
    )
    return {
        name: {
            "precision": round(100 * float(precision), 2),
            "recall": round(100 * float(recall), 2),
            "F1": round(100 * float(f1), 2),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(EMOTIONS, *columns, strict=True)
    }


def confusion(labels: pl.Series, predictions: pl.Series) -> list[list[int]]:
    """How many rows of each label were predicted as each class.

    Args:
        labels: (rows,) class names.
        predictions: (rows,) class names.

    Returns:
        A row of counts for each label, with a column for each prediction, both in the order of
        ``EMOTIONS``.

    Raises:
        LabelError: if there are no rows, or a value is no class.

    Examples:
        >>> confusion(pl.Series(["angry", "sad"]), pl.Series(["sad", "sad"]))
        [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    """
    from sklearn.metrics import confusion_matrix

    true, guess = _indices(labels, predictions)
    counts: list[list[int]] = confusion_matrix(true, guess, labels=range(len(EMOTIONS))).tolist()
    return counts


def class_indices(emotions: pl.Series, what: str = "emotions") -> Indices:
    """Number the classes of rows that all have one.

    Args:
        emotions: (rows,) class names.
        what: what to call the rows in a message.

    Returns:
        (rows,) their places in ``EMOTIONS``.

    Raises:
        LabelError: if a value is null or no class.

    Examples:
        >>> class_indices(pl.Series(["sad", "angry"])).tolist()
        [3, 0]
    """
    bad = emotions.is_null() | ~emotions.cast(pl.String).is_in(EMOTIONS)
    if bad.any():
        row = bad.arg_max() or 0
        raise LabelError(
            f"{what}: row {row + 1} is {emotions[row]!r}, not one of {', '.join(EMOTIONS)}; "
            "drop rows without a class first"
        )
    return emotion_index(emotions.cast(pl.String)).to_numpy().astype(np.intp)


def _indices(labels: pl.Series, predictions: pl.Series) -> tuple[Indices, Indices]:
    if labels.is_empty():
        raise LabelError("no rows to measure; look at the labels and --where")
    return class_indices(labels, "labels"), class_indices(predictions, "predictions")
