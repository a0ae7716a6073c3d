"""What every kind of figure does: measure rows, and say what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from emobatch.evaluation.figure import PERCENT, Figure
from emobatch.evaluation.layout import Table, short
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample


class Measure(ABC):
    """A kind of figure.

    A new measure is a subclass in a file of its own, with ``name``, ``title`` and :meth:`figures`,
    and a line in :data:`emobatch.evaluation.measures.MEASURES`. The rest has defaults that do for
    most: its figures then stand in the JSON, in the table of figures, on the terminal and in the
    report.

    Attributes:
        name: as registered, and its key in the JSON.
        title: what people are told it is.
        columns: what it reads of a table beside labels, predictions and the speech branch's scores.
        of_text: whether it measures what was said, which a gate leaves out of some rows.
        needs_labels: whether it says nothing of rows without a label.
        of_unlabelled: whether it measures rows without a label beside the others.
        by_group: whether it is measured for each value of `--by` as well.
        beside_headline: whether what it remarks belongs right under the headline figures.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ()
    of_text: ClassVar[bool] = False
    needs_labels: ClassVar[bool] = True
    of_unlabelled: ClassVar[bool] = False
    by_group: ClassVar[bool] = False
    beside_headline: ClassVar[bool] = False

    @abstractmethod
    def figures(self, sample: Sample) -> Iterable[Figure]:
        """Measure rows.

        Args:
            sample: labelled rows; which of them have predictions is theirs to say.

        Returns:
            Figures, none where the rows lack what they are measured on. What they have no need
            to say of themselves, their measure and group, is added to them.

        Raises:
            LabelError: if the text branch said something unknown; this is then noted, and the
                figures left out.
        """

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Its part of the JSON.

        Args:
            evaluation: all that was measured.
            group: the value of `--by` that is asked for, None for all rows together.

        Returns:
            Keys of the whole, maybe nested; those of all measures are merged. By default the
            values under its name, nested by stage and class, and their bounds under
            ``NAME_intervals``.
        """
        own = evaluation.of(self.name, group)
        document: dict[str, Any] = {}
        if len(own) == 1 and own[0].name == self.name and not _path(own[0]):
            document[self.name] = own[0].value
            return document | ({f"{self.name}_interval": own[0].bounds} if own[0].bounds else {})
        for figure in own:
            _put(document.setdefault(self.name, {}), figure, figure.value)
            if figure.bounds:
                _put(document.setdefault(f"{self.name}_intervals", {}), figure, figure.bounds)
        return document

    def is_listed(self, figure: Figure) -> bool:
        """Say whether a figure of it has a row in the table of figures.

        Args:
            figure: one that it gave.

        Returns:
            By default that it has.
        """
        return True

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """What the terminal shows as a table.

        Args:
            evaluation: all that was measured.

        Returns:
            By default one, of all its figures, unless :meth:`remarks` tells them.
        """
        own = evaluation.of(self.name)
        if not own or self.remarks(evaluation):
            return ()
        return (plain_table(self.title, own),)

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """What the terminal says in a line.

        Args:
            evaluation: all that was measured.

        Returns:
            By default a line where it gave one figure alone.
        """
        own = evaluation.of(self.name)
        if len(own) != 1 or _path(own[0]):
            return ()
        unit = f" {own[0].unit}" if own[0].unit else ""
        between = f", 95 % {own[0].span()}" if own[0].bounds else ""
        return (f"{self.title} {own[0].text()}{unit}{between}",)

    def by_groups(self, evaluation: Evaluation) -> Sequence[tuple[str, Sequence[str]]]:
        """Its columns in the terminal's table of groups, if it measures these.

        Args:
            evaluation: all that was measured.

        Returns:
            Headings, each with a text for each group.
        """
        groups = evaluation.groups or ()
        own = [figure for group in groups for figure in evaluation.of(self.name, group)]
        kinds = dict.fromkeys((figure.name, figure.stage) for figure in own if not figure.of_class)
        return [
            (
                f"{name}\n{stage}" if stage else name,
                [evaluation.text(name, stage=stage, group=group) for group in groups],
            )
            for name, stage in kinds
        ]


def plain_table(title: str, figures: Sequence[Figure]) -> Table:
    """Lay figures of any kind out, one to a line.

    Args:
        title: what they are.
        figures: at least one.

    Returns:
        The table, with a column for what some of them have.

    Examples:
        >>> plain_table("toy", [Figure("share", 2.0, of_class="sad")]).rows
        (('share', 'sad', '2.00'),)
    """
    described: dict[str, list[str | None]] = {
        "stage": [figure.stage for figure in figures],
        "class": [figure.of_class for figure in figures],
        "to": [figure.to for figure in figures],
        "rows kept, %": [
            None if figure.coverage is None else f"{figure.coverage:g}" for figure in figures
        ],
    }
    columns: dict[str, list[str]] = {title: [short(figure.name, 32) for figure in figures]}
    columns |= {
        name: [short(text or "") for text in texts]
        for name, texts in described.items()
        if any(texts)
    }
    words = len(columns)
    units = {figure.unit for figure in figures}
    columns["%" if units == {PERCENT} else "value"] = [figure.text() for figure in figures]
    if any(figure.bounds for figure in figures):
        columns["95 %"] = [figure.span() for figure in figures]
    return Table(tuple(columns), tuple(zip(*columns.values(), strict=True)), left=words)


def _path(figure: Figure) -> list[str]:
    parts = (figure.stage, figure.of_class, figure.to, figure.coverage, figure.confidence)
    return [str(part) for part in parts if part is not None]


def _put(document: dict[str, Any], figure: Figure, value: Any) -> None:
    for part in _path(figure):
        document = document.setdefault(part, {})
    document[figure.name] = value
