"""SQL expressions made to mean to Polars what they mean to PostgreSQL, or refused.

Polars divides whole numbers into fractions, cuts off what it casts to whole numbers, and takes a
backslash in LIKE for itself, all without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import polars as pl

from emobatch.errors import TableError

if TYPE_CHECKING:
    from sqlglot import exp

FRACTION, WHOLE, OTHER = "fraction", "whole", "other"
# What 'true' and 'false' in quotes are in a comparison with true and false; PostgreSQL knows more.
TRUTHS = ("true", "false")
# Holds for whole numbers of any size, where Polars goes around at the end of a narrow type.
WIDE = (pl.Int64, pl.Int128)

DIVISION = (
    "{} divides whole numbers, which PostgreSQL cuts off; write a fraction, as {} / 2.0, and "
    "floor(...) around it to cut it off"
)
CAST = "{} makes whole numbers of fractions; write round(...) or floor(...) instead of the cast"
AS_TEXT = "{} makes text of fractions, of which 2 is written 2 or 2.0; compare them as numbers"
TYPE = "no casts to {}; cast to bigint, double precision, text, boolean, date or timestamp"
BACKSLASH = (
    "{}: LIKE is read without escapes, and \\ is one; use a regular expression, as in "
    "name ~ 'a%c' for what holds a%c"
)
NO_TRUTH = "column {!r} holds {}, neither true nor false; compare it with {}"
TRUTH = "column {!r} is true or false; compare it with true or false, not with {}"
LOGARITHM = "no log() and log10(); write ln(x) / ln(10.0)"
ALL_ROWS = "{} is about more rows than one; compare the values of one row"
UNKNOWN = "{} is not known here; use comparisons, BETWEEN, IN, LIKE or ~"


def check_meaning(condition: exp.Expr, schema: Mapping[str, pl.DataType], where: str) -> None:
    """Refuse what would mean something else to Polars, and can't be rewritten.

    Args:
        condition: an expression.
        schema: types of the columns by name.
        where: the expression as it was typed, for messages.

    Raises:
        TableError: says how to write it instead.
    """
    for node in condition.walk():
        for said in _refusals(node, schema):
            raise TableError(f"--where {where!r}: {said}")


def as_in_postgres(condition: exp.Expr, schema: Mapping[str, pl.DataType]) -> exp.Expr:
    """Rewrite an expression so that Polars means by it what PostgreSQL does.

    Args:
        condition: the expression, which is changed; see :func:`check_meaning`.
        schema: types of the columns by name.

    Returns:
        The expression for Polars.
    """
    from sqlglot import exp

    whole = exp.Paren(this=condition)
    for node in reversed(list(condition.walk())):  # what is inside before what is around it
        changed = _rewritten(node, schema)
        if changed is not node:
            node.replace(changed)
    return whole


def _refusals(node: exp.Expr, schema: Mapping[str, pl.DataType]) -> Iterator[str]:
    from sqlglot import exp

    typed = node.sql(dialect="postgres")
    parts = list(node.iter_expressions())
    if isinstance(node, exp.Div) and FRACTION not in {_kind(part, schema) for part in parts}:
        yield DIVISION.format(typed, node.this.sql(dialect="postgres"))
    elif isinstance(node, exp.Cast):
        yield from _wrong_cast(node, typed, schema)
    elif isinstance(node, exp.DPipe | exp.Concat):
        if any(_kind(part, schema) == FRACTION for part in parts):
            yield AS_TEXT.format(typed)
    elif isinstance(node, exp.Escape) or (
        isinstance(node, exp.Like | exp.ILike) and "\\" in node.expression.sql(dialect="postgres")
    ):
        yield BACKSLASH.format(typed)
    elif isinstance(node, exp.Is | exp.EQ | exp.NEQ | exp.NullSafeEQ | exp.NullSafeNEQ):
        yield from _wrong_truth(node, schema)
    elif isinstance(node, exp.Log):
        yield LOGARITHM
    elif isinstance(node, exp.AggFunc | exp.Window):
        yield ALL_ROWS.format(typed)
    elif isinstance(node, exp.SimilarTo) or node.args.get("symmetric"):
        yield UNKNOWN.format("SIMILAR TO" if isinstance(node, exp.SimilarTo) else "SYMMETRIC")


def _wrong_cast(node: exp.Cast, typed: str, schema: Mapping[str, pl.DataType]) -> Iterator[str]:
    from sqlglot import exp

    kinds, value, target = exp.DataType.Type, node.this.unnest(), node.to.this
    if isinstance(value, exp.IntDiv):
        return  # what sqlglot makes of div(), and writes without the cast
    text = {kinds.TEXT, kinds.VARCHAR}
    whole = {kinds.SMALLINT, kinds.INT, kinds.BIGINT}
    others = {kinds.FLOAT, kinds.DOUBLE, kinds.BOOLEAN, kinds.DATE}
    others |= {kinds.TIMESTAMP, kinds.TIMESTAMPTZ, kinds.TIME}
    if target not in text | whole | others or node.to.expressions:
        yield TYPE.format(node.to.sql(dialect="postgres"))
    elif target in text and _kind(value, schema) == FRACTION:
        yield AS_TEXT.format(typed)
    elif target in whole and not isinstance(value, exp.Round | exp.Floor | exp.Ceil | exp.Trunc):
        simple = isinstance(value, exp.Column | exp.Literal)
        known = _kind(value, schema)
        if known == FRACTION or (known == OTHER and not simple):
            yield CAST.format(typed)


def _wrong_truth(node: exp.Expr, schema: Mapping[str, pl.DataType]) -> Iterator[str]:
    # Polars compares text, letter by letter, with what it writes for true and for false.
    from sqlglot import exp

    sides = [node.this.unnest(), node.expression.unnest()]
    for side, other in (sides, sides[::-1]):
        held = schema.get(side.name) if isinstance(side, exp.Column) else None
        if held is not None and isinstance(other, exp.Boolean) and held != pl.Boolean:
            remedy = "text in single quotes" if held == pl.String else "numbers"
            yield NO_TRUTH.format(side.name, "text" if held == pl.String else held, remedy)
        given = held == pl.Boolean and isinstance(other, exp.Literal)
        if given and not (other.is_string and other.name in TRUTHS):
            yield TRUTH.format(side.name, other.sql(dialect="postgres"))


def _rewritten(node: exp.Expr, schema: Mapping[str, pl.DataType]) -> exp.Expr:
    from sqlglot import exp

    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean):
        # Polars leaves null what is neither, so that IS NOT TRUE would leave such rows out.
        truth = node.expression.this
        value = node.this.copy()
        known = exp.Coalesce(this=value, expressions=[exp.Boolean(this=not truth)])
        return known if truth else exp.Not(this=known)
    if isinstance(node, exp.RegexpLike | exp.RegexpILike) and node.expression.is_string:
        pattern = f"(?s){node.expression.name}"  # a dot is any character, the end of a line as well
        node.set("expression", exp.Literal.string(pattern))
        return node
    counts = (exp.Length, exp.BitLength, exp.StrPosition, exp.ArraySize)
    octets = isinstance(node, exp.Anonymous) and node.name.lower() == "octet_length"
    if isinstance(node, exp.Column):
        held = schema.get(node.name)
        narrow = held is not None and held.is_integer() and held not in WIDE
    else:
        narrow = isinstance(node, counts) or octets
    if narrow and not isinstance(node.parent, exp.Cast):
        # Of numbers without a sign 2 - 3 is not below 0.
        return exp.cast(node.copy(), "bigint", dialect="postgres")
    return node


def _kind(node: exp.Expr, schema: Mapping[str, pl.DataType]) -> str:
    # Whether a value is a whole number or a fraction by its type, as far as that shows.
    from sqlglot import exp

    node = node.unnest()
    if isinstance(node, exp.Literal):
        return OTHER if node.is_string else WHOLE if node.name.isdigit() else FRACTION
    if isinstance(node, exp.Column):
        held = schema.get(node.name)
        if held is None or not held.is_numeric():
            return OTHER
        return WHOLE if held.is_integer() else FRACTION
    if isinstance(node, exp.Cast):
        types = exp.DataType.Type
        named = {types.FLOAT: FRACTION, types.DOUBLE: FRACTION}
        whole = dict.fromkeys((types.SMALLINT, types.INT, types.BIGINT), WHOLE)
        return (named | whole).get(node.to.this, OTHER)
    if isinstance(node, exp.Length | exp.BitLength | exp.StrPosition | exp.ArraySize):
        return WHOLE
    if isinstance(node, exp.Sqrt | exp.Exp | exp.Ln):
        return FRACTION
    return _common_kind([_kind(part, schema) for part in node.iter_expressions()])


def _common_kind(kinds: list[str]) -> str:
    if FRACTION in kinds:
        return FRACTION
    return WHOLE if kinds and set(kinds) == {WHOLE} else OTHER
