"""What both branches say of each row, as arrays of probabilities and their logarithms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import ThresholdsError
from emobatch.tables.score_columns import text_columns
from emobatch.tasks.spellings import SENTIMENTS
from emobatch.tasks.task import Task

Floats = NDArray[np.float64]
# No probability is taken for less: its logarithm would outweigh all else.
LEAST = 1e-6
# A column that no table has: what is computed passes through it.
COMPUTED = "\0computed"


def speech(rows: pl.DataFrame, task: Task) -> Floats:
    """What the speech branch says.

    Args:
        rows: with ``speech_CLASS``.
        task: the classes.

    Returns:
        (rows, classes) probabilities; NaN throughout a row without scores.

    Examples:
        >>> rows = pl.DataFrame({"speech_sad": [0.2], "speech_happy": [0.8]})
        >>> speech(rows, Task.of(["sad", "happy"])).tolist()
        [[0.2, 0.8]]
    """
    return _numbers(rows, task.speech_columns)


def text(rows: pl.DataFrame, task: Task) -> Floats:
    """What the text branch says, in its own answers: sentiments, or classes.

    Where only the probability p of its top answer is known, the k - 1 others are (1 - p)/(k - 1)
    each.

    Args:
        rows: with ``sentiment`` and ``sentiment_score``, or ``text_emotion`` and ``text_score``;
            maybe with the probabilities ``text_ANSWER``.
        task: the classes.

    Returns:
        (rows, answers) probabilities; NaN throughout a row of which it says nothing.

    Examples:
        >>> rows = pl.DataFrame({"sentiment": ["positive"], "sentiment_score": [0.8]})
        >>> text(rows, Task.of(["sad", "happy"])).round(2).tolist()
        [[0.1, 0.1, 0.8]]
    """
    names = answers(rows.columns, task)
    said, score = text_columns(rows.columns)
    top = rows[score].cast(pl.Float64).to_numpy().astype(np.float64)
    place = rows[said].cast(pl.Enum(names)).to_physical().cast(pl.Float64).to_numpy()
    found = np.repeat(((1 - top) / (len(names) - 1))[:, None], len(names), axis=1)
    known = np.isfinite(top) & np.isfinite(place)
    found[known, place[known].astype(int)] = top[known]
    found[~known] = np.nan
    columns = [f"text_{name}" for name in names]
    if set(columns) <= set(rows.columns):
        whole = _numbers(rows, columns)
        # A class that the text model doesn't know is null in every row.
        present = known & np.isfinite(whole).any(axis=1)
        found[present] = np.nan_to_num(whole[present])
    return found


def text_of_classes(rows: pl.DataFrame, task: Task) -> Floats:
    """What the text branch says of the classes.

    A sentiment's probability is shared evenly between the classes that it stands for.

    Args:
        rows: as for :func:`text`.
        task: the classes, and what sentiments stand for.

    Returns:
        (rows, classes) probabilities that sum to 1 over the classes that the text branch knows;
        NaN for a class that it doesn't know, and throughout a row of which it says nothing.

    Examples:
        >>> rows = pl.DataFrame({"sentiment": ["negative"], "sentiment_score": [0.8]})
        >>> text_of_classes(rows, Task.of(["angry", "sad", "happy"])).round(2).tolist()
        [[0.44, 0.44, 0.11]]
    """
    found = text(rows, task)
    if text_columns(rows.columns)[0] == "sentiment":
        shares = np.zeros((len(SENTIMENTS), len(task.classes)))
        for number, sentiment in enumerate(SENTIMENTS):
            mine = [task.classes.index(name) for name in task.sentiments.get(sentiment, ())]
            shares[number, mine] = 1 / max(len(mine), 1)
        unknown = ~shares.any(axis=0)
        # No matrix product: that depends, in its last bits, on the rows beside a row.
        found = np.asarray(
            sum(each[:, None] * share for each, share in zip(found.T, shares, strict=True))
        )
    else:
        columns = [f"text_{name}" for name in task.classes]
        there = set(columns) <= set(rows.columns)
        unknown = np.array([there and rows[name].null_count() == len(rows) for name in columns])
    found[:, unknown] = np.nan
    total = np.nansum(found, axis=1, keepdims=True)
    found /= np.where(total > 0, total, np.nan)
    return np.asarray(found)


def logarithms(probabilities: Floats) -> Floats:
    """Natural logarithms of probabilities that are at least 1e-6, renormalised.

    Args:
        probabilities: (rows, classes), each row sums to 1 or is NaN.

    Returns:
        (rows, classes) in nats, at most 0; NaN where they are.

    Examples:
        >>> logarithms(np.array([[1.0, 0.0]])).round(2).tolist()
        [[-0.0, -13.82]]
    """
    clipped = np.clip(probabilities, LEAST, None)
    return np.asarray(np.log(clipped / clipped.sum(axis=1, keepdims=True)))


def answers(names: Sequence[str], task: Task) -> tuple[str, ...]:
    """What the text branch of a table can answer.

    Args:
        names: of the table's columns.
        task: its classes.

    Returns:
        The sentiments, or the classes where it has a text model of emotions.
    """
    return SENTIMENTS if text_columns(names)[0] == "sentiment" else task.classes


def known(values: Floats) -> NDArray[np.bool_]:
    """Say of which rows everything is known.

    Args:
        values: (rows, columns), NaN where not.

    Returns:
        (rows,) bools.
    """
    return np.asarray(np.isfinite(values).all(axis=1))


def columns(names: Sequence[str], task: Task) -> list[str]:
    """The columns that the functions of this file read.

    Args:
        names: of the table's columns.
        task: its classes.

    Returns:
        Those that are there.
    """
    wanted = (
        *task.speech_columns,
        *text_columns(names),
        *(f"text_{name}" for name in answers(names, task)),
    )
    return [name for name in wanted if name in names]


def check_answers(names: Sequence[str], task: Task, fitted: Sequence[str]) -> None:
    """Refuse a table whose text branch answers something else than the one that was fitted on.

    Args:
        names: of the table's columns.
        task: its classes.
        fitted: what the other one answered.

    Raises:
        ThresholdsError: names both.
    """
    found = answers(names, task)
    if set(found) != set(fitted):
        raise ThresholdsError(
            f"fitted on a text model that answers {', '.join(fitted)}, the table's answers "
            f"{', '.join(found)}; calibrate on this table"
        )


def with_computed(
    rows: pl.LazyFrame,
    inputs: Sequence[str],
    compute: Callable[[pl.DataFrame], Mapping[str, Any]],
    outputs: Mapping[str, type[pl.DataType]],
    *,
    whole: bool = False,
) -> pl.LazyFrame:
    """Add columns that are computed with arrays.

    Args:
        rows: a table.
        inputs: columns that are read.
        compute: of rows with these columns, gives the values of each new one.
        outputs: names and types of the new columns.
        whole: whether it needs all rows at once; else each row is computed of itself alone, piece
            by piece as the table streams.

    Returns:
        The table with the new columns, in place of such that it had.
    """

    def piece(series: pl.Series) -> pl.Series:
        found = compute(series.struct.unnest())
        return pl.DataFrame(found, schema=outputs).to_struct(COMPUTED)

    struct = pl.struct(inputs).map_batches(
        piece, return_dtype=pl.Struct(outputs), is_elementwise=not whole
    )
    return rows.with_columns(struct.alias(COMPUTED)).drop(*outputs, strict=False).unnest(COMPUTED)


def _numbers(rows: pl.DataFrame, names: Sequence[str]) -> Floats:
    taken = rows.select(pl.col(list(names)).cast(pl.Float64).fill_null(float("nan")))
    return np.asarray(taken.to_numpy(), dtype=np.float64)
