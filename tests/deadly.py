"""A scorer that ends the process that it runs in, for clips of one length; it adds nothing else.

Imported where the plan of a run is unpickled, which makes it known to that process as well.
"""

from __future__ import annotations

import os

import numpy as np
import polars as pl

from emobatch.scorers.columns import PROBABILITY, Column
from emobatch.scorers.registry import SCORERS
from emobatch.scorers.scorer import AudioScorer, Model, Setup, WindowScore

# Samples of a clip that nobody survives: 0.777 s.
DEADLY = 12_432


def peak(samples: np.ndarray) -> float:
    if len(samples) == DEADLY:
        os.abort()
    return float(np.abs(samples).max())


class Deadly(AudioScorer[float]):
    stage = branch = "deadly"
    columns = {"peak": Column(pl.Float64, PROBABILITY)}  # noqa: RUF012

    @classmethod
    def planned(cls, setup: Setup) -> Deadly:
        return cls()

    def load(self, device: object) -> Model[np.ndarray, float]:
        return Model(lambda batch: [peak(samples) for samples in batch])

    def row(self, windows: list[WindowScore[float]]) -> dict[str, float]:
        return {"peak": max(window.result for window in windows)}


SCORERS.register("deadly", "deadly:Deadly")
