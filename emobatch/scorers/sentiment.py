"""The sentiment of what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from emobatch.models.checkpoints import Checkpoint
from emobatch.models.outputs import Outputs
from emobatch.scorers.beside import Beside
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
        beside: what else is read of the same pass.
    """

    stage: ClassVar[str] = "sentiment"
    branch: ClassVar[str] = "text"
    checkpoint: Checkpoint
    outputs: Outputs
    beside: Beside

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
        if outputs is None:
            return None
        return cls(setup.found["text"], outputs, Beside.of(setup, "text"))

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return {**COLUMNS, **self.beside.columns}

    def load(self, device: Device) -> Model[str, NDArray[np.float64]]:
        """Load the classifier.

        Args:
            device: where it runs.

        Returns:
            What gives (texts, 3 + attributes + width of the embedding).
        """
        from emobatch.models.text_classifier import TextClassifier

        outputs = replace(self.outputs, attributes=self.beside.places)
        return Model(TextClassifier(self.checkpoint, device, outputs, self.beside.embedding).scores)

    def row(self, result: NDArray[np.float64]) -> Row:
        """Name the likeliest sentiment; of equals the first.

        Args:
            result: (3 + attributes + width of the embedding,): probabilities of negative, neutral
                and positive, and what is read beside them.

        Returns:
            Values of the columns.
        """
        shares, rest = np.split(result, [len(SENTIMENTS)])
        return {
            **dict(zip(PROBABILITY_COLUMNS, shares, strict=True)),
            "sentiment": SENTIMENTS[int(shares.argmax())],
            "sentiment_score": float(shares.max()),
            **self.beside.row(rest),
        }
