"""Rows of a dialogue decided together."""

from __future__ import annotations

import polars as pl

from emobatch.fusion.context.chains import chains
from emobatch.fusion.context.smoothing import likeliest_chance, smoothed
from emobatch.fusion.evidence import Floats


def together(rows: pl.DataFrame, posteriors: Floats, most: float = 1.0) -> Floats:
    """Posteriors of each row given all rows of its speaker in its dialogue.

    The chance that neighbours share a class is the one under which these rows are likeliest.

    Args:
        rows: with ``dialogue``, ``speaker`` and ``turn``, or with ids like IEMOCAP's.
        posteriors: (rows, classes); NaN throughout a row that nothing is known of.
        most: the most that the chance may be, as labels have shown.

    Returns:
        (rows, classes); NaN where they are.

    Raises:
        TableError: if rows don't say where they belong.
    """
    found = chains(rows)
    rho = min(most, likeliest_chance(posteriors, found))
    return smoothed(posteriors, found, rho)
