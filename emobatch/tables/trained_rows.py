"""Which of a table's rows its models were trained on, as `train` wrote into the checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from emobatch.errors import TableError, ThresholdsError
from emobatch.tables import reading
from emobatch.tables.fitted_rows import ID, FittedRows, InSample, Overlap
from emobatch.tables.score_columns import number_columns
from emobatch.tables.score_table import ScoreTable

# Part of a table's provenance: by branch, what its checkpoint's folder says of its making.
TRAINED = "trained"
SPLITS = ("train", "val")
SAID = {
    "train": "the {} model was trained on {} of these {} rows{}, of which it is surer than of new "
    "ones",
    "val": "the best epoch of the {} model was told by {} of these {} rows{}, which flatters it",
}
WHATEVER = ", whatever the column 'split' says"
ESTIMATED = " ({} of which could be looked up)"


@dataclass(frozen=True)
class TrainedRows:
    """What is known of the rows that models were trained on.

    Attributes:
        parts: by branch and split.
    """

    parts: Mapping[tuple[str, str], InSample] = field(default_factory=dict)

    def knows(self, branch: str) -> bool:
        """Whether a branch's checkpoint says what it was trained on.

        Args:
            branch: ``speech``, ``emotional`` or ``text``.

        Returns:
            False for checkpoints that others made.
        """
        return (branch, SPLITS[0]) in self.parts

    def overlaps(self, rows: pl.DataFrame) -> Iterator[tuple[str, str, Overlap]]:
        """Count rows that were trained on, or that told the best epoch.

        Args:
            rows: with ``id``, or without.

        Yields:
            Branch, split, and how many, where there are any.
        """
        for (branch, split), known in self.parts.items():
            found = known.overlap(rows)
            if found is not None and found.rows:
                yield branch, split, found

    def notes(self, rows: pl.DataFrame, splits: Collection[str] = SPLITS) -> list[str]:
        """Say how many rows models were trained on, where there are any.

        Args:
            rows: that are fitted on, or measured.
            splits: ``train`` for rows that were trained on, ``val`` for those that told the best
                epoch.

        Returns:
            A sentence for each branch and split.
        """
        said = []
        for branch, split, found in self.overlaps(rows):
            if split not in splits:
                continue
            count = f"{found.rows}" if found.exact else f"about {found.rows}"
            more = WHATEVER if found.exact else ESTIMATED.format(found.looked_up)
            said.append(SAID[split].format(branch, count, len(rows), more))
        return said


UNKNOWN = TrainedRows()


def of_table(table: ScoreTable) -> TrainedRows:
    """Read which rows the models of a table were trained on.

    Args:
        table: whose files may have been scored with models of their own.

    Returns:
        What is known.

    Raises:
        TableError: if what is stored can't be read.
    """
    if ID not in table.rows.collect_schema():
        return UNKNOWN
    parts: dict[tuple[str, str], list[tuple[FittedRows, pl.Series | None]]] = {}
    for source, said in table.trained.items():
        mine = None
        if len(table.sources) > 1:
            ids = reading.scan(source, number_columns).select(pl.col(ID).cast(pl.String))
            mine = ids.collect().to_series().unique()
        for key, rows in of_stored(said, source).items():
            parts.setdefault(key, []).append((rows, mine))
    return TrainedRows({key: InSample(tuple(found)) for key, found in parts.items()})


def of_stored(said: Any, name: str) -> dict[tuple[str, str], FittedRows]:
    """Read what is stored with a table.

    Args:
        said: by branch, what its checkpoint's folder says of its making.
        name: of the table, for messages.

    Returns:
        Rows by branch and split.

    Raises:
        TableError: if that is nothing that `score` would have stored.
    """
    found = {}
    for branch, record in (said if isinstance(said, Mapping) else {}).items():
        rows = record.get("rows") if isinstance(record, Mapping) else None
        for split in SPLITS:
            try:
                found[branch, split] = FittedRows.from_document((rows or {}).get(split))
            except (ThresholdsError, AttributeError) as error:
                raise TableError(
                    f"{name}: what it says of the rows that the {branch} model was trained on is "
                    "not what `emobatch score` writes; score again"
                ) from error
    return found
