"""Logistic fusion as a method."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from emobatch.errors import CalibrationError, OptionError, TableError, ThresholdsError
from emobatch.fusion import evidence
from emobatch.fusion.checks import check_names, is_number, table
from emobatch.fusion.context import chains as dialogues
from emobatch.fusion.context.smoothing import chance_of_labels
from emobatch.fusion.context.together import together
from emobatch.fusion.description import Section, Table, Value
from emobatch.fusion.logistic import document
from emobatch.fusion.logistic.centring import Speakers, numbered
from emobatch.fusion.logistic.fitting import Sample, choose_strength, fit
from emobatch.fusion.logistic.model import Model
from emobatch.fusion.logistic.regression import softmax
from emobatch.fusion.method import Method
from emobatch.fusion.pooling import FUSION, NO_TEXT, decided, decision_columns
from emobatch.splits.roles import SPLIT_COLUMN, TRAIN, canonical
from emobatch.tables.score_table import text_columns
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)

SPEAKER, NONE, DIALOGUE, GRID = "speaker", "none", "dialogue", "grid"
CONTEXT = "context"


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
    """

    name = "logistic"
    header = (
        "Logits of the classes: weights times ln p of the speech branch's classes and of the text\n"
        "branch's answers, in this order, and the offset, which stands last in each line."
    )
    uses_unlabelled = True
    whole_table = True
    beside: ClassVar[tuple[str, ...]] = ()

    task: Task
    answers: tuple[str, ...]
    model: Model
    strength: float = 1.0
    rho: float | None = None
    tried: Mapping[float, float] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Mapping[str, type[pl.DataType]]:  # type: ignore[override]
        """What :meth:`decide` adds, the probabilities ``final_CLASS`` among it."""
        return decision_columns(self.task)

    @classmethod
    def fit(cls, rows: pl.DataFrame, task: Task, **options: Any) -> Self:
        """Fit on labelled rows; speakers' means are of their other rows as well.

        Args:
            rows: scored, of which some have a ``label``; ``speaker`` where speakers are centred.
            task: the classes.
            options: ``centre``, ``context`` and ``C`` as on the command line.

        Returns:
            The method.

        Raises:
            CalibrationError: if labels are all of one class, or a column is missing.
        """
        centre, context = options.get("centre"), options.get("context", NONE)
        if centre == SPEAKER and SPEAKER not in rows.columns:
            raise CalibrationError(
                "--centre speaker: no column 'speaker'; add it to the table, or use --centre none"
            )
        centred = centre != NONE and SPEAKER in rows.columns
        # In one order, whatever order the table is in: sums then have the same bits.
        rows = rows.sort(by=[*evidence.columns(rows.columns, task), "label"], nulls_last=True)
        sample = _sample(rows, task, centred=centred)
        wanted, tried = options.get("C", "1"), {}
        if wanted == GRID:
            if sample.speaker is None or len(np.unique(sample.speaker)) < 2:
                raise OptionError("--C grid: leaves speakers out, of which there are none")
            strength, tried = choose_strength(sample)
        else:
            strength = float(wanted)
        rho = None
        if context == DIALOGUE:
            rho = chance_of_labels(sample.labels, dialogues.chains(rows), len(task.classes))
        answers = evidence.answers(rows.columns, task)
        return cls(task, answers, fit(sample, strength), strength, rho, tried)

    def decide(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Take the likeliest class of each row.

        Args:
            rows: a score table, whole: a speaker's mean is that of the rows that are given.

        Returns:
            The rows with ``final_CLASS``, ``emotion`` and ``decided_by``.

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
        found = rows.select(list(dict.fromkeys(wanted))).map_batches(
            self._decided, schema=self.columns, streamable=False
        )
        others = rows.drop(*self.columns, strict=False)
        return pl.concat([others, found], how="horizontal")

    def needs_text(self) -> pl.Expr:
        """Say that any row's emotion can depend on the text branch."""
        return pl.col(self.task.speech_columns[0]).is_not_null()

    def to_document(self) -> dict[str, Any]:
        """Lay out what was fitted."""
        content = {
            "C": self.strength,
            "answers": list(self.answers),
            **document.to_document(self.model, self.task),
        }
        context = {} if self.rho is None else {CONTEXT: {"rho": self.rho}}
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
        check_names(content, (document.SECTION, CONTEXT, "fitted"), "the file")
        section = table(content, document.SECTION)
        known = ("C", "answers", "temperature", "usual", "class-means", *document.PAIRS)
        check_names(section, known, f"[{document.SECTION}]")
        answers = section.get("answers")
        if not isinstance(answers, list) or not all(isinstance(each, str) for each in answers):
            raise ThresholdsError(
                f"{document.SECTION}.answers is {answers!r}; a list of what the text branch "
                "answers is wanted"
            )
        rho = None
        if CONTEXT in content:
            context = table(content, CONTEXT)
            check_names(context, ("rho",), f"[{CONTEXT}]")
            rho = context.get("rho")
            if not is_number(rho) or not 0 <= rho < 1:
                raise ThresholdsError(f"{CONTEXT}.rho is {rho!r}; a number from 0 to 1 is wanted")
        model = document.from_document(section, task, answers)
        return cls(task, tuple(answers), model, float(section.get("C", 1.0)), rho)

    def settings(self) -> dict[str, Any]:
        """Say with which options it was fitted."""
        return {
            "centre": SPEAKER if self.model.is_centred else NONE,
            "context": NONE if self.rho is None else DIALOGUE,
        }

    def describe(self) -> Sequence[Section]:
        """Show what was chosen, and what the context rests on."""
        rows: list[tuple[str, str | Value]] = [
            ("C, the inverse of the penalty", f"{self.strength:g}"),
            ("speakers", "centred" if self.model.is_centred else "not centred"),
            ("temperature", Value(self.model.temperature)),
        ]
        if self.rho is not None:
            rows.append(("rho, from pairs of neighbouring labels", Value(self.rho, 3)))
        tables = [Table("As fitted", ("", ""), tuple(rows))]
        if self.tried:
            tried = tuple((f"{each:g}", Value(figure)) for each, figure in self.tried.items())
            tables.append(Table("Leaving speakers out", ("C", "UA, %"), tried))
        return [Section("Logistic fusion", tuple(tables))]

    def _decided(self, rows: pl.DataFrame) -> dict[str, Any]:
        heard = evidence.logarithms(evidence.speech(rows, self.task))
        said = evidence.logarithms(evidence.text(rows, self.task))
        known = np.isfinite(heard).all(axis=1)
        final = np.full(heard.shape, np.nan)
        speakers, names = None, []
        if self.model.is_centred:
            numbers, names = numbered(rows[SPEAKER].filter(pl.Series(known)))
            speakers = Speakers.of(numbers)
        logits, few = self.model.logits(heard[known], said[known], speakers)
        _note_few([names[place] for place in np.flatnonzero(few)])
        final[known] = softmax(logits / self.model.temperature)
        told = rows[text_columns(rows.columns)[0]].is_not_null().to_numpy()
        by = np.where(told, FUSION, NO_TEXT).astype(object)
        if self.rho is not None:
            posteriors = np.full(heard.shape, np.nan)
            posteriors[known] = softmax(logits)
            found = together(rows, posteriors, self.rho)[known]
            changed = found.argmax(axis=1) != final[known].argmax(axis=1)
            by[np.flatnonzero(known)[changed]] = CONTEXT
            final[known] = found
        return pl.DataFrame(decided(final, self.task, by), schema=self.columns)


def _sample(rows: pl.DataFrame, task: Task, *, centred: bool) -> Sample:
    labels = rows["label"].cast(pl.Enum(task.classes)).to_physical().cast(pl.Int64).fill_null(-1)
    seen = np.zeros(len(rows), bool)
    if SPLIT_COLUMN in rows.columns:
        split = rows.select(canonical(SPLIT_COLUMN)).to_series()
        seen = (split == TRAIN).fill_null(False).to_numpy()
    return Sample(
        evidence.logarithms(evidence.speech(rows, task)),
        evidence.logarithms(evidence.text(rows, task)),
        labels.to_numpy().astype(np.intp),
        seen,
        numbered(rows[SPEAKER])[0] if centred else None,
    )


def _note_few(names: Sequence[str]) -> None:
    if names:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        log.warning(
            "note: the rows of %d speakers seem to be of few classes, and are centred by "
            "composition: %s",
            len(names),
            shown,
        )
