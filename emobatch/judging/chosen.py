"""Which rows a language model is asked about."""

from __future__ import annotations

import polars as pl

from emobatch.errors import TableError
from emobatch.judging.names import DISAGREE, FLAGGED, UNSURE
from emobatch.tables.score_columns import text_columns
from emobatch.tasks.task import Task


def chosen(rows: pl.LazyFrame, task: Task, only: str, share: float) -> pl.Series:
    """Choose rows; those without an emotion or a transcript are never chosen.

    Args:
        rows: a final table.
        task: its classes.
        only: ``all``; ``flagged`` by the method; ``disagree``: the branches do; ``unsure``: the
            least confident.
        share: of the rows with an emotion, 0 to 1, that are unsure.

    Returns:
        (rows,) bools.

    Raises:
        TableError: if the table lacks what that needs.
    """
    names = rows.collect_schema().names()
    _need(names, ("emotion", "transcript"), "`emobatch apply` writes final tables")
    usable = pl.col("emotion").is_not_null() & (
        pl.col("transcript").cast(pl.String).str.strip_chars() != ""
    ).fill_null(False)
    if only == FLAGGED:
        _need(names, ("flagged",), "the method flags no rows; choose another --only")
        usable &= pl.col("flagged").fill_null(False)
    elif only == DISAGREE:
        usable &= _disagree(names, task)
    elif only == UNSURE:
        usable &= _unsure(names, task, share)
    return rows.select(usable.alias("chosen")).collect(engine="streaming").to_series()


def _disagree(names: list[str], task: Task) -> pl.Expr:
    said, _ = text_columns(names)
    _need(names, ("speech_emotion", said), "score both branches, or choose another --only")
    if said == "text_emotion":
        agree = pl.col(said) == pl.col("speech_emotion")
    else:
        stands_for = {name: sentiment or "" for name, sentiment in task.sentiment_by_class.items()}
        heard = pl.col("speech_emotion").replace_strict(
            stands_for, default=None, return_dtype=pl.String
        )
        agree = pl.col(said) == heard
    return ~agree.fill_null(True)


def _unsure(names: list[str], task: Task, share: float) -> pl.Expr:
    final = [f"final_{name}" for name in task.classes]
    columns = final if set(final) <= set(names) else list(task.speech_columns)
    _need(names, columns, "choose another --only")
    sure = pl.max_horizontal(pl.col(columns).cast(pl.Float64))
    count = (pl.col("emotion").is_not_null().sum() * share).ceil()
    # Of equals the first.
    rank = pl.when(pl.col("emotion").is_not_null()).then(sure).rank("ordinal")
    return (rank <= count).fill_null(False)


def _need(names: list[str], wanted: tuple[str, ...] | list[str], remedy: str) -> None:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise TableError(f"no column {', '.join(missing)}; {remedy}")
