"""Prosody: how a clip is said, in figures that need no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.manifests.blocks import Samples
from emobatch.models import prosody
from emobatch.models.choice import Choice
from emobatch.models.prosody import Frames
from emobatch.scorers.columns import FIGURES, Column
from emobatch.scorers.scorer import AudioScorer, Model, Row, Setup, WindowScore, noise
from emobatch.tables.score_columns import PROSODY

if TYPE_CHECKING:
    from emobatch.models.devices import Device


@dataclass(frozen=True)
class ProsodyScorer(AudioScorer[Frames]):
    """Adds pitch (Hz, semitones), loudness (dBFS, dB), speaking rate and pauses."""

    stage: ClassVar[str] = "prosody"
    branch: ClassVar[str] = "prosody"

    @classmethod
    def is_asked_for(cls, choice: Choice) -> bool:
        """With ``--prosody``."""
        return choice.prosody

    @classmethod
    def planned(cls, setup: Setup) -> Self | None:
        """Look for the library that finds pitches.

        Args:
            setup: options.

        Returns:
            The scorer, None without the option.

        Raises:
            OptionError: if the library that it needs is missing.
        """
        if not cls.is_asked_for(setup.choice):
            return None
        prosody.load()
        return cls()

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return dict.fromkeys(PROSODY, FIGURES)

    def load(self, device: Device) -> Model[Samples, Frames]:
        """Load nothing: there is no model.

        Args:
            device: any.

        Returns:
            What measures windows.
        """
        return Model(lambda batch: [prosody.measure(samples) for samples in batch])

    def row(self, windows: Sequence[WindowScore[Frames]]) -> Row:
        """Sum the clip's windows up.

        Args:
            windows: with frames.

        Returns:
            The clip's figures, but for the speaking rate.
        """
        return dict(prosody.figures([window.result for window in windows]))

    def trial(self, model: Model[Samples, Frames]) -> NDArray[np.float64]:
        """Measure a second of noise."""
        (frames,) = model.score([noise()])
        return frames.level

    def completed(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Compute the speaking rate: words of the transcript per second.

        Args:
            rows: a chunk of the score table.

        Returns:
            The rows with it; null where there is no transcript.
        """
        if "transcript" not in rows.collect_schema():
            return rows
        words = pl.col("transcript").str.count_matches(r"\S+").cast(pl.Float64)
        rate = pl.when(pl.col("duration") > 0).then(words / pl.col("duration"))
        measured = pl.col("loudness").is_not_null()
        return rows.with_columns(speaking_rate=pl.when(measured).then(rate))
