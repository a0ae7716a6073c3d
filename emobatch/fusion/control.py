"""A control for chance: what a method gains when the text of a row is that of another.

What the text branch says is dealt out anew among the rows, and the method decides them again. A
gain that stays the same owes nothing to what is said in the rows (permutation tests: Good,
*Permutation, Parametric and Bootstrap Tests of Hypotheses*, 2005; of classifiers: Ojala and
Garriga, *Permutation Tests for Studying Classifier Performance*, 2010).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.evaluation.draws import LEVEL, prediction_interval
from emobatch.evaluation.metrics import HEADLINE, Metrics, metrics
from emobatch.fusion.method import Method
from emobatch.tables.score_columns import SENTIMENT_COLUMNS, text_columns

PLACE = "\0place"
DRAWS, SEED = 20, 0
# What the draws are, for whoever reads the JSON.
DRAWN = {"draws": DRAWS, "seed": SEED, "level": LEVEL}
# What rows whose text is that of others are called, wherever they are shown.
SHUFFLED = "text shuffled"
# By what it is told whether something is said, of rows that were read without its answers.
EMBEDDING = "text_embedding"
# What the text branch makes of a row, beside columns `text_…`.
OF_TEXT = (
    *("transcript", "transcript_source", "language", "cleaned_text"),
    *("asr_logprob", "asr_no_speech", "asr_compression", *SENTIMENT_COLUMNS),
)


@dataclass(frozen=True)
class Control:
    """Gains over the speech branch of a method, with text as it is and shuffled.

    Attributes:
        gain: of UA, WA and F1 in points of percent.
        draws: the same with text shuffled, one for each draw.
    """

    gain: Metrics
    draws: tuple[Metrics, ...]

    @classmethod
    def of(cls, before: Metrics, after: Metrics, draws: Sequence[Metrics]) -> Control:
        """Compare figures with those of the speech branch.

        Args:
            before: UA, WA and F1 in percent of the speech branch.
            after: those of the method.
            draws: those of the method with text shuffled.

        Returns:
            The gains.
        """
        return cls(_minus(after, before), tuple(_minus(draw, before) for draw in draws))

    def mean(self, figure: str) -> float:
        """Mean gain of a figure with text shuffled, in points of percent."""
        return round(float(np.mean(self._values(figure))), 2)

    def interval(self, figure: str) -> tuple[float, float]:
        """Bounds between which one more draw lies in 95 of 100 cases."""
        return prediction_interval(self._values(figure))

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON.

        Returns:
            By figure, the ``gain`` with text as it is, and of ``shuffled`` text the ``mean`` and
            the interval from ``low`` to ``high``.
        """
        return {name: self._of(name) for name in HEADLINE}

    def _of(self, name: str) -> dict[str, Any]:
        low, high = self.interval(name)
        shuffled = {"mean": self.mean(name), "low": low, "high": high}
        return {"gain": round(self.gain[name], 2), "shuffled": shuffled}

    def _values(self, figure: str) -> list[float]:
        return [draw[figure] for draw in self.draws]


def control(rows: pl.DataFrame, method: Method) -> Control:
    """Measure what a method gains on rows, with their text as it is and shuffled.

    Args:
        rows: labelled and scored, as methods are fitted on them.
        method: as fitted.

    Returns:
        Its gains over the speech branch.
    """
    labels, classes = rows["label"], method.task.classes
    decided = method.decide(rows.lazy()).select("emotion").collect().to_series()
    before, after = (metrics(labels, each, classes) for each in (rows["speech_emotion"], decided))
    return Control.of(before, after, shuffled_figures(rows, method))


def shuffled_figures(rows: pl.DataFrame, method: Method) -> list[Metrics]:
    """Measure a method on rows whose text is that of other rows.

    Args:
        rows: labelled and scored, as methods are fitted on them.
        method: as fitted.

    Returns:
        For each draw, UA, WA and F1 in percent; the same whatever the rows' order.
    """
    measured, asked = [], said_in(rows)
    for draw in range(DRAWS):
        decided = method.decide(_dealt(rows, asked, draw).lazy()).select("emotion").collect()
        measured.append(metrics(rows["label"], decided["emotion"], method.task.classes))
    return measured


def shuffled(rows: pl.DataFrame, draw: int) -> pl.DataFrame:
    """Deal out anew what the text branch says, among the rows of which it says something.

    What it says of a row goes together.

    Args:
        rows: a score table, with ``sentiment`` or ``text_emotion``; null where nothing is said.
        draw: number of the draw, from 0.

    Returns:
        The rows in their order, with the text of others.

    Examples:
        >>> rows = pl.DataFrame({"id": ["a", "b"], "sentiment": ["positive", "negative"]})
        >>> sorted(shuffled(rows, 0)["sentiment"])
        ['negative', 'positive']
    """
    return _dealt(rows, said_in(rows), draw)


def said_in(rows: pl.DataFrame) -> NDArray[np.uint32]:
    """Find the rows of which the text branch says something.

    Args:
        rows: a score table, with ``sentiment``, ``text_emotion`` or ``text_embedding``; null where
            nothing is said.

    Returns:
        (such rows,) their numbers, sorted by what the rows hold, so that the order in which they
        come makes no difference.

    Examples:
        >>> rows = pl.DataFrame({"id": ["b", "c", "a"], "sentiment": ["neutral", None, "neutral"]})
        >>> said_in(rows).tolist()
        [2, 0]
    """
    said, _ = text_columns(rows.columns)
    said = said if said in rows.columns else EMBEDDING
    by = [name for name, kind in rows.schema.items() if not kind.is_nested()]
    order = rows.with_row_index(PLACE).sort(by, maintain_order=True)
    asked = order.filter(pl.col(said).is_not_null())[PLACE].to_numpy()
    return np.asarray(asked)


def _dealt(rows: pl.DataFrame, asked: NDArray[np.uint32], draw: int) -> pl.DataFrame:
    names = [name for name in rows.columns if name in OF_TEXT or name.startswith("text_")]
    source = np.arange(len(rows))
    source[asked] = np.random.default_rng([SEED, draw]).permutation(asked)
    return rows.with_columns(rows.select(names)[source])


def _minus(one: Mapping[str, float], other: Mapping[str, float]) -> Metrics:
    return {name: one[name] - other[name] for name in HEADLINE}
