"""What a model adds to a row of the score table: the seam between models and the job.

A new scorer is a class in a file of its own and a line in
:data:`emobatch.scorers.registry.SCORERS`. The columns of the score table, what `verify` compares
and how closely, the trials of `doctor`, and the names that a manifest's columns may not have all
follow from the scorers of a run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice
from emobatch.scorers.columns import Column
from emobatch.tasks.task import Task

if TYPE_CHECKING:
    from emobatch.models.devices import Device

Given = TypeVar("Given")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
# Values of some of a scorer's columns, by their names; those left out are null.
Row = dict[str, Any]


class Results(Protocol[Result_co]):
    """One result for each item of a batch: a list, or an array's rows."""

    def __iter__(self) -> Iterator[Result_co]: ...

    def __getitem__(self, place: int, /) -> Result_co: ...


@dataclass(frozen=True)
class Model(Generic[Given, Result]):
    """A scorer's model, loaded.

    Attributes:
        score: results for a batch, one for each item in order; called from several threads.
        padded: what an item takes once it is padded to what the model works on, in the unit of
            its own length.
        fewest: samples of a window that it needs; those of one of text aren't counted.
    """

    score: Callable[[list[Given]], Results[Result]]
    padded: Callable[[float], float] = float
    fewest: int = 1


@dataclass(frozen=True)
class Setup:
    """What scorers are planned from, before anything slow is imported.

    Attributes:
        choice: models and options.
        found: checkpoints by branch.
        task: the classes.
    """

    choice: Choice
    found: Mapping[str, Checkpoint]
    task: Task


@dataclass(frozen=True)
class WindowScore(Generic[Result]):
    """What a model says of a window of a clip.

    Attributes:
        seconds: the window's duration.
        result: the model's.
    """

    seconds: float
    result: Result


@dataclass(frozen=True)
class Transcript:
    """What a recogniser says of a whole clip.

    Attributes:
        text: what is said, None where nothing is.
        language: two-letter code, None where that isn't known.
        figures: values of the recogniser's columns.
    """

    text: str | None
    language: str | None
    figures: Row


class Scorer(ABC, Generic[Given, Result]):
    """A model's part of a row. It is planned at once, and its model loaded later.

    Attributes:
        stage: what it is called where its model fails on a row; unlike any other's.
        branch: of the checkpoint that it runs: ``speech``, ``asr`` or ``text``; its own name
            where it runs none.
    """

    stage: ClassVar[str]
    branch: ClassVar[str]

    @classmethod
    def is_asked_for(cls, choice: Choice) -> bool:
        """Say whether a run with these options may want it.

        Args:
            choice: models and options.

        Returns:
            By default true.
        """
        return True

    @property
    @abstractmethod
    def columns(self) -> Mapping[str, Column]:
        """What it adds to a row, in order."""

    @classmethod
    def columns_left_out(cls, setup: Setup) -> Mapping[str, Column]:
        """Columns that stay, and are null, in a run that leaves the branch out.

        Args:
            setup: options and classes, and checkpoints of the other branches.

        Returns:
            What other commands look for in any table; by default nothing.
        """
        return {}

    @classmethod
    @abstractmethod
    def planned(cls, setup: Setup) -> Self | None:
        """Plan what this scorer adds to a run.

        Args:
            setup: options, checkpoints and classes.

        Returns:
            The scorer, None where the run doesn't want it.

        Raises:
            EmobatchError: if it is wanted and can't be had of that checkpoint.
        """

    @abstractmethod
    def load(self, device: Device) -> Model[Given, Result]:
        """Load the model.

        Args:
            device: where it runs.

        Returns:
            What scores batches.

        Raises:
            EmobatchError: if it can't be used.
        """

    @abstractmethod
    def trial(self, model: Model[Given, Result]) -> NDArray[np.float64]:
        """Let the model score something, to see that it does.

        Args:
            model: loaded.

        Returns:
            Some of its figures, which are to be finite.
        """

    def completed(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Compute columns that follow from others.

        Args:
            rows: a chunk of the score table, with what rows were given and null elsewhere.

        Returns:
            The rows, with the same columns.
        """
        return rows


class AudioScorer(Scorer[Samples, Result]):
    """Scores what is heard: each window of a clip, whatever a gate says."""

    @abstractmethod
    def row(self, windows: Sequence[WindowScore[Result]]) -> Row:
        """Pool what the model says of a clip's windows.

        Args:
            windows: all of the clip's, in order, at least one.

        Returns:
            Values of this scorer's columns.
        """

    def trial(self, model: Model[Samples, Result]) -> NDArray[np.float64]:
        """Score a second of noise; results are taken to be numbers."""
        return np.asarray(list(model.score([noise()])), np.float64)


class Recogniser(Scorer[Samples, Result]):
    """Says what is said in the windows of clips whose transcript is needed."""

    @abstractmethod
    def hears(self, samples: Samples) -> bool:
        """Whether a window is worth the model's while.

        Args:
            samples: (samples,) float32, 16 kHz, mono.

        Returns:
            False where nothing can be said in it.
        """

    @abstractmethod
    def transcript(self, windows: Sequence[WindowScore[Result]]) -> Transcript:
        """Join what the model says of a clip's windows.

        Args:
            windows: those that it heard, in order.

        Returns:
            The clip's transcript.
        """


class TextScorer(Scorer[str, Result]):
    """Scores what is said: the cleaned transcript of a clip."""

    @abstractmethod
    def row(self, result: Result) -> Row:
        """Make columns of what the model says.

        Args:
            result: of one transcript.

        Returns:
            Values of this scorer's columns.
        """

    def trial(self, model: Model[str, Result]) -> NDArray[np.float64]:
        """Score a word; results are taken to be numbers."""
        return np.asarray(list(model.score(["fine"])), np.float64)


def mean_by_duration(windows: Sequence[WindowScore[NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Average what is said of windows, each with the weight of its duration.

    Args:
        windows: at least one, with arrays of one shape.

    Returns:
        An array of that shape.

    Examples:
        >>> long = WindowScore(30.0, np.array([0.9, 0.1]))
        >>> short = WindowScore(10.0, np.array([0.1, 0.9]))
        >>> mean_by_duration([long, short]).round(3).tolist()
        [0.7, 0.3]
    """
    total = sum(window.seconds for window in windows)
    evidence = np.zeros_like(windows[0].result)
    for window in windows:
        evidence += window.seconds * window.result
    return evidence / total


def noise() -> Samples:
    """A second of noise, for a trial: (samples,) float32, 16 kHz."""
    return np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
