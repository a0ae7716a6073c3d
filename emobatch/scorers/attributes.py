"""Arousal, valence and dominance, by checkpoints of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from emobatch.manifests.blocks import Samples
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.names import ATTRIBUTE, TEXT_ATTRIBUTE
from emobatch.models.outputs import Outputs
from emobatch.scorers.beside import Beside, attributes
from emobatch.scorers.columns import Column
from emobatch.scorers.scorer import (
    AudioScorer,
    Model,
    Row,
    Setup,
    TextScorer,
    WindowScore,
    mean_by_duration,
)

if TYPE_CHECKING:
    from emobatch.models.devices import Device

# A checkpoint, and which attributes are read of it.
Source = tuple[Checkpoint, Beside]


@dataclass(frozen=True)
class _OfCheckpoints:
    """What is read of checkpoints beside a side's own model.

    Attributes:
        side: ``speech`` or ``text``.
        sources: checkpoints, each with attributes of its own.
    """

    side: ClassVar[str]
    sources: tuple[Source, ...]

    @classmethod
    def planned(cls, setup: Setup) -> Self | None:
        """Take the attributes that the side's own model doesn't give itself.

        Args:
            setup: options, checkpoints and classes.

        Returns:
            The scorer, None where there are none.

        Raises:
            EmobatchError: if a checkpoint gives none, or two the same.
        """
        given = attributes(setup, cls.side)
        sources = tuple(
            (setup.found[branch], Beside(cls.side, outputs, setup.choice.scale))
            for branch, outputs in given.items()
            if branch != cls.side
        )
        return cls(sources) if sources else None

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return {
            name: column for _, beside in self.sources for name, column in beside.columns.items()
        }


@dataclass(frozen=True)
class SpeechAttributes(_OfCheckpoints, AudioScorer[NDArray[np.float64]]):
    """Adds ``speech_arousal`` and the like, of checkpoints beside the speech model."""

    stage: ClassVar[str] = "attributes"
    branch: ClassVar[str] = ATTRIBUTE
    side: ClassVar[str] = "speech"

    def load(self, device: Device) -> Model[Samples, NDArray[np.float64]]:
        """Load the checkpoints.

        Args:
            device: where they run.

        Returns:
            What gives (clips, attributes).
        """
        from emobatch.models.speech_classifier import SpeechClassifier

        models = [SpeechClassifier(each, device, _read_of(each, b)) for each, b in self.sources]
        return Model(
            lambda clips: np.hstack([model.scores(clips) for model in models]),
            fewest=max(model.fewest for model in models),
        )

    def row(self, windows: Sequence[WindowScore[NDArray[np.float64]]]) -> Row:
        """Average the windows' values, each with the weight of its duration.

        Args:
            windows: (attributes,) of each.

        Returns:
            The clip's.
        """
        return _row(self.sources, mean_by_duration(windows))


@dataclass(frozen=True)
class TextAttributes(_OfCheckpoints, TextScorer[NDArray[np.float64]]):
    """Adds ``text_arousal`` and the like, of checkpoints beside the text model."""

    stage: ClassVar[str] = "text attributes"
    branch: ClassVar[str] = TEXT_ATTRIBUTE
    side: ClassVar[str] = "text"

    def load(self, device: Device) -> Model[str, NDArray[np.float64]]:
        """Load the checkpoints.

        Args:
            device: where they run.

        Returns:
            What gives (texts, attributes).
        """
        from emobatch.models.text_classifier import TextClassifier

        models = [TextClassifier(each, device, _read_of(each, b)) for each, b in self.sources]
        return Model(lambda texts: np.hstack([model.scores(texts) for model in models]))

    def row(self, result: NDArray[np.float64]) -> Row:
        """Name the values.

        Args:
            result: (attributes,).

        Returns:
            Values of the columns.
        """
        return _row(self.sources, result)


def _read_of(checkpoint: Checkpoint, beside: Beside) -> Outputs:
    return Outputs([None] * len(checkpoint.labels()), 0, beside.places)


def _row(sources: Sequence[Source], values: NDArray[np.float64]) -> Row:
    row: Row = {}
    for _, beside in sources:
        row |= beside.row(values)
        values = values[len(beside.outputs) :]
    return row
