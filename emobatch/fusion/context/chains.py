"""Chains: the rows of one speaker in one dialogue, in turn order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import TableError

COLUMNS = ("dialogue", "speaker", "turn")
# As in IEMOCAP: Ses05M_script03_2_M045 is the man's turn 45 of dialogue Ses05M_script03_2.
BY_ID = r"^(Ses\d\d[FM]_\w+?)_([FM])(\d+)$"


@dataclass(frozen=True)
class Chains:
    """Chains of rows, the longest first.

    Attributes:
        order: (rows in chains,) their numbers, one chain after the other.
        starts: (chains,) where in ``order`` each begins.
        lengths: (chains,) rows of each, falling.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]

    @classmethod
    def of(cls, chain: NDArray[np.intp], turn: NDArray[np.float64]) -> Chains:
        """Sort rows into chains.

        Args:
            chain: (rows,) number of the chain, -1 for a row that is in none.
            turn: (rows,) by which each is in order.

        Returns:
            The chains.

        Examples:
            >>> chains = Chains.of(np.array([0, 1, 0]), np.array([2.0, 1.0, 1.0]))
            >>> [step.tolist() for step in chains.steps()]
            [[2, 1], [0]]
        """
        order = np.lexsort((turn, chain))
        order = order[chain[order] >= 0]
        _, starts, lengths = np.unique(chain[order], return_index=True, return_counts=True)
        longest_first = np.argsort(-lengths, kind="stable")
        return cls(order, starts[longest_first], lengths[longest_first])

    def steps(self) -> list[NDArray[np.intp]]:
        """The first rows of all chains, then the second ones of those that have two, and so on."""
        longest = int(self.lengths.max(initial=0))
        # Chains that end go from the back, for the longest are in front.
        reaching = np.searchsorted(-self.lengths, -np.arange(longest), side="left")
        return [self.order[self.starts[:n] + step] for step, n in enumerate(reaching)]

    @property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and the row that follows each in its chain."""
        ends = np.zeros(len(self.order), bool)
        ends[self.starts + self.lengths - 1] = True
        follows = np.flatnonzero(~ends)
        return self.order[follows], self.order[follows + 1]


def columns(names: list[str]) -> list[str]:
    """The columns that chains are made of.

    Args:
        names: of a table's columns.

    Returns:
        ``dialogue``, ``speaker`` and ``turn``, or ``id`` where a table has not all of them.

    Raises:
        TableError: if it has neither.
    """
    if set(COLUMNS) <= set(names):
        return list(COLUMNS)
    if "id" in names:
        return ["id"]
    raise TableError(f"--context dialogue: no columns {', '.join(COLUMNS)}; add them to the table")


def chains(rows: pl.DataFrame) -> Chains:
    """Find the chains of a table.

    Args:
        rows: with ``dialogue``, ``speaker`` and ``turn`` (a number), or with ids like IEMOCAP's.

    Returns:
        The chains; a row that lacks one of these is in none.

    Raises:
        TableError: if no row says where it belongs, or two rows are the same turn.
    """
    names = columns(rows.columns)
    if names == ["id"]:
        parts = rows["id"].cast(pl.String).str.extract_groups(BY_ID).struct.unnest()
        frame = pl.DataFrame(dict(zip(COLUMNS, parts.get_columns(), strict=True)))
    else:
        frame = rows.select(names)
    frame = frame.with_columns(turn=pl.col("turn").cast(pl.Float64, strict=False))
    told = pl.all_horizontal(pl.col(name).is_not_null() for name in COLUMNS)
    belongs = frame.select(told).to_series()
    if not belongs.any():
        raise TableError(
            f"--context dialogue: no row says its {', '.join(COLUMNS)} (turn is a number), nor are "
            "ids like IEMOCAP's; add these columns to the table"
        )
    twice = frame.filter(belongs).filter(pl.struct(COLUMNS).is_duplicated())
    if len(twice):
        dialogue, speaker, turn = twice.row(0)
        raise TableError(
            f"--context dialogue: {len(twice)} rows share their turn with another, as turn "
            f"{turn:g} of {speaker} in {dialogue}; number turns within each dialogue"
        )
    key = frame.select(pl.struct("dialogue", "speaker").rank("dense").alias("key")).to_series()
    numbers = np.where(belongs, key.cast(pl.Int64).fill_null(0).to_numpy() - 1, -1)
    turns = frame["turn"].fill_null(0.0).to_numpy()
    return Chains.of(numbers.astype(np.intp), turns)
