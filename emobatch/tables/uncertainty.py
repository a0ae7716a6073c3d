"""How unsure the speech branch is of a row: entropy and varentropy of its probabilities.

The formulas are Polars expressions, so that one definition serves tables in memory and tables
that are streamed. A probability of zero adds nothing to either sum (the limit of p ln p).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import ProbabilityError
from emobatch.tasks.task import Task

# Wide enough for probabilities stored in half precision or with four decimals, and no wider.
SUM_TOLERANCE = 2e-3
# Classes that are listed in a message.
MOST_NAMED = 8


def entropy(columns: Sequence[str]) -> pl.Expr:
    """Entropy, ``H = - sum_i p_i ln p_i`` (Chua et al., equation 1).

    Args:
        columns: names of the probability columns, one for each class.

    Returns:
        Expression of one float for each row, in nats: 0 (certain) to ln(number of classes).

    Examples:
        >>> rows = pl.DataFrame({"a": [1.0, 0.5], "b": [0.0, 0.5]})
        >>> rows.select(entropy(("a", "b")).round(4).alias("H"))["H"].to_list()
        [0.0, 0.6931]
    """
    terms = [_weighted(name, _surprisal(name)) for name in columns]
    return pl.sum_horizontal(terms, ignore_nulls=False)


def varentropy(columns: Sequence[str]) -> pl.Expr:
    """Varentropy, ``V = sum_i p_i (ln p_i + H)^2`` (Chua et al., equation 2).

    Args:
        columns: names of the probability columns, one for each class.

    Returns:
        Expression of one float for each row, in nats squared: 0 where all classes that have a
        probability have the same.

    Examples:
        >>> rows = pl.DataFrame({"a": [0.9, 0.5], "b": [0.1, 0.5]})
        >>> rows.select(varentropy(("a", "b")).round(4).alias("V"))["V"].to_list()
        [0.4345, 0.0]
    """
    mean = entropy(columns)
    terms = [_weighted(name, (_surprisal(name) - mean).pow(2)) for name in columns]
    return pl.sum_horizontal(terms, ignore_nulls=False)


def predicted(columns: Sequence[str]) -> pl.Expr:
    """Class of the highest probability; of equals the first, as ``numpy.argmax`` has it.

    Args:
        columns: names of the probability columns, ``speech_CLASS``.

    Returns:
        Expression of one class name for each row, null where the probabilities are null.

    Examples:
        >>> row = pl.DataFrame({"speech_sad": [0.4], "speech_happy": [0.6]})
        >>> row.select(predicted(("speech_sad", "speech_happy")).alias("emotion")).item()
        'happy'
    """
    highest = pl.max_horizontal(*columns)
    return pl.coalesce(
        [
            pl.when(pl.col(name) == highest).then(pl.lit(name.removeprefix("speech_")))
            for name in columns
        ]
    )


def with_uncertainty(table: pl.LazyFrame, task: Task) -> pl.LazyFrame:
    """Add ``speech_emotion``, ``entropy`` and ``varentropy`` (nats) to a table.

    Args:
        table: has the columns ``speech_CLASS``.
        task: its classes.

    Returns:
        The table with the three columns, in their old places where it had them.
    """
    columns = task.speech_columns
    return table.with_columns(
        speech_emotion=predicted(columns), entropy=entropy(columns), varentropy=varentropy(columns)
    )


def check_probabilities(
    table: pl.LazyFrame, columns: Sequence[str], others: Sequence[str] = ()
) -> None:
    """Refuse rows whose probabilities are no probabilities.

    Rows in which all of the speech branch's are null have not been scored, and pass.

    Args:
        table: has these columns.
        columns: of the speech branch's probabilities, which sum to 1.
        others: of single probabilities, each of which may be null.

    Raises:
        ProbabilityError: names the first bad row, what is wrong with it, and how many more.
    """
    names = table.collect_schema().names()
    identity = pl.col("id").cast(pl.String) if "id" in names else pl.lit(None, dtype=pl.String)
    faults = [_speech_fault(columns), *map(_fault, others)]
    bad = (
        table.select(identity.alias("id"), pl.coalesce(faults).alias("fault"))
        .with_row_index("row")
        .filter(pl.col("fault").is_not_null())
        .select(pl.len().alias("count"), pl.all().first())
        .collect(engine="streaming")
    )
    count, row, name, what = bad.row(0)
    if count:
        known = f" (id {name})" if name is not None else ""
        more = f", and {count - 1} more rows like it" if count > 1 else ""
        raise ProbabilityError(
            f"row {row + 1}{known}: {what}{more}; score these rows again or drop them with --where"
        )


def refuse_nan(**arrays: NDArray[np.float64]) -> None:
    """Refuse arrays that hold NaN, which would pass unseen through sorting and comparing.

    Args:
        arrays: arrays of any shape with rows as their first axis, by what to call them.

    Raises:
        ProbabilityError: names the array and its first such row.

    Examples:
        >>> refuse_nan(entropy=np.array([0.1, float("nan")]))
        Traceback (most recent call last):
        emobatch.errors.ProbabilityError: entropy: row 2 is NaN; score it again or leave it out
    """
    for name, values in arrays.items():
        bad = np.isnan(values)
        if bad.any():
            row = int(np.argwhere(bad)[0][0]) + 1
            raise ProbabilityError(f"{name}: row {row} is NaN; score it again or leave it out")


def _fault(column: str) -> pl.Expr:
    # NaN counts as more than any number.
    outside = ~pl.col(column).cast(pl.Float64).is_between(0, 1)
    return pl.when(outside).then(pl.lit(f"{column} is not from 0 to 1"))


def _speech_fault(columns: Sequence[str]) -> pl.Expr:
    values = [pl.col(name) for name in columns]
    nulls = pl.sum_horizontal([value.is_null() for value in values])
    total = pl.sum_horizontal(values)
    return (
        pl.when(nulls == len(values))
        .then(None)
        .when(nulls > 0)
        .then(pl.lit("a speech probability is missing"))
        .when(pl.any_horizontal([~value.is_finite() for value in values]))
        .then(pl.lit("a speech probability is NaN or infinite"))
        .when(pl.any_horizontal([value < 0 for value in values]))
        .then(pl.lit("a speech probability is negative"))
        .when((total - 1).abs() > SUM_TOLERANCE)
        .then(
            pl.format(
                f"speech probabilities{_named(columns)} sum to {{}}, not to 1", total.round(4)
            )
        )
    )


def _named(columns: Sequence[str]) -> str:
    # A table that lacks a column shows in the names of those that it has.
    names = ", ".join(name.removeprefix("speech_") for name in columns)
    return f" ({names})" if len(columns) <= MOST_NAMED and "{" not in names else ""


def _surprisal(name: str) -> pl.Expr:
    return -pl.col(name).log()


def _weighted(name: str, value: pl.Expr) -> pl.Expr:
    probability = pl.col(name)
    return pl.when(probability > 0).then(probability * value).otherwise(probability)
