"""Parts of the smallest kind, to show what a part has to do."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from emobatch.scorers.columns import PROBABILITY, Column
from emobatch.scorers.scorer import AudioScorer, Model, Setup, WindowScore
from emobatch.scoring.runners.runner import Runner
from emobatch.scoring.work import Chunk, Work
from emobatch.tasks.four import FOUR
from emobatch.tasks.task import Task


@dataclass
class ToyGate:
    """Has rows transcribed of which a function of the speech branch's columns is true."""

    needed: Callable[[pl.DataFrame], pl.Series]
    name: str = "toy.toml"
    models: Mapping[str, object] = field(default_factory=dict)
    task: Task = FOUR
    seen: list[pl.DataFrame] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    def needs_text(self, rows: pl.DataFrame) -> pl.Series:
        self.seen.append(rows)
        return self.needed(rows)


class Loudness(AudioScorer[float]):
    """Adds the highest of a clip's samples."""

    stage = branch = "loudness"
    columns = {"peak": Column(pl.Float64, PROBABILITY)}  # noqa: RUF012

    @classmethod
    def planned(cls, setup: Setup) -> Loudness:
        return cls()

    def load(self, device: object) -> Model[np.ndarray, float]:
        return Model(lambda batch: [float(np.abs(samples).max()) for samples in batch])

    def row(self, windows: list[WindowScore[float]]) -> dict[str, float]:
        return {"peak": max(window.result for window in windows)}


class OneByOne(Runner):
    """Scores one chunk after the other, and notes which."""

    asked: list[int] = []  # noqa: RUF012

    def run(self, work: Work, firsts: Iterable[int]) -> Iterator[Chunk]:
        with work.recipe.open() as scorer:
            work.progress.begin()
            for first in firsts:
                self.asked.append(first)
                yield Chunk(first, scorer.score(work.chunk(first).frame, work.progress))
