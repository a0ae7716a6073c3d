"""The emotion of what is said, by a text model that knows emotions."""

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
from emobatch.scorers.text_labels import emotion_outputs, sentiment_outputs, unknown_labels
from emobatch.tasks.task import Task

if TYPE_CHECKING:
    from emobatch.models.devices import Device


@dataclass(frozen=True)
class TextEmotionScorer(TextScorer[NDArray[np.float64]]):
    """Adds ``text_CLASS``, their argmax ``text_emotion`` and its ``text_score``.

    A class that the model doesn't know has no probability, which is not the same as one of 0.

    Attributes:
        checkpoint: a text classifier of emotions.
        task: the classes.
        outputs: which class each output stands for.
        beside: what else is read of the same pass.
    """

    stage: ClassVar[str] = "text"
    branch: ClassVar[str] = "text"
    checkpoint: Checkpoint
    task: Task
    outputs: Outputs
    beside: Beside

    @classmethod
    def planned(cls, setup: Setup) -> Self | None:
        """Take a text model whose labels are classes and not the sentiments.

        Args:
            setup: options, checkpoints and classes.

        Returns:
            The scorer, None for a model of sentiments.

        Raises:
            LabelError: if the labels are neither.
        """
        if sentiment_outputs(setup) is not None:
            return None
        outputs = emotion_outputs(setup)
        if outputs is None:
            raise unknown_labels(setup)
        return cls(setup.found["text"], setup.task, outputs, Beside.of(setup, "text"))

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return {
            **dict.fromkeys(self.task.text_columns, PROBABILITIES),
            "text_emotion": TEXT,
            "text_score": PROBABILITIES,
            **self.beside.columns,
        }

    def load(self, device: Device) -> Model[str, NDArray[np.float64]]:
        """Load the classifier.

        Args:
            device: where it runs.

        Returns:
            What gives (texts, classes + attributes + width of the embedding).
        """
        from emobatch.models.text_classifier import TextClassifier

        outputs = replace(self.outputs, attributes=self.beside.places)
        return Model(TextClassifier(self.checkpoint, device, outputs, self.beside.embedding).scores)

    def row(self, result: NDArray[np.float64]) -> Row:
        """Name the likeliest class that the model knows; of equals the first.

        Args:
            result: (classes + attributes + width of the embedding,): probabilities, 0 for a
                class that the model doesn't know, and what is read beside them.

        Returns:
            Values of the columns.
        """
        known = sorted(self.outputs.reached)
        best = max(known, key=lambda place: result[place])
        return {
            **{self.task.text_columns[place]: result[place] for place in known},
            "text_emotion": self.task.classes[best],
            "text_score": float(result[best]),
            **self.beside.row(result[len(self.task.classes) :]),
        }
