"""Rows for which a SQL expression holds."""

from __future__ import annotations

import polars as pl
from polars.exceptions import ComputeError, PolarsError

from emobatch.errors import TableError, first_line
from emobatch.tables.reading import blank_as_null


def filter_rows(table: pl.LazyFrame, where: str | None) -> pl.LazyFrame:
    """Keep the rows for which a SQL expression holds.

    Args:
        table: any table.
        where: for example ``split != 'test'``; None keeps all.

    Returns:
        The rows for which it is true.

    Raises:
        TableError: if the expression is no SQL or doesn't fit the columns.
    """
    if where is None:
        return table
    try:
        condition = pl.sql_expr(where)
        schema = table.collect_schema()
        unknown = [name for name in condition.meta.root_names() if name not in schema]
        if unknown:
            raise TableError(
                f"--where {where!r}: no column {unknown[0]!r}; the columns are "
                f"{', '.join(schema)}; text goes in single quotes"
            )
        try:
            pl.DataFrame(schema=schema).filter(condition)
        except PolarsError as error:
            if "string" not in str(error).lower():
                raise
            return _filter_as_numbers(table, condition, error)
    except PolarsError as error:
        raise TableError(f"--where {where!r}: {first_line(error)}") from error
    return table.filter(condition)


def _filter_as_numbers(table: pl.LazyFrame, condition: pl.Expr, error: PolarsError) -> pl.LazyFrame:
    # CSV columns are carried as text; `session = 1` compares their numbers and leaves the text.
    schema = table.collect_schema()
    named = {name for name in condition.meta.root_names() if schema[name] == pl.String}
    values = {name: blank_as_null(name).cast(pl.Float64, strict=False) for name in named}
    others = table.select(
        pl.col(name).filter(blank_as_null(name).is_not_null() & value.is_null()).first()
        for name, value in values.items()
    )
    no_number = others.collect(engine="streaming").row(0, named=True) if named else {}
    kept = {name: f"{name}\0text" for name in named if no_number[name] is None}
    if not kept:
        name, value = next(iter(no_number.items()), ("", None))
        raise ComputeError(
            f"{first_line(error)}; column {name!r} holds text, as {value!r}: compare it with text "
            "in single quotes"
        )
    renamed = table.with_columns(pl.col(name).alias(aside) for name, aside in kept.items())
    renamed = renamed.with_columns(values[name].alias(name) for name in kept)
    pl.DataFrame(schema=renamed.collect_schema()).filter(condition)
    return (
        renamed.filter(condition)
        .with_columns(pl.col(aside).alias(name) for name, aside in kept.items())
        .drop(*kept.values())
    )
