"""What was measured of a table: figures, and the few facts that are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from emobatch.evaluation.bootstrap import Resampling
from emobatch.evaluation.figure import Figure, Key, key
from emobatch.evaluation.normalisation import WORDS
from emobatch.tables.fitted_rows import Overlap
from emobatch.tasks.labels_read import LabelsRead
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class Evaluation:
    """All that was measured.

    Attributes:
        task: the classes.
        figures: in the order of the measures; those of all rows first, then those of groups.
        stages: of predictions that the table has, ``before``, ``after`` or both.
        groups: values of the column that `--by` named, None where none was.
        drawn: what the intervals of predictions come from, None where there are none.
        notes: what a reader should know of the rows before the figures.
        labels: how they were read, None where that isn't known.
        left_out: rows that aren't measured, by reason, see
            :data:`emobatch.tables.left_out.REASONS`; empty where that isn't known.
        normalisation: of texts, see :func:`emobatch.evaluation.normalisation.normalised`.
        in_sample: how many of the rows the thresholds were fitted on, None where not known.
    """

    task: Task
    figures: tuple[Figure, ...]
    stages: tuple[str, ...]
    groups: tuple[str, ...] | None = None
    drawn: Resampling | None = None
    notes: tuple[str, ...] = ()
    labels: LabelsRead | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    in_sample: Overlap | None = None
    normalisation: str = WORDS

    @cached_property
    def _by_key(self) -> Mapping[Key, Figure]:
        return {figure.key: figure for figure in self.figures}

    @cached_property
    def _by_measure(self) -> Mapping[tuple[str, str | None], list[Figure]]:
        grouped: dict[tuple[str, str | None], list[Figure]] = {}
        for figure in self.figures:
            grouped.setdefault((figure.measure, figure.group), []).append(figure)
        return grouped

    @property
    def rows(self) -> int:
        """How many labelled rows have predictions."""
        return int(self.value("rows") or 0)

    def of(self, measure: str, group: str | None = None) -> list[Figure]:
        """Figures that come from one measure.

        Args:
            measure: its name.
            group: value of `--by`, None for all rows together.

        Returns:
            Its figures in order.
        """
        return self._by_measure.get((measure, group), [])

    def get(self, name: str, **described: Any) -> Figure | None:
        """Look a figure up.

        Args:
            name: of the figure.
            described: what else tells it from others, see :func:`emobatch.evaluation.figure.key`.

        Returns:
            The figure, None where it was not measured.
        """
        return self._by_key.get(key(name, **described))

    def value(self, name: str, **described: Any) -> float | None:
        """The value of a figure.

        Args:
            name: as for :meth:`get`.
            described: as for :meth:`get`.

        Returns:
            Its value, None where it was not measured.
        """
        figure = self.get(name, **described)
        return None if figure is None else figure.value

    def text(self, name: str, **described: Any) -> str:
        """The value of a figure as people read it.

        Args:
            name: as for :meth:`get`.
            described: as for :meth:`get`.

        Returns:
            Its value without unit, ``-`` where there is none.
        """
        figure = self.get(name, **described)
        return "-" if figure is None else figure.text()
