"""A gate: says of which rows the text could matter, so that the others needn't be transcribed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from emobatch.errors import OptionError, ThresholdsError
from emobatch.tables.provenance import check_models
from emobatch.tasks.task import Task


class Gate(Protocol):
    """A fitted method, as far as scoring needs it."""

    @property
    def name(self) -> str:
        """The file that it was read from, for messages."""

    @property
    def digest(self) -> str:
        """What tells it from any other that leaves out other rows."""

    @property
    def models(self) -> Mapping[str, Any]:
        """Those that it was fitted on, by branch; empty where unknown."""

    @property
    def task(self) -> Task:
        """The classes that it decides between."""

    def needs_text(self, rows: pl.DataFrame) -> pl.Series:
        """Say for which rows the text branch could change the emotion.

        Args:
            rows: of a score table, with all that the speech branch says: ``speech_CLASS``,
                ``speech_emotion``, ``entropy`` and ``varentropy`` (nats).

        Returns:
            (rows,) bools; null counts as false.
        """


def check(
    gate: Gate, task: Task, models: Mapping[str, Any], left_out: Collection[str] = ()
) -> None:
    """Refuse a gate that was fitted for something else than this run.

    Args:
        gate: as it was read.
        task: the run's classes.
        models: the run's, by branch.
        left_out: ``speech`` or ``text``, where the run does without it.

    Raises:
        OptionError: if a branch is left out, for then there is nothing to gate.
        ThresholdsError: if its classes or its models are others.
    """
    for side in left_out:
        raise OptionError(
            f"--gate says by the speech branch which rows the text branch is asked about, and "
            f"--{side} none leaves one of them out; leave --gate out"
        )
    if set(gate.task.classes) != set(task.classes):
        raise ThresholdsError(
            f"{gate.name}: decides between {', '.join(gate.task.classes)}, and --classes are "
            f"{', '.join(task.classes)}; give a gate that was fitted on these"
        )
    remedy = "give the models they were fitted on, or thresholds fitted on these"
    check_models(models, {"models": gate.models}, Path(gate.name), remedy)
