"""Columns of arousal, valence and dominance: labels, and what was predicted.

A manifest calls its labels `arousal`, and so does a final table what was decided. The column
`attributes_by`, which says by what, tells them apart: beside it labels are called
`manifest_arousal`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from emobatch.errors import TableError
from emobatch.tables.text_format import blank_as_null
from emobatch.tasks.spellings import ATTRIBUTES

DECIDED_BY = "attributes_by"
GIVEN = "manifest_"
# Before an attribute's name, by what predicted it; nothing before what was decided.
SPEECH, TEXT, FINAL = PREFIXES = ("speech_", "text_", "")


def labels(names: Collection[str]) -> dict[str, str]:
    """Say which columns hold labels.

    Args:
        names: of a table's columns.

    Returns:
        Columns by attribute, of those that there are.

    Examples:
        >>> labels(["arousal", "speech_arousal"])
        {'arousal': 'arousal'}
        >>> labels(["arousal", "attributes_by", "manifest_arousal"])
        {'arousal': 'manifest_arousal'}
    """
    before = GIVEN if DECIDED_BY in names else ""
    return {name: f"{before}{name}" for name in ATTRIBUTES if f"{before}{name}" in names}


def predictions(names: Collection[str], prefix: str) -> dict[str, str]:
    """Say which columns hold predictions.

    Args:
        names: of a table's columns.
        prefix: ``speech_``, ``text_``, or nothing for what was decided.

    Returns:
        Columns by attribute, of those that there are.

    Examples:
        >>> predictions(["arousal", "speech_arousal"], "speech_")
        {'arousal': 'speech_arousal'}
        >>> predictions(["arousal"], "")
        {}
    """
    if prefix == FINAL and DECIDED_BY not in names:
        return {}
    return {name: f"{prefix}{name}" for name in ATTRIBUTES if f"{prefix}{name}" in names}


def predicted(names: Collection[str]) -> list[str]:
    """Say which columns hold predictions, whatever predicted.

    Args:
        names: of a table's columns.

    Returns:
        Those of them.

    Examples:
        >>> predicted(["arousal", "speech_arousal", "text_valence"])
        ['speech_arousal', 'text_valence']
    """
    return [column for each in PREFIXES for column in predictions(names, each).values()]


def measurable(names: Collection[str]) -> list[str]:
    """Say which columns predictions can be measured with.

    Args:
        names: of a table's columns.

    Returns:
        Columns of labels and predictions of the same attribute, and ``attributes_by``; none where
        no attribute has both.

    Examples:
        >>> measurable(["arousal", "valence", "speech_arousal"])
        ['arousal', 'speech_arousal']
    """
    given, found = labels(names), list[str]()
    for prefix in PREFIXES:
        for name, column in predictions(names, prefix).items():
            found += [given[name], column] if name in given else []
    decided = [DECIDED_BY] if found and DECIDED_BY in names else []
    return list(dict.fromkeys([*found, *decided]))


def columns(names: Collection[str]) -> list[str]:
    """All columns of attributes, labels among them.

    Args:
        names: of a table's columns.

    Returns:
        Those of them.
    """
    known = [f"{before}{name}" for before in (GIVEN, *PREFIXES) for name in ATTRIBUTES]
    return [name for name in names if name in known]


def unused(names: Collection[str], *others: str | None) -> list[str]:
    """Columns of attributes that are to be left alone: a manifest may call anything so.

    Args:
        names: of a table's columns.
        others: columns that are used for something else.

    Returns:
        Those that nothing predicts and nothing can be measured with.

    Examples:
        >>> unused(["arousal", "valence", "speech_valence"])
        ['arousal']
    """
    mine = {*measurable(names), *predicted(names)}
    return [name for name in columns(names) if name not in mine and name not in others]


def with_numbers(rows: pl.LazyFrame, besides: str | None = None) -> pl.LazyFrame:
    """Read attributes as numbers, of columns of text as well.

    Args:
        rows: a table; only its columns of attributes are looked at.
        besides: a column that is left as it is, None for none.

    Returns:
        The table with these as floats, null where there is nothing.

    Raises:
        TableError: names a value that is no number.
    """
    schema = rows.collect_schema()
    mine = [name for name in columns(schema.names()) if name != besides]
    text = [name for name in mine if schema[name] == pl.String]
    for name in mine:
        if name not in text and not (schema[name].is_numeric() or schema[name] == pl.Null):
            raise TableError(f"column {name!r} holds {schema[name]}, no numbers; rename it")
    if text:
        _refuse_words(rows, text)
    return rows.with_columns(
        *(blank_as_null(name).cast(pl.Float64, strict=False).alias(name) for name in text),
        *(pl.col(name).cast(pl.Float64) for name in mine if name not in text),
    )


def _refuse_words(rows: pl.LazyFrame, names: Sequence[str]) -> None:
    wrong = {
        name: blank_as_null(name).is_not_null()
        & blank_as_null(name).cast(pl.Float64, strict=False).is_null()
        for name in names
    }
    first = rows.select(pl.col(name).filter(each).first() for name, each in wrong.items())
    found: Mapping[str, str | None] = first.collect(engine="streaming").row(0, named=True)
    for name, value in found.items():
        if value is not None:
            raise TableError(f"column {name!r} holds {value!r}; a number is wanted, or nothing")


def set_aside(rows: pl.LazyFrame) -> tuple[pl.LazyFrame, list[str]]:
    """Make room for attributes that will be decided: labels of their names get others.

    Args:
        rows: a table; what was decided before is dropped.

    Returns:
        The table, and the names of labels that are called ``manifest_…`` now.

    Raises:
        TableError: if there is a column of that name, too.
    """
    names = rows.collect_schema().names()
    if DECIDED_BY in names:
        return rows.drop(DECIDED_BY, *predictions(names, FINAL).values()), []
    renamed = {column: f"{GIVEN}{name}" for name, column in labels(names).items()}
    for column, other in renamed.items():
        if other in names:
            raise TableError(
                f"columns {column!r} and {other!r}, and the first would be called like the second "
                "beside what is decided; rename one of them"
            )
    return rows.rename(renamed), list(renamed)
