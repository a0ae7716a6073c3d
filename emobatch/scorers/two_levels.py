"""The speech branch as two models: neutral or emotional, and which emotion where it is emotional.

The speech models of Alqurashi, Li and Sidorov (IJCNN 2024). The second was trained without neutral,
and says P(class given emotional).
"""

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
from emobatch.models.names import EMOTIONAL
from emobatch.models.outputs import Outputs
from emobatch.models.sides import neutral_of
from emobatch.scorers.beside import Beside
from emobatch.scorers.columns import Column
from emobatch.scorers.scorer import AudioScorer, Model, Row, Setup, WindowScore, mean_by_duration
from emobatch.scorers.speech import columns_of
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.labels import LEVEL_LABELS, LabelMap, listed, mapped, refuse_strays
from emobatch.tasks.spellings import LEVELS
from emobatch.tasks.task import Task

if TYPE_CHECKING:
    from emobatch.models.devices import Device


@dataclass(frozen=True)
class TwoLevelScorer(AudioScorer[NDArray[np.float64]]):
    """Adds what one speech model adds: ``speech_CLASS``, argmax, entropy and varentropy (nats).

    Attributes:
        checkpoints: of the first level and of the second.
        task: the classes.
        levels: which outputs of the first stand for neutral (0) and for emotional (1).
        emotions: which class each output of the second stands for; neutral is none's.
        beside: what else is read of the first's pass.
    """

    stage: ClassVar[str] = "speech"
    branch: ClassVar[str] = "speech"
    checkpoints: tuple[Checkpoint, Checkpoint]
    task: Task
    levels: Outputs
    emotions: Outputs
    beside: Beside

    @classmethod
    def planned(cls, setup: Setup) -> Self | None:
        """Map the labels of both checkpoints.

        Args:
            setup: options, checkpoints and classes.

        Returns:
            The scorer, None where one model does it all.

        Raises:
            LabelError: if the first doesn't tell neutral from emotional, or the second knows
                neutral or lacks another class.
            OptionError: if none of the classes is neutral.
        """
        if setup.choice.emotional_model is None:
            return None
        first, second = setup.found["speech"], setup.found[EMOTIONAL]
        levels = _levels(first, setup.choice.speech_label_map(setup.task))
        emotions = _emotions(second, setup.task)
        return cls((first, second), setup.task, levels, emotions, Beside.of(setup, "speech"))

    @property
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row."""
        return {**columns_of(self.task), **self.beside.columns}

    def load(self, device: Device) -> Model[Samples, NDArray[np.float64]]:
        """Load both classifiers.

        Args:
            device: where they run.

        Returns:
            What gives (clips, 2 + width of the embedding + classes): probabilities of the levels,
            the first model's embedding, probabilities of the classes given emotional.
        """
        from emobatch.models.speech_classifier import SpeechClassifier

        one, other = self.checkpoints
        first = SpeechClassifier(one, device, self.levels, self.beside.embedding)
        second = SpeechClassifier(other, device, self.emotions)
        return Model(
            lambda clips: np.hstack([first.scores(clips), second.scores(clips)]),
            fewest=max(first.fewest, second.fewest),
        )

    def row(self, windows: Sequence[WindowScore[NDArray[np.float64]]]) -> Row:
        """Average each level's probabilities over the windows, by duration, then multiply them.

        Args:
            windows: (2 + width of the embedding + classes,) of each, see :meth:`load`.

        Returns:
            The clip's probabilities, P(class) = P(emotional) P(class given emotional), and its
            embedding.
        """
        pooled = mean_by_duration(windows)
        neutral, emotional = pooled[: len(LEVELS)]
        probabilities = emotional * pooled[-len(self.task.classes) :]
        probabilities[self.task.classes.index(neutral_of(self.task))] = neutral
        embedded = pooled[len(LEVELS) : -len(self.task.classes)]
        scores = dict(zip(self.task.speech_columns, probabilities, strict=True))
        return {**scores, **self.beside.row(embedded)}

    def completed(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Compute argmax, entropy and varentropy of the probabilities.

        Args:
            rows: a chunk of the score table.

        Returns:
            The rows with these.
        """
        return with_uncertainty(rows, self.task)


def _levels(checkpoint: Checkpoint, label_map: LabelMap) -> Outputs:
    names = checkpoint.labels()
    refuse_strays(label_map, names, LEVEL_LABELS, "the speech model", "--label-map")
    targets = mapped(names, LEVEL_LABELS, label_map)
    if targets is None or not set(LEVELS) <= set(targets):
        raise LabelError(
            f"{checkpoint.name}: with --emotional-model, the labels of --speech-model are "
            f"{' and '.join(LEVELS)}; this one's are {listed(names)}; name them with --label-map "
            f"{names[0]}={LEVELS[0]},{names[-1]}={LEVELS[1]}, or give another --speech-model"
        )
    return _outputs(targets, LEVELS)


def _emotions(checkpoint: Checkpoint, task: Task) -> Outputs:
    names, neutral = checkpoint.labels(), neutral_of(task)
    wanted = [name for name in task.classes if name != neutral]
    targets = mapped(names, task.labels, {})
    known = {task.labels.spellings.get(name.strip().lower()) for name in names}
    if neutral in known:
        raise LabelError(
            f"{checkpoint.name}: the labels of --emotional-model ({listed(names)}) have {neutral}, "
            "which is for --speech-model to say; give one that was trained without it"
        )
    if targets is None or not set(wanted) <= set(targets):
        raise LabelError(
            f"{checkpoint.name}: the labels of --emotional-model ({listed(names)}) are not "
            f"{listed(wanted)}; name them so under id2label in its config.json, name the classes "
            "that it has and neutral with --classes, or give another --emotional-model"
        )
    return _outputs(targets, task.classes)


def _outputs(targets: Sequence[str | None], names: Sequence[str]) -> Outputs:
    places = [None if target is None else names.index(target) for target in targets]
    return Outputs(places, len(names))
