"""The speech branch: probabilities of the classes, and how unsure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.manifests.blocks import Samples
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.outputs import Outputs
from emobatch.scorers.columns import FIGURES, PROBABILITIES, TEXT, Column
from emobatch.scorers.scorer import AudioScorer, Model, Row, Setup, WindowScore, mean_by_duration
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.labels import checkpoint_classes
from emobatch.tasks.task import Task

if TYPE_CHECKING:
    from emobatch.models.devices import Device


@dataclass(frozen=True)
class SpeechScorer(AudioScorer[NDArray[np.float64]]):
    """Adds ``speech_CLASS``, their argmax, entropy and varentropy (nats).

    Attributes:
        checkpoint: an audio classifier.
        task: the classes.
        outputs: which class each output stands for.
    """

    stage: ClassVar[str] = "speech"
    branch: ClassVar[str] = "speech"
    checkpoint: Checkpoint
    task: Task
    outputs: Outputs

    @classmethod
    def columns_left_out(cls, setup: Setup) -> Mapping[str, Column]:
        """Those of the classes."""
        return columns_of(setup.task)

    @classmethod
    def planned(cls, setup: Setup) -> Self | None:
        """Map the checkpoint's labels onto the classes.

        Args:
            setup: options, checkpoints and classes.

        Returns:
            The scorer, None where two models share what it does.

        Raises:
            LabelError: if a label is unknown or a class is reached by none.
        """
        if setup.choice.emotional_model is not None:
            return None
        checkpoint, task = setup.found["speech"], setup.task
        label_map = setup.choice.speech_label_map(task)
        classes = checkpoint_classes(checkpoint.labels(), task.labels, label_map, "--label-map")
        return cls(checkpoint, task, Outputs(classes, len(task.classes)))

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return columns_of(self.task)

    def load(self, device: Device) -> Model[Samples, NDArray[np.float64]]:
        """Load the classifier.

        Args:
            device: where it runs.

        Returns:
            What gives (clips, classes) probabilities.
        """
        from emobatch.models.speech_classifier import SpeechClassifier

        return Model(SpeechClassifier(self.checkpoint, device, self.outputs).scores)

    def row(self, windows: Sequence[WindowScore[NDArray[np.float64]]]) -> Row:
        """Average the windows' probabilities, each with the weight of its duration.

        Args:
            windows: (classes,) probabilities of each.

        Returns:
            The clip's probabilities.
        """
        return dict(zip(self.task.speech_columns, mean_by_duration(windows), strict=True))

    def completed(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Compute argmax, entropy and varentropy of the probabilities.

        Args:
            rows: a chunk of the score table.

        Returns:
            The rows with these.
        """
        return with_uncertainty(rows, self.task)


def columns_of(task: Task) -> dict[str, Column]:
    """Lay out what the speech branch adds to a row.

    Args:
        task: the classes.

    Returns:
        Its columns in order.
    """
    return {
        **dict.fromkeys(task.speech_columns, PROBABILITIES),
        "speech_emotion": TEXT,
        "entropy": FIGURES,
        "varentropy": FIGURES,
    }
