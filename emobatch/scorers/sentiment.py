"""The sentiment of what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from emobatch.models.checkpoints import Checkpoint
from emobatch.models.outputs import Outputs
from emobatch.scorers.columns import PROBABILITIES, TEXT, Column
from emobatch.scorers.scorer import Model, Row, Setup, TextScorer
from emobatch.scorers.text_labels import sentiment_outputs
from emobatch.tasks.spellings import SENTIMENTS

if TYPE_CHECKING:
    from emobatch.models.devices import Device

PROBABILITY_COLUMNS = tuple(f"text_{sentiment}" for sentiment in SENTIMENTS)
COLUMNS = {
    **dict.fromkeys(PROBABILITY_COLUMNS, PROBABILITIES),
    "sentiment": TEXT,
    "sentiment_score": PROBABILITIES,
}


@dataclass(frozen=True)
class SentimentScorer(TextScorer[NDArray[np.float64]]):
    """Adds ``text_SENTIMENT``, their argmax ``sentiment`` and its ``sentiment_score``.

    Attributes:
        checkpoint: a text classifier of the three sentiments.
        outputs: which sentiment each output stands for.
    """

    stage: ClassVar[str] = "sentiment"
    branch: ClassVar[str] = "text"
    checkpoint: Checkpoint
    outputs: Outputs

    @classmethod
    def columns_left_out(cls, setup: Setup) -> Mapping[str, Column]:
        """All that it would add: what a table has whose text model isn't named."""
        return COLUMNS

    @classmethod
    def planned(cls, setup: Setup) -> Self | None:
        """Take a text model whose labels are the sentiments.

        Args:
            setup: options, checkpoints and classes.

        Returns:
            The scorer, None for another kind of model.
        """
        outputs = sentiment_outputs(setup)
        return None if outputs is None else cls(setup.found["text"], outputs)

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return COLUMNS

    def load(self, device: Device) -> Model[str, NDArray[np.float64]]:
        """Load the classifier.

        Args:
            device: where it runs.

        Returns:
            What gives (texts, 3) probabilities.
        """
        from emobatch.models.text_classifier import TextClassifier

        return Model(TextClassifier(self.checkpoint, device, self.outputs).scores)

    def row(self, result: NDArray[np.float64]) -> Row:
        """Name the likeliest sentiment; of equals the first.

        Args:
            result: (3,) probabilities of negative, neutral and positive.

        Returns:
            Values of the columns.
        """
        return {
            **dict(zip(PROBABILITY_COLUMNS, result, strict=True)),
            "sentiment": SENTIMENTS[int(result.argmax())],
            "sentiment_score": float(result.max()),
        }
