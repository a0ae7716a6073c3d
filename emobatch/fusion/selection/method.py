"""Entropy-aware selection as a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import polars as pl
from polars import selectors

from emobatch.errors import ThresholdsError
from emobatch.fusion.description import Section
from emobatch.fusion.method import Method
from emobatch.fusion.selection import assessment, description, document
from emobatch.fusion.selection.algorithm import could_change, select_emotion
from emobatch.fusion.selection.detection import FlagBy
from emobatch.fusion.selection.fitting import Protocol, fit
from emobatch.fusion.selection.rules import DIRECT, Rules
from emobatch.tasks.task import Task

PROTOCOLS: tuple[Protocol, ...] = ("released", "paper")


@dataclass(frozen=True)
class Selection(Method):
    """Where the speech branch is unsure of what it predicts, the text branch decides.

    Chua, Wong, Chen and Miao, *Speech Emotion Recognition via Entropy-Aware Score Selection*.

    Attributes:
        task: the classes.
        rules: fitted, by predicted class.
        protocol: between which rows' percentiles limits are searched, see
            :func:`emobatch.fusion.selection.fitting.fit`.
    """

    name = "selection"
    header = (
        "By the class that the speech branch predicted, a row is flagged, and the text branch\n"
        "decides it, where entropy (nats) is at least, and varentropy at most, the figure given."
    )
    columns: ClassVar[Mapping[str, type[pl.DataType]]] = {
        "flagged": pl.Boolean,
        "mapped_emotion": pl.String,
        "emotion": pl.String,
        "decided_by": pl.String,
    }
    beside: ClassVar[tuple[str, ...]] = ("speech", "selection-entropy", "selection-varentropy")
    flag_by: ClassVar[FlagBy] = "both"

    task: Task
    rules: Rules
    protocol: Protocol = "released"

    @classmethod
    def fit(
        cls, rows: pl.DataFrame, task: Task, *, protocol: Protocol = "released", **options: Any
    ) -> Self:
        """Fit rules on labelled rows.

        Args:
            rows: labelled and scored.
            task: the classes.
            protocol: see :func:`emobatch.fusion.selection.fitting.fit`.
            options: no others.

        Returns:
            The method.
        """
        return cls(task, fit(rows, task, protocol, cls.flag_by), protocol)

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Decide the emotion of each row by Algorithm 1.

        Args:
            rows: a score table.

        Returns:
            The rows with ``flagged``, ``mapped_emotion``, ``emotion`` and ``decided_by``.

        Raises:
            ThresholdsError: if the rules are for another kind of text model.
        """
        self._check_text_model(rows)
        names = [name for name in rows.collect_schema() if name not in self.columns]
        decided = select_emotion(rows, self.rules, self.task)
        # By name and not by expression: a column may be called "*".
        return decided.select(selectors.by_name(*names, *self.columns))

    def needs_text(self) -> pl.Expr:
        """Say for which rows the text branch could change the emotion."""
        return could_change(self.rules, self.task)

    def to_document(self) -> dict[str, Any]:
        """Lay the rules out as tables."""
        return document.to_document(self.rules, self.flag_by)

    @classmethod
    def from_document(cls, content: Mapping[str, Any], task: Task) -> Self:
        """Read rules.

        Args:
            content: what :meth:`to_document` gave, maybe edited by hand.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: names what is misspelt, missing or out of range.
        """
        # A file written by hand may not say; a report then draws what `calibrate` would search.
        fitted = content.get("fitted", {}).get("protocol")
        protocol = fitted if fitted in PROTOCOLS else PROTOCOLS[0]
        return cls(task, document.from_document(content, task, cls.flag_by), protocol)

    def settings(self) -> dict[str, Any]:
        """Say with which protocol it was fitted."""
        return {"protocol": self.protocol}

    def examined(
        self, rows: pl.DataFrame, resamples: int | None
    ) -> tuple[Self, dict[str, Any] | None]:
        """Look into how firm the choice of each class's limits is.

        Args:
            rows: those fitted on.
            resamples: bootstrap resamples, 0 for none, None for as many as take about a second.

        Returns:
            The method with firmness, and what was resampled.
        """
        if self.flag_by != "both":
            return super().examined(rows, resamples)
        rules, bootstrap = assessment.assess(rows, self.rules, self.task, self.protocol, resamples)
        return replace(self, rules=rules), bootstrap

    def warnings(self) -> list[str]:
        """Name the classes that too few rows were flagged of."""
        return assessment.warnings(self.rules)

    def reasons(self) -> dict[str, str]:
        """Say which classes are never flagged, and why."""
        rules = self.rules.classes.items()
        return {name: rule.reason for name, rule in rules if rule.reason is not None}

    def describe(self) -> Sequence[Section]:
        """Show the limits, how firm they are, and the changes that are not made."""
        return description.thresholds(self.rules, self.task)

    def describe_on(self, rows: pl.DataFrame) -> Sequence[Section]:
        """Show M over the grid of limits on some rows.

        Args:
            rows: labelled and decided.

        Returns:
            One section with a heat map for each class that has limits.
        """
        if self.flag_by != "both":
            return ()
        return description.surfaces(rows, self.rules, self.protocol)

    def doubts(self, rows: pl.DataFrame, labelled: pl.DataFrame) -> list[str]:
        """Say whether rows were decided otherwise, or are those that the rules were fitted on.

        Args:
            rows: scored rows of a final table.
            labelled: those with a label.

        Returns:
            Sentences.
        """
        return description.doubts(rows, labelled, self.rules, self.protocol)

    def limits(self, measure: str) -> dict[str, float]:
        """The limit on a measure by predicted class.

        Args:
            measure: ``entropy`` or ``varentropy``.

        Returns:
            Limits in nats, or nats squared.
        """
        return {name: getattr(pair, measure) for name, pair in self.rules.limits.items()}

    def _check_text_model(self, rows: pl.LazyFrame) -> None:
        kinds = {rule.mapping.kind == DIRECT for rule in self.rules.classes.values()}
        says_emotions = "text_emotion" in rows.collect_schema()
        if kinds and kinds != {says_emotions}:
            mine, theirs = (
                ("emotions", "sentiment") if not says_emotions else ("sentiment", "emotions")
            )
            raise ThresholdsError(
                f"the thresholds are for a text model of {mine}, the table has one of {theirs}; "
                "calibrate on this table"
            )


class SelectionByEntropy(Selection):
    """Selection that flags by entropy alone (Table III)."""

    name = "selection-entropy"
    header = (
        "By the class that the speech branch predicted, a row is flagged, and the text branch\n"
        "decides it, where entropy (nats) is at least the figure given."
    )
    beside = ("speech",)
    flag_by = "entropy"


class SelectionByVarentropy(Selection):
    """Selection that flags by varentropy alone (Table III)."""

    name = "selection-varentropy"
    header = (
        "By the class that the speech branch predicted, a row is flagged, and the text branch\n"
        "decides it, where varentropy (nats squared) is at most the figure given."
    )
    beside = ("speech",)
    flag_by = "varentropy"
