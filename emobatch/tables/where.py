"""Rows for which a SQL expression holds.

The expression is read by sqlglot, so that it can be said what is compared with what, and evaluated
by Polars. It is about the columns of one table and reads nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import polars as pl
from polars.exceptions import PolarsError

from emobatch.errors import TableError, first_line
from emobatch.tables.sql_meaning import as_in_postgres, check_meaning
from emobatch.tables.text_format import blank_as_null
from emobatch.wording import counted

if TYPE_CHECKING:
    from sqlglot import exp

DIALECT = "postgres"
# What stands behind the name of a column of text while its numbers are compared.
AS_NUMBER = "\0number"


def filter_rows(table: pl.LazyFrame, where: str | None) -> pl.LazyFrame:
    """Keep the rows for which a SQL expression holds.

    Columns of a CSV are text; one that holds nothing but numbers can be compared with numbers.

    Args:
        table: any table.
        where: for example ``split != 'test'``; None keeps all.

    Returns:
        The rows for which it is true.

    Raises:
        TableError: if the expression is no SQL, reads anything but columns of the table, or
            doesn't fit these.
    """
    if where is None:
        return table
    schema = table.collect_schema()
    condition = _parsed(where)
    _check_columns(condition, schema, where)
    check_meaning(condition, schema, where)
    numbers = _compared_with_numbers(condition, schema)
    table = _with_numbers(table, sorted(numbers), where)
    condition = as_in_postgres(condition, schema)
    try:
        # What was checked and not what was typed: Polars passes over what it can't read at the end.
        expression = pl.sql_expr(condition.sql(dialect=DIALECT))
        # On no rows: what doesn't fit is said here and not in the middle of things.
        pl.DataFrame(schema=table.collect_schema()).filter(expression)
    except PolarsError as error:
        raise TableError(f"--where {where!r}: {_cause(error)}") from error
    return table.filter(expression).drop(name + AS_NUMBER for name in numbers)


def refuse_nothing_kept(kept: pl.LazyFrame, rows: pl.LazyFrame, where: str | None) -> None:
    """Say that an expression keeps no row, where else it would be said of what the rows lack.

    Args:
        kept: what it keeps.
        rows: all of them.
        where: the expression, None where all are kept.

    Raises:
        TableError: if there are rows, and none is kept.
    """
    if where is None or not kept.head(1).collect(engine="streaming").is_empty():
        return
    count = rows.select(pl.len()).collect(engine="streaming").item()
    if count:
        raise TableError(
            f"--where keeps none of {counted(count, 'row')}; look at the values that it compares"
        )


def _cause(error: PolarsError) -> str:
    # The first line of what is wrong with a regular expression shows it, a later one says why.
    lines = str(error).splitlines()
    causes = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if causes:
        return f"no regular expression: {causes[0]}; write \\( for a parenthesis, and so on"
    if "{" in first_line(error):
        return "not known here; use comparisons, BETWEEN, IN, LIKE or ~"  # the parser's own notes
    return first_line(error)


def _parsed(where: str) -> exp.Expr:
    import sqlglot
    from sqlglot import exp

    try:
        condition = sqlglot.parse_one(where, dialect=DIALECT)
    except sqlglot.errors.SqlglotError as error:
        place = next((each["col"] for each in getattr(error, "errors", ())), None)
        at = "" if place is None else f" at character {place}"
        raise TableError(
            f"--where {where!r}: not a SQL expression{at}; write for example \"split != 'test'\""
        ) from error
    beyond = (exp.Query, exp.Table, exp.Command, exp.Block, exp.ReadCSV, exp.DDL, exp.DML)
    if condition.find(*beyond) is not None:
        raise TableError(
            f"--where {where!r}: reads more than this table; compare its columns with values"
        )
    return condition


def _check_columns(condition: exp.Expr, schema: Collection[str], where: str) -> None:
    from sqlglot import exp

    for column in condition.find_all(exp.Column):
        if column.name not in schema or column.table:
            raise TableError(
                f"--where {where!r}: no column {column.sql(dialect=DIALECT)!r}; the columns are "
                f"{', '.join(schema)}; text goes in single quotes"
            )


def _compared_with_numbers(condition: exp.Expr, schema: Mapping[str, pl.DataType]) -> set[str]:
    # Renames, where they are compared with numbers, the columns of text, and gives their names.
    from sqlglot import exp

    compares = (exp.Predicate, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
    numbers: set[str] = set()
    for node in condition.find_all(*compares):
        operands = [part for part in node.iter_expressions() if _is_operand(part)]
        if not any(_is_number(operand, schema) for operand in operands):
            continue
        for operand in operands:
            column = operand.unnest()
            if isinstance(column, exp.Neg):
                column = column.this.unnest()
            if isinstance(column, exp.Column) and schema.get(column.name) == pl.String:
                numbers.add(column.name)
                column.set("this", exp.to_identifier(column.name + AS_NUMBER, quoted=True))
    return numbers


def _is_operand(part: exp.Expr) -> bool:
    from sqlglot import exp

    return isinstance(part.unnest(), exp.Column | exp.Literal | exp.Neg | exp.Binary)


def _is_number(operand: exp.Expr, schema: Mapping[str, pl.DataType]) -> bool:
    from sqlglot import exp

    value = operand.unnest()
    if isinstance(value, exp.Neg):
        return True
    if isinstance(value, exp.Literal):
        return bool(value.is_number)
    if isinstance(value, exp.Column):
        known = schema.get(value.name)
        return known is not None and known.is_numeric()
    return isinstance(value, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Mod)


def _with_numbers(table: pl.LazyFrame, names: Collection[str], where: str) -> pl.LazyFrame:
    values = {name: blank_as_null(name).cast(pl.Float64, strict=False) for name in names}
    others = table.select(
        pl.col(name).filter(blank_as_null(name).is_not_null() & value.is_null()).first()
        for name, value in values.items()
    )
    first = others.collect(engine="streaming").row(0, named=True) if names else {}
    for name, other in first.items():
        if other is not None:
            raise TableError(
                f"--where {where!r}: column {name!r} holds text, as {other!r}: compare it with "
                "text in single quotes"
            )
    return table.with_columns(value.alias(name + AS_NUMBER) for name, value in values.items())
