"""Columns of the score table: their types, and how closely they come out again."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

# By how much a value may differ when it is scored again, in units of what `verify` allows: sums of
# logarithms differ by more than the probabilities behind them.
PROBABILITY, LOGARITHM = 1.0, 10.0
# Numbers of half precision, whose last bit is a thousandth of what they are.
HALF_PRECISION = 1000.0


@dataclass(frozen=True)
class Column:
    """A column of the score table.

    Attributes:
        kind: its type.
        leeway: by how much numbers may differ when they are scored again, in units of what
            `verify` allows for probabilities; None for what must come out the same.
    """

    kind: type[pl.DataType] | pl.DataType = pl.String
    leeway: float | None = None


TEXT = Column()
PROBABILITIES = Column(pl.Float64, PROBABILITY)
FIGURES = Column(pl.Float64, LOGARITHM)
