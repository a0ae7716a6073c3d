"""What reading the rows that were called neutral came to (Alqurashi, Li and Sidorov, 2024)."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from emobatch.evaluation.figure import ROWS, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.sample import Sample
from emobatch.tables.score_table import text_columns

NEUTRAL = "neutral"
# Of the speech branch, from which on a row is called neutral.
HALF = 0.5
# Probabilities from which the text branch would be taken to agree.
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))


class Neutral(Measure):
    """Emotional rows called neutral, and precision and recall of neutral over the threshold.

    Of tables in which the text branch was asked about just the rows that the speech branch calls
    neutral, as by the method ``hierarchy``.
    """

    name = "neutral"
    title = "rows called neutral"
    columns = (
        *("flagged", "mapped_emotion", "decided_by", "sentiment", "sentiment_score"),
        *("text_emotion", "text_score", "text_neutral"),
    )

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure rows that were called neutral, and what another threshold would have come to."""
        name = sample.task.labels.spellings.get(NEUTRAL)
        if name is None or not _asked_of_neutral(sample.scored, f"speech_{name}"):
            return
        rows = sample.scored
        missed = rows.filter(pl.col("flagged"), pl.col("label") != name)
        right = int((missed["emotion"] == missed["label"]).sum())
        share = 100 * right / len(missed) if len(missed) else None
        yield Figure("emotional_called_neutral", len(missed), rows=len(rows), unit=ROWS)
        yield Figure("put_right", share, rows=len(missed))
        said, score = text_columns(rows.columns)
        if not {said, score} <= set(rows.columns):
            return
        mine = pl.col(f"text_{name}") if f"text_{name}" in rows.columns else pl.lit(None)
        # Where only the top answer's probability is known, another answer is below any threshold.
        agrees = pl.coalesce(mine, pl.when(pl.col(said) == name).then(score)).fill_null(0.0)
        for threshold in THRESHOLDS:
            called = pl.when("flagged").then(
                pl.when(agrees >= threshold).then(pl.lit(name)).otherwise("mapped_emotion")
            )
            emotion = rows.select(pl.coalesce(called, "emotion")).to_series()
            found, true = emotion == name, rows["label"] == name
            both = int((found & true).sum())
            for kind, each in (("precision", found), ("recall", true)):
                count = int(each.sum())
                value = 100 * both / count if count else None
                yield Figure(f"{NEUTRAL}_{kind}", value, rows=count, stage=f"{threshold:g}")


def _asked_of_neutral(rows: pl.DataFrame, column: str) -> bool:
    wanted = ("emotion", "mapped_emotion", column)
    if rows.schema.get("flagged") != pl.Boolean or not set(wanted) <= set(rows.columns):
        return False
    return bool(rows["flagged"].any() and (rows["flagged"] == (rows[column] >= HALF)).all())
