"""How the labels were read: which stood for which class, and which were dropped."""

from __future__ import annotations

import polars as pl

from emobatch.fusion.description import Table
from emobatch.reporting.described import Block, Part, grid
from emobatch.tables.left_out import left_out, spoken
from emobatch.tasks.labels_read import LabelsRead

PREDICTED = ("speech_emotion", "emotion")


def labels_section(
    read: LabelsRead | None, rows: pl.DataFrame, predicted: tuple[str, ...] = PREDICTED
) -> Part | None:
    """Lay out how labels were read, and how many rows that leaves out of the figures.

    Args:
        read: how they were read, None where there is no column of them.
        rows: all rows, with ``label``, a class or null.
        predicted: columns of emotions without which a row is left out, of those that there are.

    Returns:
        A section; None where there are no labels.
    """
    if read is None or not (read.read or read.dropped):
        return None
    kept = [(label, name, n) for name, found in read.read.items() for label, n in found.items()]
    dropped = [(label, "dropped", count) for label, count in read.dropped.items()]
    table = Table(
        f"Labels of column {read.column!r}", ("label", "read as", "rows"), (*kept, *dropped)
    )
    blocks: list[Block] = [grid(table)]
    there = tuple(name for name in predicted if name in rows.columns)
    if there and (said := spoken(left_out(read, rows, there), len(rows))):
        blocks.append(f"{said}.")
    return Part("Labels", tuple(blocks))
