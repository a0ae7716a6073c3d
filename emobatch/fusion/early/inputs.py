"""What early fusion reads of a table: embeddings, and columns of features."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import TableError
from emobatch.fusion.early.network import MOST_INPUT, grained

Numbers = NDArray[np.float32]
SPEECH, TEXT, FEATURES = "speech", "text", "features"
EMBEDDINGS = {SPEECH: "speech_embedding", TEXT: "text_embedding"}
# A column that varies less says nothing; divided by it, it would be noise.
LEAST_SPREAD = 1e-6


def columns(names: Sequence[str], features: str | None) -> dict[str, tuple[str, ...]]:
    """Say which columns are read.

    Args:
        names: of the table's columns.
        features: names of columns, or what several of them begin with before a ``_``, separated by
            commas; None for none.

    Returns:
        Columns by input: ``speech``, ``text``, and ``features`` where some were named.

    Raises:
        TableError: if there are no such columns.

    Examples:
        >>> columns(["speech_embedding", "text_embedding", "mfcc_1", "mfcc_2"], "mfcc")["features"]
        ('mfcc_1', 'mfcc_2')
    """
    for column in EMBEDDINGS.values():
        if column not in names:
            raise TableError(
                f"no column {column!r}, which early fusion reads; score with --embeddings into a "
                ".parquet file"
            )
    found: dict[str, tuple[str, ...]] = {name: (each,) for name, each in EMBEDDINGS.items()}
    wanted = [name.strip() for name in (features or "").split(",") if name.strip()]
    chosen = [column for name in wanted for column in _meant(name, names)]
    return {**found, FEATURES: tuple(dict.fromkeys(chosen))} if chosen else found


def widths(
    schema: Mapping[str, pl.DataType], inputs: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """How many numbers each input has.

    Args:
        schema: types by column.
        inputs: columns by input.

    Returns:
        Their counts.

    Raises:
        TableError: if a column isn't there, or doesn't hold what it should.
    """
    found = {}
    for name, mine in inputs.items():
        for column in mine:
            kind = schema.get(column)
            if kind is None:
                raise TableError(f"no column {column!r}, which the method was fitted on; add it")
            if name in EMBEDDINGS and not isinstance(kind, pl.Array):
                raise TableError(
                    f"column {column!r} holds {kind}, not arrays of one length; score with "
                    "--embeddings into a .parquet file"
                )
            if name not in EMBEDDINGS and not (kind.is_numeric() or kind == pl.Null):
                raise TableError(
                    f"column {column!r} holds {kind}, no numbers; write features as .parquet"
                )
        first = schema[mine[0]]
        found[name] = first.size if isinstance(first, pl.Array) else len(mine)
    return found


def read(rows: pl.DataFrame, inputs: Mapping[str, Sequence[str]]) -> dict[str, Numbers]:
    """Read the inputs of rows.

    Args:
        rows: with their columns.
        inputs: columns by input.

    Returns:
        By input (rows, numbers). A row without an embedding, or of one that isn't finite, is NaN
        throughout; of features, each value that is missing.
    """
    return {
        name: _embedding(rows[mine[0]]) if name in EMBEDDINGS else _features(rows, mine)
        for name, mine in inputs.items()
    }


def known(values: Numbers) -> NDArray[np.bool_]:
    """Say which rows have an embedding.

    Args:
        values: (rows, numbers), NaN throughout a row without one.

    Returns:
        (rows,) bools.

    Examples:
        >>> known(np.array([[1, 2], [np.nan, np.nan]], np.float32)).tolist()
        [True, False]
    """
    return np.asarray(np.isfinite(values).all(axis=1))


@dataclass(frozen=True)
class Scaling:
    """What makes numbers comparable: each is taken by how far it is from its usual value.

    Attributes:
        centre: (numbers,) the mean of each on the rows fitted on.
        spread: (numbers,) its standard deviation.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, values: Numbers) -> Scaling:
        """Find what is usual.

        Args:
            values: (rows, numbers), NaN where missing.

        Returns:
            The scaling; of a number that is always missing, 0 and 1.

        Examples:
            >>> Scaling.of(np.array([[1], [3]], np.float32)).centre.tolist()
            [2.0]
        """
        known = np.isfinite(values)
        counts = np.maximum(known.sum(axis=0), 1)
        centre = np.where(known, values, 0).sum(axis=0, dtype=np.float64) / counts
        far = np.where(known, values - centre, 0.0)
        spread = np.sqrt((far**2).sum(axis=0) / counts)
        return cls(centre, np.where(spread > LEAST_SPREAD, spread, 1.0))

    def scaled(self, values: Numbers) -> Numbers:
        """Scale numbers.

        Args:
            values: (rows, numbers), NaN where missing.

        Returns:
            (rows, numbers) in standard deviations from the mean, at most 32 of them and in steps of
            2^-16; 0 where missing, which is the mean.

        Examples:
            >>> scaling = Scaling(np.array([2.0]), np.array([4.0]))
            >>> scaling.scaled(np.array([[4.0], [np.nan]], np.float32)).tolist()
            [[0.5], [0.0]]
        """
        far = (values.astype(np.float64) - self.centre) / self.spread
        return grained(np.nan_to_num(far), MOST_INPUT).astype(np.float32)


def _meant(name: str, names: Sequence[str]) -> list[str]:
    if name in names:
        return [name]
    found = [column for column in names if column.startswith(f"{name}_")]
    if not found:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`emobatch features` adds some"
        raise TableError(f"--features {name}: no column of that name or beginning; {hint}")
    return found


def _embedding(column: pl.Series) -> Numbers:
    size = column.dtype.size if isinstance(column.dtype, pl.Array) else 0
    found = np.full((len(column), size), np.nan, dtype=np.float32)
    there = column.is_not_null().to_numpy()
    if there.any():
        numbers = column.drop_nulls().cast(pl.Array(pl.Float32, size))
        found[there] = numbers.explode().to_numpy().reshape(-1, size)
    found[~np.isfinite(found).all(axis=1)] = np.nan
    return found


def _features(rows: pl.DataFrame, names: Sequence[str]) -> Numbers:
    numbers = rows.select(pl.col(list(names)).cast(pl.Float32).fill_null(float("nan")))
    found = np.array(numbers.to_numpy(), dtype=np.float32)
    found[~np.isfinite(found)] = np.nan
    return found
