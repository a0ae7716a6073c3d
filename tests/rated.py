"""Score tables with arousal, valence and dominance, of which each branch knows a part."""

from __future__ import annotations

import numpy as np
import polars as pl

from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import ATTRIBUTES


def rated_rows(speakers: int = 10, each: int = 20, seed: int = 0) -> pl.DataFrame:
    """Labels from 1 to 7; speech hears arousal and dominance in 0 to 1, text reads valence."""
    random = np.random.default_rng(seed)
    count = speakers * each
    truth = {name: random.uniform(1, 7, count) for name in ATTRIBUTES}
    noise = {"arousal": (0.05, 0.4), "valence": (0.4, 0.05), "dominance": (0.1, 0.4)}
    heard, said = (
        {
            f"{branch}_{name}": (truth[name] - 1) / 6 + random.normal(0, noise[name][place], count)
            for name in ATTRIBUTES
        }
        for place, branch in enumerate(("speech", "text"))
    )
    speech = random.dirichlet(np.ones(4), count)
    right = random.random(count) < 0.6
    labels = np.where(right, speech.argmax(axis=1), random.integers(0, 4, count))
    return pl.DataFrame(
        {
            "id": [f"{number:04}" for number in range(count)],
            "speaker": [f"s{number % speakers:02}" for number in range(count)],
            "session": [str(number % speakers // 2) for number in range(count)],
            "label": np.array(FOUR.classes)[labels],
            **{name: values.round(2) for name, values in truth.items()},
            **dict(zip(FOUR.speech_columns, speech.T, strict=True)),
            "sentiment": ["neutral"] * count,
            "sentiment_score": [0.5] * count,
            **heard,
            **said,
            "status": ["ok"] * count,
        }
    )
