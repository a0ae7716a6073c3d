"""A scheme for cross-validation: what tests and what validates in each fold."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from emobatch.errors import TableError
from emobatch.splits.roles import SPLIT_COLUMN, TEST, TRAIN, VAL, natural

# One to test, one to validate and one to train.
FEWEST_GROUPS = 3


@dataclass(frozen=True)
class Fold:
    """One fold.

    Attributes:
        tests: whose rows test, for people.
        validates: whose rows validate, for people.
        split: for each row of the table ``train``, ``val`` or ``test``, or null where it can be
            in none of them.
    """

    tests: str
    validates: str
    split: pl.Series


@dataclass(frozen=True)
class Scheme:
    """A way of dividing rows into folds.

    Attributes:
        columns: that it goes by; every row needs a value, but for the label.
        divide: makes the folds of rows, a seed, and a number of groups, None for the scheme's own.
        takes_groups: whether that number can be chosen.
    """

    columns: tuple[str, ...]
    divide: Callable[[pl.DataFrame, int, int | None], Iterator[Fold]]
    takes_groups: bool = True


def fold_of(values: pl.Series, tests: list[str], validates: list[str]) -> Fold:
    """Make a fold of which values test and which validate; all others train.

    Args:
        values: (rows,) of one column.
        tests: values that test.
        validates: values that validate.

    Returns:
        The fold.

    Examples:
        >>> fold_of(pl.Series("speaker", ["a", "b", "c"]), ["b"], ["a"]).split.to_list()
        ['val', 'test', 'train']
    """
    roles = {**dict.fromkeys(validates, VAL), **dict.fromkeys(tests, TEST)}
    split = values.replace_strict(roles, default=TRAIN, return_dtype=pl.String)
    return Fold(named(values, tests), named(values, validates), split.alias(SPLIT_COLUMN))


def named(values: pl.Series, group: list[str]) -> str:
    """Name a group of values for people.

    Args:
        values: of one column.
        group: some of them.

    Returns:
        The column's name and the values.

    Examples:
        >>> named(pl.Series("speaker", ["a", "b"]), ["b"])
        'speaker b'
    """
    return f"{values.name} {', '.join(group)}"


def digests(rows: pl.DataFrame, *drawn: object) -> pl.Series:
    """Draw rows: by a digest of each one's name and no generator of numbers.

    Neither the order of the rows nor a library's version makes a difference to it.

    Args:
        rows: with ``id`` or ``path``, and ``start`` and ``end`` where they are segments.
        drawn: what else goes into the digests, as a seed.

    Returns:
        (rows,) bytes to sort them by.

    Raises:
        TableError: if rows have no names.
    """
    names = [name for name in ("id", "path", "start", "end") if name in rows.columns]
    if not {"id", "path"} & set(names):
        raise TableError("no column 'id' or 'path' to know rows by; add one")
    keys = rows.select(pl.concat_str(names, separator="\t", ignore_nulls=True)).to_series()
    begun = "".join(f"{each}\t" for each in drawn)
    return pl.Series([hashlib.sha256(f"{begun}{key}".encode()).digest() for key in keys])


def values_of(column: pl.Series, least: int = 1) -> list[str]:
    """List the values of a column in natural order.

    Args:
        column: text.
        least: how many a scheme needs.

    Returns:
        The values.

    Raises:
        TableError: if there are fewer.

    Examples:
        >>> values_of(pl.Series(["s10", "s9", "s9"]))
        ['s9', 's10']
    """
    values = sorted(column.unique(), key=natural)
    if len(values) < least:
        raise TableError(
            f"column {column.name!r} has {len(values)} values; this scheme needs {least} at least"
        )
    return values


def deal(column: pl.Series, groups: int | None, least: int) -> list[list[str]]:
    """Deal the values of a column into groups with about as many rows each.

    Args:
        column: text.
        groups: how many, None for each value alone.
        least: how many a scheme needs.

    Returns:
        Groups of values in natural order.

    Raises:
        TableError: if there are too few values or groups.
    """
    values = values_of(column, least)
    if groups is None or groups >= len(values):
        return [[value] for value in values]
    if groups < least:
        raise TableError(f"--groups {groups}: this scheme needs {least} at least")
    from sklearn.model_selection import GroupKFold

    parts = GroupKFold(groups).split(column, groups=column.to_numpy())
    dealt = [values_of(column[tests]) for _, tests in parts]
    return sorted(dealt, key=lambda group: natural(group[0]))


def with_next(groups: list[list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    """Pair each group with the one that validates while it tests.

    Args:
        groups: in order.

    Returns:
        Pairs of a group and the next one; after the last comes the first.

    Examples:
        >>> list(with_next([["a"], ["b"]]))
        [(['a'], ['b']), (['b'], ['a'])]
    """
    return zip(groups, groups[1:] + groups[:1], strict=True)
