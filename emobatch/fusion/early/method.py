"""Early fusion as a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import ThresholdsError
from emobatch.fusion import evidence
from emobatch.fusion.description import Section, Table
from emobatch.fusion.early import document, inputs
from emobatch.fusion.early.fitting import COLD, Networks, fit
from emobatch.fusion.logistic.regression import softmax
from emobatch.fusion.method import Method
from emobatch.fusion.pooling import DECIDERS as BY
from emobatch.fusion.pooling import FUSION, NO_TEXT, SPEECH, decided, decision_columns
from emobatch.tasks.task import Task

# Rows that are computed at once, of embeddings that may have thousands of numbers.
BLOCK = 4096
OF_ALL_SPEAKERS = (
    "the rows that told when to stop training are of the same speakers as the others, for the "
    "table doesn't tell speakers apart, or only some have text: what was fitted may do worse on "
    "new speakers"
)


@dataclass(frozen=True)
class Early(Method):
    """Both branches' embeddings through small networks, joined before the decision.

    Pepino, Riera, Ferrer and Gravano, *Fusion Approaches for Emotion Recognition from Speech Using
    Acoustic and Text-Based Features* (ICASSP 2020).

    Attributes:
        task: the classes.
        columns_read: by input: ``speech``, ``text``, maybe ``features``.
        start: how training began, ``cold``, ``pretrained`` or ``warm``.
        fitted: the networks.
    """

    name = "early"
    header = (
        "Small networks on both branches' embeddings. Their numbers are in the file that [arrays]\n"
        "names; keep it beside this one."
    )
    reads_text = False
    score_options = ("layer", "pooling")
    has_arrays = True
    beside: ClassVar[tuple[str, ...]] = ()

    task: Task
    columns_read: Mapping[str, Sequence[str]]
    start: str
    fitted: Networks

    @property
    def goes_by_text(self) -> bool:
        """Whether embeddings of text count: always."""
        return True

    @cached_property
    def columns(self) -> Mapping[str, type[pl.DataType]]:  # type: ignore[override]
        """What :meth:`decide` adds, the probabilities ``final_CLASS`` among it."""
        return decision_columns(self.task)

    @classmethod
    def also_reads(cls, names: Sequence[str], **options: Any) -> list[str]:
        """Name the columns of embeddings and features.

        Args:
            names: of the table's columns.
            options: ``features`` as on the command line.

        Returns:
            Their names.
        """
        found = inputs.columns(names, options.get("features"))
        return [column for mine in found.values() for column in mine]

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit on labelled rows.

        Args:
            rows: scored, with ``label``, the embeddings and the columns of features.
            task: the classes.
            options: ``start`` and ``features`` as on the command line, and ``trained_on``, the
                splits that the speech model was trained on, else none.

        Returns:
            The method, the same in whatever order the rows are.

        Raises:
            CalibrationError: if there are too few rows.
            TableError: if a column is missing.
        """
        read = inputs.columns(rows.columns, options.get("features"))
        inputs.widths(rows.schema, read)
        start = options.get("start") or COLD
        trained_on = (options.get("trained_on") or "").split("+")
        seen = [name for name in trained_on if name not in ("", "none")]
        return cls(task, read, start, fit(rows, task, read, start, seen))

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Take the likeliest class of each row.

        Args:
            rows: a score table with the inputs' columns.

        Returns:
            The rows with ``final_CLASS``, ``emotion`` and ``decided_by``: ``fusion``; ``no-text``
            where a row has no embedding of text, by the network that was trained without; and
            ``speech``, as the speech branch has it, where it has none of speech.

        Raises:
            TableError: if a column is missing or holds something else.
            ThresholdsError: if embeddings are of other sizes.
        """
        schema = rows.collect_schema()
        widths = inputs.widths(schema, self.columns_read)
        for name, scaling in self.fitted.scalings.items():
            if widths[name] != len(scaling.centre):
                raise ThresholdsError(
                    f"column {self.columns_read[name][0]!r} has {widths[name]} numbers a row, the "
                    f"method was fitted on {len(scaling.centre)}; score with the same models and "
                    "options, or calibrate on this table"
                )
        mine = [column for each in self.columns_read.values() for column in each]
        wanted = list(dict.fromkeys([*self.task.speech_columns, *mine]))
        return evidence.with_computed(rows, wanted, self._decided, self.columns)

    def needs_text(self) -> pl.Expr:
        """Say that any row's emotion can depend on the text branch."""
        return pl.col(self.task.speech_columns[0]).is_not_null()

    def to_document(self) -> dict[str, Any]:
        """Lay out all but the networks."""
        return document.to_document(self.start, self.columns_read, self.fitted)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give the networks' numbers."""
        return document.arrays(self.fitted)

    @classmethod
    def from_document(cls, content: Mapping[str, Any], task: Task) -> Self:
        """Read what :meth:`to_document` and :meth:`arrays` gave.

        Args:
            content: the file, with the arrays.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: names what is misspelt, missing or doesn't fit.
        """
        start, read = document.read(content)
        return cls(task, read, start, document.networks(content, read, len(task.classes)))

    def settings(self) -> dict[str, Any]:
        """Say with which options it was fitted."""
        return {"start": self.start, "features": list(self.columns_read.get(inputs.FEATURES, ()))}

    def warnings(self) -> list[str]:
        """Say where the table doesn't tell speakers apart."""
        return [OF_ALL_SPEAKERS] if self.fitted.speakers is None else []

    def describe(self) -> Sequence[Section]:
        """Show how it was trained."""
        learnt, validated = self.fitted.rows
        whose = "" if self.fitted.speakers is None else f", of {self.fitted.speakers} speakers"
        rows = [
            ("start", self.start),
            (
                "numbers a row",
                ", ".join(f"{n} {len(s.centre)}" for n, s in self.fitted.scalings.items()),
            ),
            *((f"epochs, {name}", str(count)) for name, count in self.fitted.epochs.items()),
            ("rows learnt from", str(learnt)),
            ("rows that tell when to stop", f"{validated}{whose}"),
        ]
        return [
            Section("Early fusion", (Table("Early fusion", ("as fitted", "value"), tuple(rows)),))
        ]

    def _decided(self, rows: pl.DataFrame) -> Mapping[str, Any]:
        final = evidence.speech(rows, self.task).copy()
        by = np.full(len(rows), BY.index(SPEECH))
        for first in range(0, len(rows), BLOCK):
            part = slice(first, first + BLOCK)
            logits, said = self.fitted.logits(inputs.read(rows[part], self.columns_read))
            # A row without scores is none that was scored, whatever else it carries.
            mine = evidence.known(logits) & evidence.known(final[part])
            final[part][mine] = softmax(logits[mine])
            by[part][mine] = np.where(said[mine], BY.index(FUSION), BY.index(NO_TEXT))
        return decided(final, self.task, by)
