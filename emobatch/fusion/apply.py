"""Final emotions: thresholds applied to score tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emobatch.errors import TableError
from emobatch.fusion.selection import thresholds
from emobatch.fusion.selection.algorithm import DECISION_COLUMNS, could_change, select_emotion
from emobatch.fusion.selection.thresholds import Thresholds
from emobatch.tables import reading, score_table, writing
from emobatch.tables.provenance import check_models


def apply(
    sources: Sequence[str],
    thresholds_file: Path,
    target: Path | None = None,
    *,
    where: str | None = None,
    force: bool = False,
) -> None:
    """Decide the emotion of each row of score tables.

    Args:
        sources: score tables, globs or ``-``.
        thresholds_file: written by `calibrate`.
        target: the final table, standard output where None.
        where: SQL expression; only rows for which it holds are written.
        force: apply thresholds to scores of other models than they were fitted on, and to tables
            of several runs that differ.

    Raises:
        EmobatchError: if something can't be read, written or doesn't fit together.
    """
    writing.check_target(target, sources=sources)
    fitted = thresholds.read(thresholds_file)
    scores = score_table.read(sources, where, mixed=force)
    if not force:
        remedy = "calibrate on this table, or insist with --force"
        check_models(scores.provenance.get("models") or {}, fitted.fitted, thresholds_file, remedy)
    provenance = {**scores.provenance, "thresholds": dict(fitted.fitted)}
    with reading.explained(scores.name):
        final = decide(scores.rows, fitted)
        if not force:
            _refuse_other_gate(final, fitted)
        writing.write(final, target, provenance)


def _refuse_other_gate(rows: pl.LazyFrame, fitted: Thresholds) -> None:
    # Under the gate's own thresholds no row that was left unread could change.
    missed = score_table.unread(rows).select(could_change(fitted).sum())
    count = missed.collect(engine="streaming").item()
    if count:
        raise TableError(
            f"{count} rows that these thresholds flag were left unread by a gate of other "
            "thresholds; score without --gate or with this one, or insist with --force"
        )


def decide(rows: pl.LazyFrame, fitted: Thresholds) -> pl.LazyFrame:
    """Add the final emotions to a table of scores.

    Args:
        rows: a table with ``speech_*``, ``sentiment`` and ``sentiment_score``.
        fitted: thresholds in nats.

    Returns:
        The table with ``flagged``, ``mapped_emotion``, ``emotion`` and ``decided_by``.

    Raises:
        TableError: if a column is missing.
        ProbabilityError: if a row's probabilities are none.
    """
    present = [name for name in DECISION_COLUMNS if name in rows.collect_schema()]
    if present and len(present) < len(DECISION_COLUMNS):
        raise TableError(f"column {present[0]!r} is not of emobatch's making; rename it")
    rows = score_table.with_scores(rows).drop(*present)
    # A name that no table has: unnesting takes the place of a column of the same name.
    return rows.with_columns(select_emotion(fitted).alias("\0decision")).unnest("\0decision")
