"""Small score tables for tests."""

from __future__ import annotations

import numpy as np
import polars as pl

from emobatch.fusion.selection.thresholds import ClassThresholds, Thresholds, to_toml
from emobatch.tables.uncertainty import SPEECH_COLUMNS
from emobatch.tasks.labels import EMOTIONS, SENTIMENTS

# Flags about half of the rows of `score_rows`, in every class and with both mappings.
LOOSE = Thresholds(
    {
        "angry": ClassThresholds(entropy=0.7, varentropy=0.6, mapping="simple", sentiment=0.5),
        "happy": ClassThresholds(entropy=0.7, varentropy=0.6),
        "neutral": ClassThresholds(entropy=0.7, varentropy=0.6, mapping="simple", flip=False),
        "sad": ClassThresholds(reason="2 rows misclassified as sad, 5 are needed"),
    },
    exclusions=(("happy", "neutral"), ("angry", "happy")),
)
LOOSE_TOML = to_toml(LOOSE)


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
