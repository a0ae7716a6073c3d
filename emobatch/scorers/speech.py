"""The speech branch: probabilities of the classes, and how unsure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import LabelError
from emobatch.manifests.blocks import Samples
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.outputs import Outputs
from emobatch.scorers.beside import Beside
from emobatch.scorers.columns import FIGURES, PROBABILITIES, TEXT, Column
from emobatch.scorers.scorer import AudioScorer, Model, Row, Setup, WindowScore, mean_by_duration
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.labels import LabelMap, Labels, checkpoint_classes
from emobatch.tasks.spellings import attribute_of
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
        beside: what else is read of the same pass.
    """

    stage: ClassVar[str] = "speech"
    branch: ClassVar[str] = "speech"
    checkpoint: Checkpoint
    task: Task
    outputs: Outputs
    beside: Beside

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
        classes = classes_of(checkpoint, task.labels, label_map)
        beside = Beside.of(setup, "speech")
        outputs = Outputs(classes, len(task.classes), beside.places)
        return cls(checkpoint, task, outputs, beside)

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return {**columns_of(self.task), **self.beside.columns}

    def load(self, device: Device) -> Model[Samples, NDArray[np.float64]]:
        """Load the classifier.

        Args:
            device: where it runs.

        Returns:
            What gives (clips, classes + attributes + width of the embedding).
        """
        from emobatch.models.speech_classifier import SpeechClassifier

        embedding = self.beside.embedding
        model = SpeechClassifier(self.checkpoint, device, self.outputs, embedding)
        return Model(model.scores, fewest=model.fewest)

    def row(self, windows: Sequence[WindowScore[NDArray[np.float64]]]) -> Row:
        """Average what is said of the windows, each with the weight of its duration.

        Args:
            windows: (classes + attributes + width of the embedding,) of each.

        Returns:
            The clip's probabilities, attributes and embedding.
        """
        pooled, count = mean_by_duration(windows), len(self.task.classes)
        probabilities = dict(zip(self.task.speech_columns, pooled[:count], strict=True))
        return {**probabilities, **self.beside.row(pooled[count:])}

    def completed(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Compute argmax, entropy and varentropy of the probabilities.

        Args:
            rows: a chunk of the score table.

        Returns:
            The rows with these.
        """
        return with_uncertainty(rows, self.task)


def classes_of(checkpoint: Checkpoint, labels: Labels, label_map: LabelMap) -> list[int | None]:
    """Map a speech model's outputs onto classes, each of which must be reached.

    Args:
        checkpoint: of the model.
        labels: the classes.
        label_map: overrides of the alias table.

    Returns:
        (outputs,) index of the class of each; None where it is dropped, or an attribute.

    Raises:
        LabelError: if a label is unknown, or a class is reached by none.
    """
    names = checkpoint.labels()
    places = [place for place, name in enumerate(names) if attribute_of(name) is None]
    if not places:
        raise LabelError(
            f"{checkpoint.name}: its outputs ({', '.join(names)}) are attributes and no classes; "
            f"give it as --attribute-model, and {checkpoint.option} one of the classes"
        )
    own = [names[place] for place in places]
    found = checkpoint_classes(own, labels, label_map, "--label-map")
    classes: list[int | None] = [None] * len(names)
    for place, target in zip(places, found, strict=True):
        classes[place] = target
    return classes


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
