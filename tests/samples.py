"""Small score tables for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from emobatch.fusion.file import Fitted, to_toml
from emobatch.fusion.selection.method import Selection
from emobatch.fusion.selection.rules import ClassRule, Limits, Rules, SentimentMapping
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS

EMOTIONS, SPEECH_COLUMNS = FOUR.classes, FOUR.speech_columns


def rule(
    entropy: float | None = None,
    varentropy: float | None = None,
    mapping: str = "refer",
    sentiment: float = 0.0,
    flip: bool = True,
    **others: Any,
) -> ClassRule:
    """A class's rule; without limits it is never flagged."""
    limits = None if entropy is None or varentropy is None else Limits(entropy, varentropy)
    return ClassRule(limits, SentimentMapping(mapping, sentiment, flip), **others)


def toml(rules: Rules, **fitted: Any) -> str:
    """A thresholds file of selection over the four classes."""
    return to_toml(Fitted(Selection(FOUR, rules), fitted))


# Flags about half of the rows of `score_rows`, in every class and with both mappings.
LOOSE = Rules(
    {
        "angry": rule(entropy=0.7, varentropy=0.6, mapping="simple", sentiment=0.5),
        "happy": rule(entropy=0.7, varentropy=0.6),
        "neutral": rule(entropy=0.7, varentropy=0.6, mapping="simple", flip=False),
        "sad": rule(reason="2 rows misclassified as sad, 5 are needed"),
    },
    exclusions=(("happy", "neutral"), ("angry", "happy")),
)
LOOSE_TOML = toml(LOOSE)


def score_rows(count: int = 40, seed: int = 0) -> pl.DataFrame:
    """A score table of labelled rows, about half of them right."""
    rng = np.random.default_rng(seed)
    speech = rng.dirichlet(np.ones(len(EMOTIONS)), count)
    best = speech.argmax(axis=1)
    labels = np.where(rng.random(count) < 0.4, best, rng.integers(0, len(EMOTIONS), count))
    return pl.DataFrame(
        {
            "id": [f"{number:03}" for number in range(count)],
            "session": [str(number % 3 + 1) for number in range(count)],
            "label": np.array(EMOTIONS)[labels],
            **dict(zip(SPEECH_COLUMNS, speech.T, strict=True)),
            "sentiment": rng.choice(SENTIMENTS, count),
            "sentiment_score": rng.uniform(0.34, 1.0, count),
        }
    )


def csv(rows: pl.DataFrame) -> str:
    """A table as it comes through a pipe."""
    return rows.write_csv()
