"""Labelled and scored rows, as thresholds are fitted on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from emobatch.errors import CalibrationError, TableError
from emobatch.tables import reading, score_table
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.labels import EMOTIONS, canonical

FITTED_ON = (
    "speech_emotion",
    "entropy",
    "varentropy",
    "speech_angry",
    "speech_sad",
    "sentiment",
    "sentiment_score",
)


def labelled_rows(
    scores: ScoreTable,
    label_column: str,
    aliases: Mapping[str, str | None],
    others: Sequence[str] = (),
) -> pl.DataFrame:
    """Read the rows that thresholds can be fitted on.

    Args:
        scores: a score table.
        label_column: column that holds the labels.
        aliases: extend the alias table of labels, from :func:`parse_label_map`.
        others: further columns that are wanted.

    Returns:
        The rows that are labelled and scored: ``label``, the columns ``FITTED_ON`` and the others.

    Raises:
        EmobatchError: if there are none, or they can't be used.
    """
    with reading.explained(scores.name):
        if label_column not in scores.rows.collect_schema():
            raise TableError(f"no column {label_column!r} to fit on; add it to the manifest")
        _refuse_gated(scores.rows)
        wanted = dict.fromkeys((label_column, *FITTED_ON, *others))
        rows = score_table.with_scores(scores.rows).select(*wanted).collect()
        labels = canonical(rows[label_column], EMOTIONS, aliases)
        rows = rows.with_columns(labels.alias("label"))
    rows = rows.filter(pl.col("label").is_not_null() & pl.col("speech_emotion").is_not_null())
    if rows.is_empty():
        raise CalibrationError(
            f"{scores.name}: no row has both a label and speech scores; add labels to the manifest"
        )
    return rows


def _refuse_gated(rows: pl.LazyFrame) -> None:
    # What the gate left unread is no fair sample: the mapping would be fitted on flagged rows only.
    count = score_table.unread(rows).select(pl.len()).collect(engine="streaming").item()
    if count:
        raise CalibrationError(
            f"{count} rows were scored with --gate and not read; score without it to calibrate"
        )
