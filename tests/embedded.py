"""Score tables with embeddings, in which neither branch suffices."""

from __future__ import annotations

import numpy as np
import polars as pl

CLASSES = ("calm", "tense")


def exclusive_rows(
    speakers: int = 8, each: int = 40, size: int = 6, seed: int = 0, noise: float = 0.3
) -> pl.DataFrame:
    """Rows whose class is the exclusive or of two bits, one of which each embedding holds."""
    random = np.random.default_rng(seed)
    count = speakers * each
    bits = random.integers(0, 2, (2, count))
    directions = random.normal(size=(2, size))
    heard, said = (
        (2 * bit[:, None] - 1) * direction / np.linalg.norm(direction)
        + random.normal(scale=noise, size=(count, size))
        for bit, direction in zip(bits, directions, strict=True)
    )
    speech = random.uniform(0.3, 0.7, count)
    return pl.DataFrame(
        {
            "id": [f"{number:04}" for number in range(count)],
            "speaker": [f"s{number % speakers}" for number in range(count)],
            "script": [f"t{number // speakers % 5}" for number in range(count)],
            "label": np.array(CLASSES)[bits[0] ^ bits[1]],
            "speech_calm": speech,
            "speech_tense": 1 - speech,
            "speech_embedding": embeddings(heard),
            "text_embedding": embeddings(said),
            "status": ["ok"] * count,
        }
    )


def embeddings(numbers: np.ndarray) -> pl.Series:
    """Vectors as `score --embeddings` writes them."""
    return pl.Series(numbers.astype(np.float32), dtype=pl.Array(pl.Float32, numbers.shape[1]))
