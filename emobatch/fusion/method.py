"""What every method of fusing both branches does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import polars as pl
from numpy.typing import NDArray

from emobatch.errors import OptionError
from emobatch.fusion.description import Section
from emobatch.tasks.task import Task


class Method(ABC):
    """A method that was fitted on labelled rows and decides any rows.

    Score tables come to it checked, with ``speech_emotion``, ``entropy`` and ``varentropy`` (nats),
    see :func:`emobatch.tables.score_table.with_scores`. A new method is a subclass in a file of
    its own and a line in :data:`emobatch.fusion.methods.METHODS`.

    Attributes:
        name: what ``--method`` calls it.
        columns: what :meth:`decide` adds to a table, with their types; ``emotion``, the final one,
            and ``decided_by`` among them, unless it decides attributes.
        header: what a thresholds file says of it at its top, in lines.
        beside: names of methods that a cross-validation shows with it, to compare.
        reads_text: whether tables must have what the text branch says.
        uses_unlabelled: whether it is fitted on rows without a label as well.
        whole_table: whether a row's emotion depends on other rows, so that a part of a table
            can't be decided by itself.
        score_options: options of `score` that what it reads depends on, beside models.
        of_attributes: whether it decides attributes and no emotions.
        has_arrays: whether it keeps arrays beside the thresholds file.
        task: the classes that it decides between.
    """

    name: ClassVar[str]
    columns: ClassVar[Mapping[str, type[pl.DataType]]] = {
        "emotion": pl.String,
        "decided_by": pl.String,
    }
    header: ClassVar[str] = ""
    beside: ClassVar[tuple[str, ...]] = ()
    reads_text: ClassVar[bool] = True
    uses_unlabelled: ClassVar[bool] = False
    whole_table: ClassVar[bool] = False
    score_options: ClassVar[tuple[str, ...]] = ()
    of_attributes: ClassVar[bool] = False
    has_arrays: ClassVar[bool] = False
    task: Task

    @property
    def goes_by_text(self) -> bool:
        """Whether what the text branch says can change what it decides."""
        return self.reads_text

    @classmethod
    def also_reads(cls, names: Sequence[str], **options: Any) -> list[str]:
        """Name what it is fitted on beside scores and what tells rows apart.

        Args:
            names: of the table's columns.
            options: as for :meth:`fit`.

        Returns:
            Columns of the table, none by default.

        Raises:
            TableError: if one is missing.
        """
        return []

    @classmethod
    @abstractmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit on labelled rows.

        Args:
            rows: with ``label``, a class, and the columns of a score table that the method reads;
                each has scores of the speech branch, and none was left out by a gate. A method
                with ``uses_unlabelled`` gets rows whose label is null as well.
            task: the classes.
            options: those of the command line's that are registered with the method, and
                ``trained_on``, splits that the speech model was trained on, where that is known.

        Returns:
            The method, fitted.

        Raises:
            CalibrationError: if it can't be fitted on these rows.
        """

    @abstractmethod
    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Decide the emotion of each row.

        Args:
            rows: a score table; nothing of it is read here.

        Returns:
            The rows with ``columns``, all null where a row has no speech scores.
        """

    @abstractmethod
    def needs_text(self) -> pl.Expr:
        """Say for which rows the text branch could change the emotion.

        Returns:
            Expression of one bool for each row over what the speech branch says of it; null where
            it says nothing. Where it is false, :meth:`decide` gives the same emotion whatever the
            text branch says, so that a gate may leave that branch out.
        """

    @abstractmethod
    def to_document(self) -> dict[str, Any]:
        """Say what was fitted, for the thresholds file.

        Returns:
            Tables and values as TOML has them, to be read by people; None is left out.
        """

    @classmethod
    @abstractmethod
    def from_document(cls, document: Mapping[str, Any], task: Task) -> Self:
        """Read what :meth:`to_document` gave, maybe edited by hand.

        Args:
            document: the file but for ``format``, ``method``, ``classes``, ``sentiments`` and
                ``fitted``; ``arrays`` are what :meth:`arrays` gave.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: names what is misspelt, missing or out of range.
        """

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Give what is too large for TOML, for a file beside it; by name."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Say with which options it was fitted, for ``[fitted]``."""
        return {}

    def examined(
        self, rows: pl.DataFrame, resamples: int | None
    ) -> tuple[Self, dict[str, Any] | None]:
        """Look into how far what was fitted can be trusted; `calibrate` asks for it once.

        Args:
            rows: those that it was fitted on.
            resamples: bootstrap resamples, 0 for none, None for as many as take about a second.

        Returns:
            The method with what was found, and what was resampled, None where nothing was.
        """
        if resamples:
            raise OptionError(f"--bootstrap: {self.name} has nothing to resample; leave it out")
        return self, None

    def warnings(self) -> list[str]:
        """Say what may do worse on new speech than on the rows that it was fitted on."""
        return []

    def reasons(self) -> dict[str, str]:
        """Say of which classes nothing could be fitted, and why."""
        return {}

    def describe(self) -> Sequence[Section]:
        """Describe what was fitted, for the terminal and the report."""
        return ()

    def describe_on(self, rows: pl.DataFrame) -> Sequence[Section]:
        """Describe how it does on the rows of a report.

        Args:
            rows: labelled and decided, with ``label``, the score table's columns and ``columns``.

        Returns:
            Sections, maybe with charts.
        """
        return ()

    def doubts(self, rows: pl.DataFrame, labelled: pl.DataFrame) -> list[str]:
        """Say what a reader of a report must know before its figures.

        Args:
            rows: a final table's rows that have scores.
            labelled: those of them that have a label; none where the ids tell which of them it was
                fitted on, so that it need not be guessed.

        Returns:
            Sentences: that the rows were decided by something else, or that it was fitted on them.
        """
        return []

    def limits(self, measure: str) -> dict[str, float]:
        """By what a row is chosen for the text branch, where that is a limit on a measure.

        Args:
            measure: ``entropy`` or ``varentropy``.

        Returns:
            The limit by predicted class, in the measure's unit.
        """
        return {}
