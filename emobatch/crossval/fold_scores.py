"""Score tables read as the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import CalibrationError, TableError
from emobatch.fusion.fit_and_decide import columns_read
from emobatch.fusion.held_out import HeldOut
from emobatch.fusion.labelled import labelled_rows
from emobatch.fusion.methods import METHODS
from emobatch.splits import roles
from emobatch.splits.leakage import FOLD, SPLIT, Against, of_train
from emobatch.splits.roles import FOLD_COLUMN, SPLIT_COLUMN, TEST, TrainedOn
from emobatch.tables import doubled_rows, reading, score_table
from emobatch.tables.label_column import checked_column
from emobatch.tables.provenance import same_models
from emobatch.tables.score_table import ScoreTable
from emobatch.tables.where import refuse_nothing_kept
from emobatch.tasks.labels import parse_label_map
from emobatch.tasks.labels_read import LabelsRead
from emobatch.tasks.task import Task


@dataclass(frozen=True)
class FoldScores:
    """Labelled and scored rows of several folds.

    Attributes:
        rows: see :func:`emobatch.fusion.labelled.labelled_rows`, with their fold and split.
        unlabelled: the same of scored rows without a label.
        task: their classes.
        by: the column of folds; None where each file is one.
        has_split: whether the folds say what trains, validates and tests.
        models: what each fold was scored with, where known.
        tables: those that were read.
        left_out: rows without a label, scores, fold or split.
        labels: how they were read, those of rows that are left out as well.
        everything: all rows, not read yet, with their fold.
    """

    rows: pl.DataFrame
    unlabelled: pl.DataFrame
    task: Task
    by: str | None
    has_split: bool
    models: Mapping[str, Mapping[str, Any]]
    tables: tuple[ScoreTable, ...]
    left_out: int
    labels: LabelsRead
    everything: pl.LazyFrame

    @property
    def sources(self) -> tuple[str, ...]:
        """The tables' names."""
        return tuple(table.name for table in self.tables)

    @property
    def names(self) -> list[str]:
        """The folds in order."""
        return sorted(self.rows[FOLD].unique(), key=roles.natural)

    def held_out(
        self, name: str, fit_on: Against | None, trained_on: TrainedOn | None = None
    ) -> HeldOut:
        """Divide the rows of a fold.

        Args:
            name: of the fold.
            fit_on: the splits that are fitted on, None for the rows of all other folds.
            trained_on: splits that the speech model was trained on; None where that is not known.

        Returns:
            Rows that are fitted on, rows that test, and the others of the same fold; without splits
            the others of all folds.

        Raises:
            CalibrationError: if there is nothing to fit on or to test.
        """
        in_fold = pl.col(FOLD) == name
        if fit_on is None:
            rows, unlabelled = self.rows, self.unlabelled
            fits, tests = ~in_fold, in_fold
        else:
            rows, unlabelled = self.rows.filter(in_fold), self.unlabelled.filter(in_fold)
            fits, tests = of_train(fit_on), pl.col(SPLIT) == TEST
        fitted_on, tested = rows.filter(fits), rows.filter(tests)
        for part, use in ((fitted_on, f"fit on ({fit_on or 'other folds'})"), (tested, "test")):
            if part.is_empty():
                raise CalibrationError(
                    f"fold {name!r} has no labelled and scored row to {use}; look at columns "
                    "'split' and 'label', or leave the fold out with --where"
                )
        others = pl.concat([rows.filter(~fits & ~tests), unlabelled])
        return HeldOut(fitted_on, tested, others, trained_on)


def read(
    sources: Sequence[str],
    by: str | None,
    where: str | None,
    label_column: str | None,
    label_map: Sequence[str] = (),
    sentiment_map: Sequence[str] = (),
    *,
    methods: Mapping[str, Mapping[str, Any]],
) -> FoldScores:
    """Read score tables and tell their folds apart.

    Args:
        sources: score tables, globs or ``-``.
        by: column of folds; None takes ``fold``, or where there is none each file for a fold.
        where: SQL expression; only rows for which it holds are read.
        label_column: column that holds the labels; None for the one that `score` was told of,
            else ``label``.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        sentiment_map: ``CLASS=SENTIMENT`` pairs that override what classes stand for.
        methods: options by name of each method that will be fitted on them.

    Returns:
        Their rows.

    Raises:
        EmobatchError: if a table can't be read, lacks a column, or holds scores of other models
            for the same fold.
    """
    parts, by, has_split = opened(sources, by, where)
    task = _task(parts).with_sentiments(sentiment_map)
    check_rows(parts)
    aliases = parse_label_map(label_map, task.labels)
    needed = [FOLD, SPLIT] if has_split else [FOLD]
    column = checked_column(parts, label_column, aliases, task.labels)
    text = any(METHODS[name].reads_text for name in methods)
    labelled = []
    for part in parts:
        with reading.explained(part.name):
            others = (FOLD, SPLIT, *columns_read(part.rows, methods))
        labelled.append(labelled_rows(part, task, column, aliases, others, text=text))
    frames = [each.rows.drop_nulls(needed) for each in labelled]
    rows = pl.concat(frames)
    unlabelled = pl.concat(each.unlabelled.drop_nulls(FOLD) for each in labelled)
    total = sum(part.rows.select(pl.len()).collect().item() for part in parts)
    return FoldScores(
        rows,
        unlabelled,
        task,
        by,
        has_split,
        _models(parts, frames, apart=has_split),
        tuple(parts),
        total - len(rows),
        LabelsRead.together(each.read for each in labelled),
        pl.concat([part.unfiltered for part in parts], how="diagonal_relaxed"),
    )


