"""Methods fitted on some rows of a table and asked about others, as all commands do it.

What a method learns of rows without a label, and what a row's neighbours have to do with its
emotion, is the same wherever a method is fitted and measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from emobatch.errors import TableError
from emobatch.fusion.method import Method
from emobatch.fusion.methods import METHODS
from emobatch.splits.roles import TrainedOn
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.labels_read import LABEL
from emobatch.tasks.task import Task


def fit(
    kind: type[Method],
    labelled: pl.DataFrame,
    others: pl.DataFrame,
    task: Task,
    *,
    trained_on: TrainedOn | None = None,
    **options: Any,
) -> Method:
    """Fit a method.

    Args:
        kind: the method.
        labelled: rows with ``label``, see :func:`emobatch.fusion.labelled.labelled_rows`.
        others: further rows of the same tables, as those without a label and those that test. Their
            labels, if they have any, are not looked at.
        task: the classes.
        trained_on: splits that the speech model was trained on; None where that is not known.
        options: of the method.

    Returns:
        The method, fitted.

    Raises:
        CalibrationError: if it can't be fitted on these rows.
    """
    if trained_on is not None:
        options["trained_on"] = trained_on
    return kind.fit(fitting_rows(kind, labelled, others), task, **options)


def fitting_rows(kind: type[Method], labelled: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The rows that a method is fitted on.

    Args:
        kind: the method.
        labelled: rows with ``label``.
        others: further rows of the same tables.

    Returns:
        The labelled rows, and behind them the others without their labels where the method goes by
        such rows too.

    Examples:
        >>> from emobatch.fusion.speech import Speech
        >>> rows = pl.DataFrame({"id": ["a", "b"], "label": ["sad", "angry"]})
        >>> fitting_rows(Speech, rows[:1], rows[1:])["id"].to_list()
        ['a']
    """
    if not kind.uses_unlabelled:
        return labelled
    kept = [name for name in labelled.columns if name in others.columns and name != LABEL]
    nothing = pl.lit(None, dtype=labelled.schema[LABEL]).alias(LABEL)
    return pl.concat([labelled, others.select(*kept, nothing)], how="diagonal")


def columns_read(rows: pl.LazyFrame, methods: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name what methods are fitted on beside scores.

    Args:
        rows: a score table.
        methods: options by name of the method.

    Returns:
        Columns of the table.

    Raises:
        TableError: if one is missing.
    """
    names = rows.collect_schema().names()
    found = [METHODS[name].also_reads(names, **options) for name, options in methods.items()]
    return list(dict.fromkeys(column for mine in found for column in mine))


def refuse_shards(scores: ScoreTable, method: Method) -> None:
    """Refuse parts of a manifest's scores where rows count for each other.

    Args:
        scores: as read.
        method: that decides them.

    Raises:
        TableError: names the first of them.
    """
    if scores.shards and method.whole_table:
        raise TableError(
            f"{scores.shards[0]}: one shard of a manifest, and with {method.name} a speaker's or a "
            "dialogue's rows count for each other, which may be in several; join them first, with "
            "`emobatch merge`"
        )


def decide(method: Method, rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Decide rows of a table.

    Args:
        method: as fitted.
        rows: those that are asked about, maybe with a label, which is not looked at.
        others: further rows of the same table, with the same columns. They count where a row's
            emotion depends on others of its speaker or its dialogue.

    Returns:
        ``rows`` in their order, with the method's columns.
    """
    if not method.whole_table or others.is_empty():
        return method.decide(rows.lazy()).collect()
    table = pl.concat([rows, others.select(rows.columns)]).drop(LABEL, strict=False)
    decided = method.decide(table.lazy()).select(*method.columns).collect()
    return pl.concat(
        [rows.drop(*method.columns, strict=False), decided.head(len(rows))], how="horizontal"
    )
