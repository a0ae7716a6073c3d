"""Bootstrap resamples of a table: of its speakers where they are known, else of its rows.

Rows of one speaker resemble each other, so that drawing rows makes intervals too narrow; speakers
are drawn whole (the cluster bootstrap: Davison and Hinkley, *Bootstrap Methods and their
Application*, 1997, section 3.8). Intervals lie between percentiles of the resamples.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
SPEAKER = "speaker"
LEVEL = 95
SEED = 0
# Numbers held at once while resampling: 80 MB.
MOST_AT_ONCE = 10_000_000
# With fewer, percentiles of the resamples lie too close together to be taken at their word.
FEW = 10


@dataclass(frozen=True)
class Units:
    """What is drawn with replacement.

    Attributes:
        name: ``speaker`` or ``row``.
        of_rows: (rows,) number of each row's unit.
        count: how many units there are.
        note: what the reader of an interval must know about them, empty where nothing.
    """

    name: str
    of_rows: Integers
    count: int
    note: str = ""

    def described(self, resamples: int) -> dict[str, Any]:
        """Say where intervals come from.

        Args:
            resamples: how many were drawn.

        Returns:
            What a reader must know to judge them, or to make them again.
        """
        return asdict(self.resampled(resamples))

    def resampled(self, resamples: int) -> Resampling:
        """The same, as a value.

        Args:
            resamples: how many were drawn.

        Returns:
            What intervals come from.
        """
        return Resampling(LEVEL, resamples, SEED, self.name, self.count, self.note)


@dataclass(frozen=True)
class Resampling:
    """What intervals were drawn from.

    Attributes:
        level: percentage of the resamples that lie within an interval.
        resamples: how many.
        seed: of the generator.
        unit: what was drawn, ``speaker`` or ``row``.
        units: how many there are.
        note: what the reader of an interval must know about them, empty where nothing.
    """

    level: int
    resamples: int
    seed: int
    unit: str
    units: int
    note: str

    @property
    def said(self) -> str:
        """What a page says of it.

        Examples:
            >>> Resampling(95, 1000, 0, "speaker", 8, "").said
            'Intervals: 1000 bootstrap resamples of 8 speakers'
        """
        note = f" ({self.note})" if self.note else ""
        return f"Intervals: {self.resamples} bootstrap resamples of {self.units} {self.unit}s{note}"


def units(rows: pl.DataFrame) -> Units:
    """Say what of a table is to be resampled.

    Args:
        rows: a table, maybe with ``speaker``.

    Returns:
        Its speakers, or where there is no second one, or not each row has one, its rows.

    Examples:
        >>> units(pl.DataFrame({"speaker": ["a", "b", "a"]})).of_rows.tolist()
        [0, 1, 0]
    """
    alone = Units("row", np.arange(len(rows)), len(rows), _too_few(len(rows)))
    if SPEAKER not in rows.columns:
        return alone
    names = rows[SPEAKER].cast(pl.String).str.strip_chars()
    names = names.set(names == "", None)
    if names.null_count() == len(names):
        return alone
    if names.has_nulls():
        note = f"{names.null_count()} of them name no speaker, so that speakers can't be drawn"
        return replace(alone, note=note)
    if names.n_unique() == 1:
        return replace(alone, note="all of one speaker, so that they say nothing of others")
    numbers = names.rank("dense").cast(pl.Int64) - 1
    count = numbers.n_unique()
    return Units(SPEAKER, numbers.to_numpy(), count, _too_few(count))


def resampled_sums(values: Integers | Floats, drawn: Units, resamples: int) -> Floats:
    """Sum the values of rows over bootstrap resamples.

    Units with the same sums are drawn together, as many of them as a multinomial distribution
    says, so that the cost depends on how many different units there are and not on the rows.

    Args:
        values: (rows, n) counts or other numbers.
        drawn: what is resampled.
        resamples: how many resamples.

    Returns:
        (resamples, n) sums over the rows of each resample; always the same for the same values.

    Examples:
        >>> ones = np.ones((3, 1), dtype=np.int64)
        >>> resampled_sums(ones, Units("row", np.arange(3), 3), 2).tolist()
        [[3.0], [3.0]]
    """
    columns = (np.bincount(drawn.of_rows, column, drawn.count) for column in values.T)
    totals = np.stack(list(columns), axis=1)
    kinds, counts = np.unique(totals, axis=0, return_counts=True)
    return _draw(kinds.astype(float), counts, resamples)


def resampled_counts(cells: Integers, size: int, drawn: Units, resamples: int) -> Floats:
    """Count the rows in each cell of a table over bootstrap resamples.

    Args:
        cells: (rows,) the cell that each row falls into, from 0.
        size: number of cells.
        drawn: what is resampled.
        resamples: how many resamples.

    Returns:
        (resamples, size) rows in each cell; always the same for the same cells.

    Examples:
        >>> drawn = Units("row", np.arange(2), 2)
        >>> resampled_counts(np.array([1, 1]), 3, drawn, 1).tolist()
        [[0.0, 2.0, 0.0]]
    """
    return resampled_totals(cells, np.eye(size), drawn, resamples)


def resampled_totals(cells: Integers, values: Floats, drawn: Units, resamples: int) -> Floats:
    """Sum what the cells of a table stand for over bootstrap resamples.

    Args:
        cells: (rows,) the cell that each row falls into, from 0.
        values: (cells, n) what a row in each cell adds to the sums.
        drawn: what is resampled.
        resamples: how many resamples.

    Returns:
        (resamples, n) sums over the rows of each resample; always the same for the same cells.

    Examples:
        >>> drawn = Units("row", np.arange(2), 2)
        >>> resampled_totals(np.array([1, 1]), np.array([[1.0], [5.0]]), drawn, 1).tolist()
        [[10.0]]
    """
    occurring, places = np.unique(cells, return_inverse=True)
    if drawn.name == "row":
        return _draw(values[occurring], np.bincount(places), resamples)
    # Units are told apart by their cells, and drawn in the order of these.
    size = len(occurring)
    of_units = drawn.of_rows * size + places
    totals = np.bincount(of_units, minlength=drawn.count * size).reshape(drawn.count, size)
    kinds, counts = np.unique(totals, axis=0, return_counts=True)
    return _draw(kinds @ values[occurring], counts, resamples)


def interval(values: Floats, digits: int = 2) -> list[float] | None:
    """The interval that holds the middle 95 % of the resamples.

    Args:
        values: (resamples,) a figure's value in each, NaN where it has none.
        digits: decimals that bounds are rounded to.

    Returns:
        Its bounds; None where no resample has a value.

    Examples:
        >>> interval(np.arange(101.0))
        [2.5, 97.5]
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    tail = (100 - LEVEL) / 2
    # Adding zero makes -0.0 plain 0.
    return [round(float(bound), digits) + 0.0 for bound in np.percentile(known, [tail, 100 - tail])]


def _too_few(count: int) -> str:
    return f"only {count}: the intervals are too narrow" if count < FEW else ""


def _draw(kinds: Floats, counts: Integers, resamples: int) -> Floats:
    generator = np.random.default_rng(SEED)
    drawn = int(counts.sum())
    at_once = max(1, MOST_AT_ONCE // max(len(kinds), 1))
    # As floats, whose products are fast, and exact for counts.
    parts = [
        generator.multinomial(drawn, counts / drawn, min(at_once, resamples - start)) @ kinds
        for start in range(0, resamples, at_once)
    ]
    return np.concatenate(parts)
