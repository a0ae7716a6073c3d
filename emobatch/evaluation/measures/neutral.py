"""What the text branch makes of rows that the speech branch calls neutral, under a hierarchy.

Alqurashi, Li and Sidorov (2024), figures 2 and 3: how many emotional rows among them it puts right,
and precision and recall of neutral by the probability from which it agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.evaluation.figure import AFTER, STAGES, Figure
from emobatch.evaluation.layout import Table
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.tables.judged import unjudged
from emobatch.tasks.spellings import SENTIMENTS
from emobatch.tasks.task import Task

NEUTRAL = "neutral"
# From this on the first level of a hierarchy calls a row neutral.
HALF = 0.5
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(21))
# Those of the paper, which the terminal shows.
SHOWN = (0.25, 0.3, 0.35, 0.4)
PUT_RIGHT, PRECISION, RECALL = "put_right", "neutral_precision", "neutral_recall"
Bools = NDArray[np.bool_]


class Neutral(Measure):
    """Rows called neutral, of tables that a hierarchy decided."""

    name = "neutral"
    title = "rows called neutral by the speech branch"
    columns = (
        *("flagged", "mapped_emotion", "text_neutral"),
        *("sentiment", "sentiment_score", "text_emotion", "text_score"),
    )

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure rows that the speech branch calls neutral."""
        rows, task = unjudged(sample.scored), sample.task
        neutral = task.labels.spellings.get(NEUTRAL)
        if neutral is None or not _of_a_hierarchy(rows, neutral):
            return
        labels, called = rows["label"].to_numpy(), rows["flagged"].to_numpy()
        right = (rows["emotion"] == rows["label"]).to_numpy()
        emotional = called & (labels != neutral)
        for name in (None, *(each for each in task.classes if each != neutral)):
            mine = emotional & (labels == name) if name else emotional
            count = int(mine.sum())
            share = round(100 * float(right[mine].mean()), 2) if count else None
            yield Figure(PUT_RIGHT, share, rows=count, stage=AFTER, of_class=name)
        yield from _curve(rows, task, neutral)

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the shares put right by class, and precision and recall by threshold."""
        own = evaluation.of(self.name, group)
        if not own:
            return {}
        shares = [each for each in own if each.name == PUT_RIGHT]
        put_right = [
            {"label": each.of_class, "rows": each.rows, "put_right": each.value} for each in shares
        ]
        points = [
            {
                "threshold": at,
                "precision": evaluation.value(PRECISION, stage=stage(at)),
                "recall": evaluation.value(RECALL, stage=stage(at)),
            }
            for at in THRESHOLDS
        ]
        return {self.name: {"emotional": put_right, "by_threshold": points}}

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show both, of thresholds those of the paper."""
        own = evaluation.of(self.name)
        if not own:
            return ()
        shares = [each for each in own if each.name == PUT_RIGHT]
        right = tuple((each.of_class or "all", str(each.rows), each.text()) for each in shares)
        by_threshold = tuple(
            (
                f"{at:.2f}",
                *(evaluation.text(name, stage=stage(at)) for name in (PRECISION, RECALL)),
            )
            for at in SHOWN
        )
        curve = Table(("neutral,\ntext at least", "precision", "recall"), by_threshold)
        heading = ("emotional rows\ncalled neutral", "rows", "put right\nby text, %")
        return (Table(heading, right), curve)


def stage(threshold: float) -> str:
    """What a figure of a threshold is called.

    Examples:
        >>> stage(0.25)
        't = 0.25'
    """
    return f"t = {threshold:.2f}"


def _of_a_hierarchy(rows: pl.DataFrame, neutral: str) -> bool:
    # A hierarchy flags the rows that the speech branch calls neutral, and no others.
    needed = {*Neutral.columns[:2], f"speech_{neutral}", "label", STAGES[AFTER]}
    if not needed <= set(rows.columns) or rows.is_empty():
        return False
    called = rows[f"speech_{neutral}"] >= HALF
    return bool((called == rows["flagged"]).fill_null(value=False).all() and called.any())


def _curve(rows: pl.DataFrame, task: Task, neutral: str) -> Iterator[Figure]:
    sure = _text_neutral(rows, task, neutral)
    if sure is None:
        return
    said = rows["mapped_emotion"].fill_null(neutral).to_numpy()
    called, true = rows["flagged"].to_numpy(), (rows["label"] == neutral).to_numpy()
    for at in THRESHOLDS:
        kept = called & ((np.nan_to_num(sure) >= at) | (said == neutral))
        for name, whole in ((PRECISION, kept), (RECALL, true)):
            count = int(whole.sum())
            value = round(100 * float((kept & true).sum()) / count, 2) if count else None
            yield Figure(name, value, rows=count, stage=stage(at))


def _text_neutral(rows: pl.DataFrame, task: Task, neutral: str) -> NDArray[np.float64] | None:
    # Of a sentiment that stands for several classes no one's share is known here.
    answer, score, count, name = "text_emotion", "text_score", len(task.classes), neutral
    if answer not in rows.columns:
        answer, score, count, name = "sentiment", "sentiment_score", len(SENTIMENTS), NEUTRAL
        if tuple(task.sentiments.get(NEUTRAL, ())) != (neutral,):
            return None
    if not {answer, score} <= set(rows.columns):
        return None
    rest = (1 - pl.col(score)) / (count - 1)
    top = pl.when(pl.col(answer) == name).then(score).otherwise(rest)
    whole = pl.col("text_neutral") if "text_neutral" in rows.columns else pl.lit(None)
    return rows.select(pl.coalesce(whole, top).cast(pl.Float64)).to_series().to_numpy()
