"""Rows that logistic fusion is fitted on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.fusion import evidence
from emobatch.fusion.evidence import Floats
from emobatch.fusion.logistic.centring import SPEAKER, Speakers, numbered
from emobatch.splits.roles import SPLIT_COLUMN, canonical
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Sample:
    """Rows to fit on.

    Attributes:
        heard: (rows, classes) log-probabilities of the speech branch, in nats.
        said: (rows, answers) of the text branch; NaN in a row without text.
        labels: (rows,) numbers of classes, -1 where unlabelled.
        seen: (rows,) whether the speech model was trained on the row.
        speaker: (rows,) number of the speaker, from 0; None where that isn't known.
        is_centred: whether speakers' means are taken away.
    """

    heard: Floats
    said: Floats
    labels: NDArray[np.intp]
    seen: NDArray[np.bool_]
    speaker: NDArray[np.intp] | None
    is_centred: bool

    @classmethod
    def of(
        cls, rows: pl.DataFrame, task: Task, trained_on: Collection[str], *, centred: bool
    ) -> Sample:
        """Read rows.

        Args:
            rows: scored, with ``label``; maybe with ``speaker`` and ``split``.
            task: the classes.
            trained_on: splits that the speech model was trained on.
            centred: whether speakers' means are taken away, where rows name their speakers.

        Returns:
            The same as arrays.
        """
        classes = pl.Enum(task.classes)
        labels = rows["label"].cast(classes).to_physical().cast(pl.Int64).fill_null(-1)
        seen = np.zeros(len(rows), bool)
        if SPLIT_COLUMN in rows.columns:
            split = rows.select(canonical(SPLIT_COLUMN)).to_series()
            seen = split.is_in(list(trained_on)).fill_null(value=False).to_numpy()
        speaker = numbered(rows[SPEAKER])[0] if SPEAKER in rows.columns else None
        return cls(
            evidence.logarithms(evidence.speech(rows, task)),
            evidence.logarithms(evidence.text(rows, task)),
            labels.to_numpy().astype(np.intp),
            seen,
            speaker,
            centred and speaker is not None,
        )

    @property
    def speakers(self) -> Speakers | None:
        """The rows of each speaker, None where their means aren't taken away."""
        return Speakers.of(self.speaker) if self.is_centred and self.speaker is not None else None

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(rows,) which have a label."""
        return self.labels >= 0

    def take(self, rows: NDArray[np.bool_]) -> Sample:
        """Some of the rows.

        Args:
            rows: (rows,) which.

        Returns:
            The same of these.
        """
        speaker = self.speaker
        if speaker is not None:
            _, speaker = np.unique(speaker[rows], return_inverse=True)
        return replace(
            self,
            heard=self.heard[rows],
            said=self.said[rows],
            labels=self.labels[rows],
            seen=self.seen[rows],
            speaker=speaker,
        )
