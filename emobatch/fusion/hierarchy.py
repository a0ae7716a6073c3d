"""Hierarchical fusion: the text branch reads what the speech branch calls neutral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.errors import CalibrationError, ThresholdsError
from emobatch.evaluation.metrics import metrics
from emobatch.fusion import evidence
from emobatch.fusion.checks import check_names, is_number, table
from emobatch.fusion.description import Section, Table, Value
from emobatch.fusion.evidence import Floats
from emobatch.fusion.method import Method
from emobatch.fusion.pooling import NO_TEXT, SPEECH
from emobatch.tables.score_columns import text_columns
from emobatch.tasks.task import Task

NEUTRAL, TEXT = "neutral", "text"
# From this on the first level calls a row neutral.
HALF = 0.5
THRESHOLDS = (0.25, 0.30, 0.35, 0.40)
ALWAYS = "none"


@dataclass(frozen=True)
class Hierarchy(Method):
    """Neutral or emotional first; what is called neutral is read by the text branch.

    Alqurashi, Li and Sidorov (2024), Algorithm 1: a row that the speech branch calls neutral stays
    neutral where the text branch gives neutral at least ``threshold`` (modality consistency and
    confidence), else it gets the text branch's class.

    Attributes:
        task: the classes, neutral among them.
        threshold: probability from which the text branch agrees; None where it always decides.
        tried: UA in percent of each threshold, where one was chosen.
    """

    name = "hierarchy"
    header = (
        "Rows that the speech branch calls neutral (probability at least 0.5) stay neutral where\n"
        "the text branch gives neutral at least the threshold, else they get what it says."
    )
    columns: ClassVar[Mapping[str, type[pl.DataType]]] = {
        "flagged": pl.Boolean,
        "mapped_emotion": pl.String,
        "emotion": pl.String,
        "decided_by": pl.String,
    }
    task: Task
    threshold: float | None = None
    tried: Mapping[float, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse classes that have no neutral one."""
        if self.neutral is None:
            raise CalibrationError(
                f"--method hierarchy: none of the classes {', '.join(self.task.classes)} is neutral"
            )

    @property
    def neutral(self) -> int | None:
        """Number of the neutral class."""
        name = self.task.labels.spellings.get(NEUTRAL)
        return None if name is None else self.task.classes.index(name)

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Choose the threshold of the highest UA; of equals the lowest.

        Args:
            rows: labelled and scored.
            task: the classes.
            options: ``threshold`` as on the command line: a number, or none.

        Returns:
            The method.

        Raises:
            CalibrationError: if no class is neutral.
        """
        given = options.get("threshold")
        if given is not None:
            return cls(task, None if given == ALWAYS else float(given))
        tried = {}
        for threshold in THRESHOLDS:
            found = cls(task, threshold)._decided(rows)["emotion"]
            emotions = pl.Series(found, dtype=pl.String)
            tried[threshold] = metrics(rows["label"], emotions, task.classes)["UA"]
        return cls(task, max(THRESHOLDS, key=lambda threshold: tried[threshold]), tried)

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Decide the emotion of each row by Algorithm 1.

        Args:
            rows: a score table.

        Returns:
            The rows with ``flagged`` (called neutral by the speech branch), ``mapped_emotion``
            (what the text branch says), ``emotion`` and ``decided_by``.
        """
        inputs = evidence.columns(rows.collect_schema().names(), self.task)
        return evidence.with_computed(rows, inputs, self._decided, self.columns)

    def needs_text(self) -> pl.Expr:
        """Say that rows are read that the speech branch calls neutral."""
        return pl.col(self.task.speech_columns[self._place]) >= HALF

    def to_document(self) -> dict[str, Any]:
        """Lay the threshold out; without one the text branch always decides."""
        return {self.name: {"threshold": self.threshold}}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        """Read the threshold.

        Args:
            document: what :meth:`to_document` gave, maybe edited by hand.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: names what is misspelt or out of range.
        """
        check_names(document, (cls.name, "fitted"), "the file")
        section = table(document, cls.name)
        check_names(section, ("threshold",), f"[{cls.name}]")
        threshold = section.get("threshold")
        if threshold is not None and not (is_number(threshold) and 0 <= threshold <= 1):
            raise ThresholdsError(
                f"{cls.name}.threshold is {threshold!r}; a number from 0 to 1 is wanted"
            )
        try:
            return cls(task, None if threshold is None else float(threshold))
        except CalibrationError as error:
            raise ThresholdsError(str(error)) from error

    def describe(self) -> Sequence[Section]:
        """Show the thresholds that were tried."""
        chosen = "none: the text branch always decides"
        if self.threshold is not None:
            chosen = f"{self.threshold:g}"
        blocks: list[str | Table] = [f"Threshold of the text branch's neutral: {chosen}."]
        if self.tried:
            rows = tuple((f"{each:g}", Value(figure)) for each, figure in self.tried.items())
            blocks.append(Table("On the rows fitted on", ("threshold", "UA, %"), rows))
        return [Section("Hierarchical fusion", tuple(blocks))]

    @property
    def _place(self) -> int:
        return 0 if self.neutral is None else self.neutral

    def _decided(self, rows: pl.DataFrame) -> dict[str, Any]:
        speech = evidence.speech(rows, self.task)
        text = evidence.text_of_classes(rows, self.task)
        known = evidence.known(speech)
        neutral = known & (np.nan_to_num(speech[:, self._place]) >= HALF)
        told = rows[text_columns(rows.columns)[0]].is_not_null().to_numpy()
        said = _likeliest(text, speech)
        agrees = np.zeros(len(rows), bool)
        if self.threshold is not None:
            agrees = np.nan_to_num(text[:, self._place]) >= self.threshold
        final = np.where(agrees, self._place, said)
        emotional = np.nan_to_num(speech)
        emotional[:, self._place] = -1
        final = np.where(neutral, np.where(told, final, self._place), emotional.argmax(axis=1))
        by = np.where(neutral, np.where(told, TEXT, NO_TEXT), SPEECH).astype(object)
        by[~known] = None
        return {
            "flagged": pl.Series(neutral).set(pl.Series(~known), None),
            "mapped_emotion": self._names(said, told),
            "emotion": self._names(final, known),
            "decided_by": by.tolist(),
        }

    def _names(self, places: NDArray[np.intp], known: NDArray[np.bool_]) -> list[str | None]:
        names = np.array([*self.task.classes, None], dtype=object)
        return list(names[np.where(known, places, len(self.task.classes))])


def _likeliest(text: Floats, speech: Floats) -> NDArray[np.intp]:
    # A sentiment stands for several classes alike: of these the speech branch's likeliest is taken.
    highest = np.nan_to_num(text).max(axis=1, keepdims=True)
    best = np.isclose(np.nan_to_num(text), highest, rtol=0, atol=1e-12)
    return np.asarray(np.where(best, np.nan_to_num(speech), -1.0).argmax(axis=1))
