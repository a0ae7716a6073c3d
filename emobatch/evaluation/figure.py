"""A figure: one number that was measured, with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BEFORE, AFTER, DIFFERENCE = "before", "after", "difference"
# Of rows that a language model reviewed: what fusion had said, and how far the review moved that.
FUSED, BY_JUDGE = "fused", "by judge"
# Columns of predictions, by the stage that they are of.
STAGES: Mapping[str, str] = {BEFORE: "speech_emotion", AFTER: "emotion"}
PERCENT, ROWS, SHARE, PLAIN = "%", "rows", "share", ""

Key = tuple[object, ...]


@dataclass(frozen=True)
class Figure:
    """One row of what was measured; the JSON, the table and what people see all come from these.

    Attributes:
        name: what was measured.
        value: None where there is nothing to measure it on.
        low: lower bound of its 95 % interval, None where it has none.
        high: upper bound.
        rows: how many rows it was measured on; None where that is of no interest.
        stage: ``before`` fusion or ``after`` all that decided, ``difference`` of these, ``fused``
            and ``by judge`` where a review followed fusion, or what else predicted.
        of_class: class that it is about, by label or, of a change, by what it was before.
        to: class that was predicted, or changed to.
        coverage: percentage of the rows that were kept, those of least entropy.
        confidence: bounds of the confidence that the rows have, 0 to 1.
        group: value of `--by` that the rows have, None for all rows together.
        measure: which measure it comes from.
        unit: ``%``, ``rows``, ``share`` (0 to 1) or none.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    rows: int | None = None
    stage: str | None = None
    of_class: str | None = None
    to: str | None = None
    coverage: float | None = None
    confidence: tuple[float, float] | None = None
    group: str | None = None
    measure: str = ""
    unit: str = PERCENT

    @property
    def key(self) -> Key:
        """What no two figures have in common."""
        return key(
            self.name,
            self.stage,
            self.of_class,
            self.to,
            self.coverage,
            self.confidence,
            self.group,
        )

    @property
    def bounds(self) -> list[float] | None:
        """Its interval, None where it has none."""
        return None if self.low is None or self.high is None else [self.low, self.high]

    @property
    def is_undefined(self) -> bool:
        """Whether it was measured on nothing, so that its value is a convention."""
        return self.value is None or self.rows == 0

    def text(self) -> str:
        """The value as people read it, without its unit; ``-`` where there is none.

        Examples:
            >>> Figure("UA", 70.5).text(), Figure("flagged", 3, unit=ROWS).text()
            ('70.50', '3')
            >>> Figure("recall", 0.0, rows=0).text()
            '-'
        """
        if self.value is None or self.rows == 0:
            return "-"
        shapes = {PERCENT: ".2f", ROWS: ".0f", SHARE: ".4f"}
        return format(self.value, shapes.get(self.unit, ".4g"))

    def span(self) -> str:
        """The interval as people read it.

        Examples:
            >>> Figure("UA", 70.5, 68.0, 72.25).span()
            '68.00 to 72.25'
        """
        bounds = self.bounds
        return "-" if bounds is None else f"{bounds[0]:.2f} to {bounds[1]:.2f}"


def key(
    name: str,
    stage: str | None = None,
    of_class: str | None = None,
    to: str | None = None,
    coverage: float | None = None,
    confidence: tuple[float, float] | None = None,
    group: str | None = None,
) -> Key:
    """What a figure is looked up by.

    Args:
        name: see :class:`Figure`, as for all others.
        stage: of predictions.
        of_class: class that it is about.
        to: class predicted or changed to.
        coverage: percentage of rows kept.
        confidence: bounds of a bin.
        group: value of `--by`.

    Returns:
        The same for the same figure.
    """
    return (name, stage, of_class, to, coverage, confidence, group)
