"""Which rows something was fitted on, told again by their ids.

A sample of digests is kept, the lowest: of few rows all, of more as many as tell what share of
other rows is among them (a bottom-k sketch: Cohen and Kaplan, *Summarizing data using bottom-k
sketches*, 2007).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import ThresholdsError

ID = "id"
# Digests kept, and the bytes of each: that two ids share one is as good as ruled out.
MOST, BYTES = 1000, 6
Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class Overlap:
    """How many of some rows are among those that something was fitted on.

    Attributes:
        rows: how many are, estimated where not all could be looked up.
        looked_up: how many rows could be looked up.
        exact: whether that was all of them.
    """

    rows: int
    looked_up: int
    exact: bool

    def __add__(self, other: Overlap) -> Overlap:
        """Add up what was found of different rows."""
        return Overlap(
            self.rows + other.rows,
            self.looked_up + other.looked_up,
            exact=self.exact and other.exact,
        )

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON."""
        return {"rows": self.rows, "looked_up": self.looked_up, "exact": self.exact}


@dataclass(frozen=True)
class FittedRows:
    """The rows that something was fitted on.

    Attributes:
        rows: how many different ids they have.
        lowest: (kept,) the lowest of the ids' digests in order; of up to 1,000 ids, or where all
            are kept, all.
    """

    rows: int
    lowest: Digests

    @classmethod
    def of(cls, ids: pl.Series, most: int | None = MOST) -> FittedRows:
        """Take down which rows these are.

        Args:
            ids: (rows,) of any type; null is no id.
            most: digests that are kept; None for all.

        Returns:
            What there is to know, in whatever order the ids come.

        Examples:
            >>> fitted = FittedRows.of(pl.Series(["a.wav", "b.wav"]))
            >>> fitted.overlap(pl.Series(["b.wav", "c.wav", "b.wav"]))
            Overlap(rows=2, looked_up=3, exact=True)
        """
        found = np.unique(_digests(ids))
        return cls(len(found), found[:most])

    @property
    def is_whole(self) -> bool:
        """Whether all ids are known, so that nothing has to be estimated."""
        return len(self.lowest) == self.rows

    def overlap(self, ids: pl.Series) -> Overlap:
        """Count which of other rows are among these.

        Args:
            ids: (rows,) of the other rows; one without an id is not.

        Returns:
            How many are. Of more than 1,000 fitted rows, those with a digest up to the highest
            that was kept can be looked up, and stand for the others.
        """
        asked = _digests(ids)
        if self.is_whole:
            return Overlap(int(np.isin(asked, self.lowest).sum()), len(ids), exact=True)
        asked = asked[asked <= self.lowest[-1]]
        found = int(np.isin(asked, self.lowest).sum())
        known = len(ids) - ids.null_count()
        rows = round(known * found / len(asked)) if len(asked) else 0
        return Overlap(rows, len(asked), exact=False)

    def to_document(self) -> dict[str, Any]:
        """Write it down, as TOML and JSON have it: ``rows``, and ``lowest`` in base 64."""
        packed = self.lowest.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 8 - BYTES :]
        return {"rows": self.rows, "lowest": base64.b64encode(packed.tobytes()).decode()}

    @classmethod
    def from_document(cls, document: Any) -> FittedRows:
        """Read what :meth:`to_document` gave.

        Args:
            document: ``rows`` and ``lowest``.

        Returns:
            The same again.

        Raises:
            ThresholdsError: if it is anything else.
        """
        found = document if isinstance(document, Mapping) else {}
        rows, text = found.get("rows"), found.get("lowest")
        try:
            packed = base64.b64decode(text or "", validate=True)
            whole = np.frombuffer(packed, np.uint8).reshape(-1, BYTES)
        except (binascii.Error, TypeError, ValueError):
            whole = None
        # Fewer rows than digests, or none kept of some, is nothing that could be looked up.
        kept = -1 if whole is None else len(whole)
        if whole is None or type(rows) is not int or kept not in (rows, min(rows, MOST)):
            raise ThresholdsError(
                "[fitted.ids] is not what `emobatch calibrate` writes; calibrate again, or remove "
                "it: nothing is then said of rows that were fitted on"
            )
        wide = np.zeros((kept, 8), np.uint8)
        wide[:, 8 - BYTES :] = whole
        return cls(rows, np.sort(wide.reshape(-1).view(">u8").astype(np.uint64)))


@dataclass(frozen=True)
class InSample:
    """What is known of the rows that something was fitted on.

    Attributes:
        parts: what it was fitted on, with the ids of the rows that it decided; None stands for all
            rows.
    """

    parts: Sequence[tuple[FittedRows, pl.Series | None]] = ()

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self.parts)

    def overlap(self, rows: pl.DataFrame) -> Overlap | None:
        """Count which of some rows it was fitted on.

        Args:
            rows: with ``id``, or without.

        Returns:
            How many were; None where that is not known.
        """
        if not self.parts or ID not in rows.columns:
            return None
        ids = rows[ID].cast(pl.String)
        found = [
            fitted.overlap(ids if mine is None else ids.filter(ids.is_in(mine.implode())))
            for fitted, mine in self.parts
        ]
        total = reduce(add, found)
        return total if total.looked_up else None


def _digests(ids: pl.Series) -> Digests:
    names = ids.cast(pl.String).drop_nulls().to_list()
    hashed = (hashlib.blake2b(name.encode(), digest_size=BYTES).digest() for name in names)
    return np.array([int.from_bytes(digest, "big") for digest in hashed], np.uint64)
