"""Final emotions: thresholds applied to score tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emobatch import outputs, score_table, tables, thresholds
from emobatch.errors import TableError, ThresholdsError
from emobatch.fusion import DECISION_COLUMNS, select_emotion
from emobatch.thresholds import Thresholds


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
        force: apply thresholds to scores of other models than they were fitted on.

    Raises:
        EmobatchError: if something can't be read, written or doesn't fit together.
    """
    outputs.check_target(target)
    fitted = thresholds.read(thresholds_file)
    scores = score_table.read(sources, where)
    if not force:
        check_models(scores.provenance, fitted, thresholds_file)
    provenance = {**scores.provenance, "thresholds": dict(fitted.fitted)}
    with tables.explained(scores.name):
        outputs.write(decide(scores.rows, fitted), target, provenance)


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


def check_models(provenance: Mapping[str, Any], fitted: Thresholds, file: Path) -> None:
    """Refuse scores of other models than the thresholds were fitted on, where both are known.

    Args:
        provenance: of the score table.
        fitted: the thresholds.
        file: where they were read from.

    Raises:
        ThresholdsError: names the models that differ.
    """
    mine, theirs = provenance.get("models") or {}, fitted.fitted.get("models") or {}
    differing = [
        f"{branch} model {_describe(mine[branch])} is not {_describe(theirs[branch])}"
        for branch in mine
        if branch in theirs
        and not score_table.same_models({branch: mine[branch]}, {branch: theirs[branch]})
    ]
    if differing:
        raise ThresholdsError(
            f"{file}: fitted on scores of other models: {'; '.join(differing)}; "
            "calibrate on this table, or insist with --force"
        )


def _describe(model: Mapping[str, Any]) -> str:
    digest = str(model.get("digest") or "")
    return f"{model.get('name')} ({digest[:15]})" if digest else str(model.get("name"))
