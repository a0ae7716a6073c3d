"""Which scorers a run has, and the score table that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from emobatch.errors import OptionError
from emobatch.models.checkpoints import Checkpoint
from emobatch.models.choice import Choice
from emobatch.models.names import SIDES
from emobatch.models.scale import OPTION
from emobatch.scorers.columns import FIGURES, TEXT, Column
from emobatch.scorers.registry import SCORERS
from emobatch.scorers.scorer import AudioScorer, Recogniser, Scorer, Setup, TextScorer
from emobatch.tasks.spellings import ATTRIBUTES
from emobatch.tasks.task import Task

# What the job itself says of a row, whatever scores it.
BEGINNING = {"id": TEXT, "duration": FIGURES}
TRANSCRIPT = {"transcript": TEXT, "transcript_source": TEXT, "language": TEXT}
CLEANED = {"cleaned_text": TEXT}
OUTCOME = {"status": TEXT, "error": TEXT}


@dataclass(frozen=True)
class Plan:
    """A run's scorers; none of their models is loaded.

    Attributes:
        setup: what they were planned from.
        audio: those that hear each clip.
        recogniser: that transcribes, None where nothing does.
        text: those that are given transcripts.
        left_out: columns that stay null, by the checkpoint that the run does without.
    """

    setup: Setup
    audio: tuple[AudioScorer[Any], ...]
    recogniser: Recogniser[Any] | None
    text: tuple[TextScorer[Any], ...]
    left_out: Mapping[str, Mapping[str, Column]] = field(default_factory=dict)

    @classmethod
    def of(cls, choice: Choice, found: Mapping[str, Checkpoint]) -> Plan:
        """Plan a run.

        Args:
            choice: models and options.
            found: the checkpoints that it names, by branch.

        Returns:
            The scorers that the options want.

        Raises:
            EmobatchError: if classes, labels and checkpoints don't fit together.
        """
        setup = Setup(choice, found, choice.task(found))
        without = {branch for side in choice.sides_left_out for branch in SIDES[side]}
        kinds = [SCORERS[name] for name in SCORERS]
        planned = [kind.planned(setup) for kind in kinds if kind.branch not in without]
        left_out: dict[str, Mapping[str, Column]] = {}
        for kind in kinds:
            if kind.branch in without:
                columns = kind.columns_left_out(setup)
                left_out[kind.branch] = {**left_out.get(kind.branch, {}), **columns}
        scorers = [scorer for scorer in planned if scorer is not None]
        if choice.scale is not None and not any(has_attributes(each.columns) for each in scorers):
            raise OptionError(
                f"{OPTION} {choice.attribute_range}: no model of this run gives attributes; name "
                "one with --attribute-model or --text-attribute-model, or leave the range out"
            )
        recognisers = [each for each in scorers if isinstance(each, Recogniser)]
        return cls(
            setup,
            tuple(each for each in scorers if isinstance(each, AudioScorer)),
            recognisers[0] if recognisers else None,
            tuple(each for each in scorers if isinstance(each, TextScorer)),
            left_out,
        )

    @property
    def task(self) -> Task:
        """The classes."""
        return self.setup.task

    @property
    def scorers(self) -> tuple[Scorer[Any, Any], ...]:
        """All of them, in the order of their columns."""
        recognisers = () if self.recogniser is None else (self.recogniser,)
        return (*self.audio, *recognisers, *self.text)

    @property
    def audio_columns(self) -> dict[str, Column]:
        """Those of ``columns`` that are known before anything is transcribed."""
        columns = {**BEGINNING, **self.left_out.get("speech", {})}
        for scorer in self.audio:
            columns |= scorer.columns
        return columns

    @property
    def columns(self) -> dict[str, Column]:
        """What the run adds to the manifest's columns, in this order."""
        columns = self.audio_columns
        figures = {**self.left_out.get("asr", {})}
        if self.recogniser is not None:
            figures |= self.recogniser.columns
        said = {**self.left_out.get("text", {})}
        for text_scorer in self.text:
            said |= text_scorer.columns
        if figures or said:
            columns |= TRANSCRIPT | figures
        if said:
            columns |= CLEANED | said
        return dict(sorted((columns | OUTCOME).items(), key=lambda item: _rank(item[0])))

    @property
    def schema(self) -> dict[str, Any]:
        """Type by column."""
        return {name: column.kind for name, column in self.columns.items()}

    def numbers(self, names: Sequence[str]) -> list[str]:
        """Say which columns of a table hold numbers, as :func:`emobatch.tables.reading.scan` asks.

        Args:
            names: of all its columns.

        Returns:
            Those that a scorer of this run gives as numbers.
        """
        schema = self.schema
        return [name for name in names if schema.get(name) == pl.Float64]


def has_attributes(columns: Iterable[str]) -> bool:
    """Whether any of some columns is an attribute's.

    Args:
        columns: their names.

    Returns:
        True where one is, as ``speech_arousal``.

    Examples:
        >>> has_attributes(["speech_arousal"]), has_attributes(["speech_sad"])
        (True, False)
    """
    return any(name.partition("_")[2] in ATTRIBUTES for name in columns)


def _rank(name: str) -> int:
    # After what both branches say come attributes, then embeddings, then what came of the row.
    if name in OUTCOME:
        return 3
    return 2 if name.endswith("_embedding") else int(has_attributes([name]))
