"""Logistic fusion as a method."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from emobatch.errors import CalibrationError, OptionError, TableError
from emobatch.fusion import evidence
from emobatch.fusion.checks import check_names, table
from emobatch.fusion.context import chains as dialogues
from emobatch.fusion.context.smoothing import chance_of_labels
from emobatch.fusion.context.together import together
from emobatch.fusion.description import Section
from emobatch.fusion.logistic import document
from emobatch.fusion.logistic.centring import SPEAKER, Speakers, numbered
from emobatch.fusion.logistic.fitting import choose_strength, fit
from emobatch.fusion.logistic.gate_cost import GateCost, gate_cost
from emobatch.fusion.logistic.model import Model
from emobatch.fusion.logistic.regression import softmax
from emobatch.fusion.logistic.sample import Sample
from emobatch.fusion.logistic.sections import described
from emobatch.fusion.method import Method
from emobatch.fusion.pooling import CONTEXT, DECIDERS, SPEECH, by_text, decided, decision_columns
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)

NONE, DIALOGUE, GRID = "none", "dialogue", "grid"


@dataclass(frozen=True)
class Logistic(Method):
    """Multinomial logistic regression on both branches' log-probabilities.

    Late fusion of Singh and Villalba, *EmoJudge* (2025), with rows that the speech model was
    trained on weighed down, speakers centred, and on request the rows of a dialogue together.

    Attributes:
        task: the classes.
        answers: of the text branch that was fitted on.
        model: as fitted.
        strength: C, the inverse of the penalty.
        rho: chance that neighbours in a dialogue share a label; None without context.
        tried: UA in percent of each strength, where one was chosen.
        cost: of asking the text branch about some rows alone, where that was wished.
    """

    name = "logistic"
    header = (
        "Logits of the classes: weights times ln p of the speech branch's classes and of the text\n"
        "branch's answers, in this order, and the offset, which stands last in each line."
    )
    uses_unlabelled = True
    beside: ClassVar[tuple[str, ...]] = ()

    task: Task
    answers: tuple[str, ...]
    model: Model
    strength: float = 1.0
    rho: float | None = None
    tried: Mapping[float, float] = field(default_factory=dict)
    cost: GateCost | None = None

    @cached_property
    def columns(self) -> Mapping[str, type[pl.DataType]]:  # type: ignore[override]
        """What :meth:`decide` adds, the probabilities ``final_CLASS`` among it."""
        flagged = {} if self.model.margin is None else {"flagged": pl.Boolean}
        return {**flagged, **decision_columns(self.task)}

    @property
    def whole_table(self) -> bool:  # type: ignore[override]
        """Whether speakers' means or a row's neighbours count."""
        return self.model.is_centred or self.rho is not None

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit on labelled rows; speakers' means are of their other rows as well.

        Args:
            rows: scored, of which some have a ``label``; ``speaker`` where speakers are centred.
            task: the classes.
            options: ``centre``, ``context``, ``C`` and ``gate_share`` as on the command line, and
                ``trained_on``, the splits that the speech model was trained on, else ``train``.

        Returns:
            The method.

        Raises:
            CalibrationError: if labels are all of one class, or a column is missing.
            OptionError: if there are no speakers to leave out.
        """
        centre = options.get("centre")
        if centre == SPEAKER and SPEAKER not in rows.columns:
            raise CalibrationError(
                "--centre speaker: no column 'speaker'; add it to the table, or use --centre none"
            )
        # In one order, whatever order the table is in: sums then have the same bits.
        rows = rows.sort(by=[*evidence.columns(rows.columns, task), "label"], nulls_last=True)
        trained_on = options.get("trained_on") or "train"
        sample = Sample.of(rows, task, trained_on.split("+"), centred=centre != NONE)
        strength, tried = _strength(sample, options.get("C", 1.0))
        rho = None
        if options.get("context") == DIALOGUE:
            rho = chance_of_labels(sample.labels, dialogues.chains(rows), len(task.classes))
        model = fit(sample, strength, options.get("gate_share"))
        answers = evidence.answers(rows.columns, task)
        return cls(task, answers, model, strength, rho, tried, gate_cost(model, sample))

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Take the likeliest class of each row.

        Args:
            rows: a score table; a whole one where speakers' means or a row's neighbours count.

        Returns:
            The rows with ``final_CLASS``, ``emotion`` and ``decided_by``; and ``flagged``, those
            that the text branch is asked about, where these are not all.

        Raises:
            TableError: if a column is missing.
            ThresholdsError: if the text branch is of another kind.
        """
        names = rows.collect_schema().names()
        evidence.check_answers(names, self.task, self.answers)
        wanted = evidence.columns(names, self.task)
        if self.model.is_centred:
            if SPEAKER not in names:
                raise TableError(
                    "no column 'speaker', by which rows are centred; add it to the table, or "
                    "calibrate with --centre none"
                )
            wanted.append(SPEAKER)
        if self.rho is not None:
            wanted += dialogues.columns(names)
        wanted = list(dict.fromkeys(wanted))
        return evidence.with_computed(
            rows, wanted, self._decided, self.columns, whole=self.whole_table
        )

    def needs_text(self) -> pl.Expr:
        """Say which rows the text branch is asked about.

        Returns:
            Every row, or those of which the speech branch is least sure: by what it says of a row
            alone, for of a speaker's other rows nothing is known while rows are scored.
        """
        first = pl.col(self.task.speech_columns[0])
        if self.model.margin is None:
            return first.is_not_null()

        def asked(series: pl.Series) -> pl.Series:
            speech = evidence.speech(series.struct.unnest(), self.task)
            return pl.Series(self.model.is_asked(evidence.logarithms(speech)))

        found = pl.struct(self.task.speech_columns).map_batches(
            asked, return_dtype=pl.Boolean, is_elementwise=True
        )
        return pl.when(first.is_not_null()).then(found)

    def to_document(self) -> dict[str, Any]:
        """Lay out what was fitted."""
        content = {
            "C": self.strength,
            "answers": list(self.answers),
            **document.to_document(self.model, self.task),
        }
        context = {} if self.rho is None else {document.CONTEXT: {"rho": self.rho}}
        return {document.SECTION: content, **context}

    @classmethod
    def from_document(cls, content: Mapping[str, Any], task: Task) -> Self:
        """Read what :meth:`to_document` gave, maybe edited by hand.

        Args:
            content: the file.
            task: the classes.

        Returns:
            The method.

        Raises:
            ThresholdsError: names what is misspelt, missing or out of range.
        """
        check_names(content, (document.SECTION, document.CONTEXT, "fitted"), "the file")
        section = table(content, document.SECTION)
        answers = document.answers_in(section)
        model = document.from_document(section, task, answers)
        strength = document.strength_in(section)
        return cls(task, answers, model, strength, document.chance_in(content))

    def settings(self) -> dict[str, Any]:
        """Say with which options it was fitted."""
        return {
            "centre": SPEAKER if self.model.is_centred else NONE,
            "context": NONE if self.rho is None else DIALOGUE,
            "gate": None if self.cost is None else self.cost.as_dict(),
        }

    def describe(self) -> Sequence[Section]:
        """Show what was chosen, what the context rests on, and what a gate costs."""
        return described(self.model, self.strength, self.rho, self.tried, self.cost)

    def _decided(self, rows: pl.DataFrame) -> dict[str, pl.Series]:
        heard = evidence.logarithms(evidence.speech(rows, self.task))
        said = evidence.logarithms(evidence.text(rows, self.task))
        known = evidence.known(heard)
        logits = np.full(heard.shape, np.nan)
        logits[known] = self._logits(rows.filter(pl.Series(known)), heard[known], said[known])
        final = softmax(logits / self.model.temperature)
        by, flagged = by_text(rows), {}
        if self.model.margin is not None:
            asked = self.model.is_asked(heard)
            by[~asked] = DECIDERS.index(SPEECH)
            flagged = {"flagged": pl.Series(asked).set(pl.Series(~known), None)}
        if self.rho is not None:
            found = together(rows, softmax(logits), self.rho)
            by[found.argmax(axis=1) != final.argmax(axis=1)] = DECIDERS.index(CONTEXT)
            final[known] = found[known]
        return {**flagged, **decided(final, self.task, by)}

    def _logits(
        self, rows: pl.DataFrame, heard: evidence.Floats, said: evidence.Floats
    ) -> evidence.Floats:
        speakers, names = None, list[str]()
        if self.model.is_centred:
            numbers, names = numbered(rows[SPEAKER])
            speakers = Speakers.of(numbers)
        logits, few = self.model.logits(heard, said, speakers)
        _note_few([names[place] for place in np.flatnonzero(few)])
        return logits


def _strength(sample: Sample, wanted: float | str) -> tuple[float, Mapping[float, float]]:
    if wanted != GRID:
        return float(wanted), {}
    if sample.speaker is None or len(np.unique(sample.speaker[sample.labelled])) < 2:
        raise OptionError(
            "--C grid leaves speakers out, and labelled rows name fewer than two; add a column "
            "'speaker', or give a number"
        )
    return choose_strength(sample)


def _note_few(names: Sequence[str]) -> None:
    if names:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        log.warning(
            "note: the rows of %d speakers seem to be of few classes, and are centred by "
            "composition: %s",
            len(names),
            shown,
        )