def opened(
    sources: Sequence[str], by: str | None, where: str | None
) -> tuple[list[ScoreTable], str | None, bool]:
    """Open score tables and mark their folds.

    Args:
        sources: as for :func:`read`.
        by: column of folds, None to find it.
        where: SQL expression; only rows for which it holds are read.

    Returns:
        The tables, with columns of their fold and split; the column of folds, None where each file
        is one; and whether they say what trains and tests.

    Raises:
        EmobatchError: if a table can't be read or lacks a column.
    """
    # One by one: each fold has a speech model of its own.
    names = reading.expand(sources or [reading.STANDARD_STREAM])
    parts = [score_table.read([name], where) for name in names]
    has_split = _has_split(parts)
    by = _column(parts, by, has_split)
    labels = [Path(reading.spoken(name)).stem for name in names]
    if len(set(labels)) < len(labels):
        labels = names
    marked = [_marked(part, by, label) for part, label in zip(parts, labels, strict=True)]
    return marked, by, has_split


def check_rows(parts: Sequence[ScoreTable]) -> None:
    """Refuse tables of which nothing is kept, and rows that are given twice for a fold.

    Args:
        parts: tables, see :func:`opened`.

    Raises:
        TableError: see :mod:`emobatch.tables.doubled_rows`.
    """
    names = [name for part in parts for name in part.sources]
    rows = pl.concat([part.rows for part in parts], how="diagonal_relaxed")
    everything = pl.concat([part.unfiltered for part in parts], how="diagonal_relaxed")
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    with reading.explained(reading.spoken(names[0]) + more):
        refuse_nothing_kept(rows, everything, parts[0].where)
        doubled_rows.check_rows(rows, names, FOLD)


def _task(parts: Sequence[ScoreTable]) -> Task:
    first = parts[0]
    for part in parts:
        if part.task.classes != first.task.classes:
            raise TableError(
                f"{part.name}: its classes differ from those of {first.name}: "
                f"{', '.join(part.task.classes)} and {', '.join(first.task.classes)}; measure them "
                "apart"
            )
    return first.task


def _column(parts: Sequence[ScoreTable], by: str | None, has_split: bool) -> str | None:
    column = by or FOLD_COLUMN
    without = [part for part in parts if column not in part.unfiltered.collect_schema()]
    if by is None and len(without) == len(parts) and (has_split or len(parts) > 1):
        return None
    if without:
        columns = ", ".join(without[0].unfiltered.collect_schema())
        raise TableError(
            f"{without[0].name}: no column {column!r} to tell folds apart; name one with --by, or "
            f"give a file for each fold; the columns are {columns}"
        )
    return column


def _has_split(parts: Sequence[ScoreTable]) -> bool:
    without = [part for part in parts if SPLIT_COLUMN not in part.unfiltered.collect_schema()]
    if without and len(without) < len(parts):
        raise TableError(f"{without[0].name}: no column {SPLIT_COLUMN!r}, which other tables have")
    for part in parts if not without else ():
        with reading.explained(part.name):
            roles.check(part.rows, SPLIT_COLUMN)
    return not without


def _marked(part: ScoreTable, by: str | None, label: str) -> ScoreTable:
    fold = pl.lit(label) if by is None else pl.col(by).cast(pl.String)
    has_split = SPLIT_COLUMN in part.unfiltered.collect_schema()
    split = roles.canonical(SPLIT_COLUMN) if has_split else pl.lit(None, dtype=pl.String)
    return replace(
        part,
        rows=part.rows.with_columns(fold.alias(FOLD), split.alias(SPLIT)),
        unfiltered=part.unfiltered.with_columns(fold.alias(FOLD)),
    )


def _models(
    parts: Sequence[ScoreTable], frames: Sequence[pl.DataFrame], *, apart: bool
) -> dict[str, Mapping[str, Any]]:
    # Thresholds fitted on one model's scores say nothing about another's: folds may differ only
    # where each is fitted on its own rows.
    found: dict[str, Mapping[str, Any]] = {}
    seen: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for part, frame in zip(parts, frames, strict=True):
        models = part.provenance.get("models") or {}
        for fold in frame[FOLD].unique():
            other, theirs = seen.setdefault(fold if apart else "", (part.name, models))
            if not same_models(models, theirs):
                raise TableError(
                    f"{part.name} and {other} were scored with different models, and thresholds "
                    "would be fitted on both; give folds with a column 'split'"
                )
            found[fold] = models
    return found
