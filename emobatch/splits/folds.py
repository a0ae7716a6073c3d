"""Folds: a table with its rows once for each fold, and what they are for in it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emobatch.errors import TableError
from emobatch.manifests import sources
from emobatch.splits.roles import FOLD_COLUMN, SPLIT_COLUMN, TEST, TRAIN, VAL
from emobatch.splits.scheme import Fold
from emobatch.splits.schemes import SCHEMES
from emobatch.tables import reading, stored, writing
from emobatch.tables.places import Places, numbered
from emobatch.tables.provenance import software

log = logging.getLogger(__name__)


def folds(
    source: str,
    target: Path | None = None,
    *,
    scheme: str,
    form: str | None = None,
    fold: int | None = None,
    seed: int = 0,
    groups: int | None = None,
) -> None:
    """Write a table with the columns ``fold`` and ``split``: all its rows once for each fold.

    Args:
        source: the table or another manifest, ``-`` for CSV on standard input.
        target: the table to write, standard output where None.
        scheme: see :data:`emobatch.splits.schemes.SCHEMES`.
        form: what the source is, None to go by what it looks like.
        fold: the number, from 1, of the only fold to write; None for all, one after the other.
        seed: of what is drawn, as by ``msp-improv6``.
        groups: deal values into as many groups that test together.

    Raises:
        EmobatchError: if the table can't be read, written or divided so.
    """
    writing.check_target(target, sources=[source])
    with reading.explained(source):
        found, place = sources.scan_with_places(source, form, target)
        rows = found.collect()
        taken = [name for name in (FOLD_COLUMN, SPLIT_COLUMN) if name in rows.columns]
        if taken:
            raise TableError(f"has a column {taken[0]!r} already; drop or rename it")
        divided = assign(rows, scheme, seed=seed, groups=groups, place=place)
        if fold is not None and not 1 <= fold <= len(divided):
            raise TableError(f"no fold {fold}; {scheme} makes {len(divided)} of this table")
    wanted = range(1, len(divided) + 1) if fold is None else [fold]
    for number in wanted:
        _describe(number, divided[number - 1])
    columns = (
        rows.with_columns(pl.lit(number).alias(FOLD_COLUMN), divided[number - 1].split)
        for number in wanted
    )
    written = pl.concat(part.filter(pl.col(SPLIT_COLUMN).is_not_null()) for part in columns)
    making = {"scheme": scheme, "seed": seed, "groups": groups, "software": software([])}
    writing.write(written.lazy(), target, {**stored.metadata(source), "folds": making})


def assign(
    rows: pl.DataFrame,
    scheme: str,
    *,
    seed: int = 0,
    groups: int | None = None,
    place: Places = numbered,
) -> list[Fold]:
    """Divide rows into folds; the order of the rows makes no difference.

    Args:
        rows: a table with the columns that the scheme goes by.
        scheme: its name, see :data:`emobatch.splits.schemes.SCHEMES`.
        seed: of what is drawn.
        groups: deal speakers, sessions or scripts into as many groups of like size and let each
            test; None leaves it to the scheme.
        place: says where a row is, for messages.

    Returns:
        The folds in order.

    Raises:
        TableError: if a column or a value is missing, or there are too few to divide.
    """
    chosen = SCHEMES[scheme]
    _check(rows, chosen.columns, place)
    if groups is not None and not chosen.takes_groups:
        raise TableError(f"{scheme} has its own groups; leave --groups out")
    # As text, however the file's format has them.
    text = [name for name in dict.fromkeys((*chosen.columns, "session")) if name in rows.columns]
    rows = rows.with_columns(pl.col(text).cast(pl.String).str.strip_chars())
    folds = list(chosen.divide(rows, seed, groups))
    for number, fold in enumerate(folds, 1):
        if TRAIN not in fold.split:
            raise TableError(f"fold {number} ({fold.tests} tests) leaves no row to train on")
    return folds


def _describe(number: int, fold: Fold) -> None:
    count = {name: int((fold.split == name).sum()) for name in (TEST, VAL, TRAIN)}
    dropped = fold.split.null_count()
    log.warning(
        "note: fold %d: %d rows test (%s), %d validate (%s), %d train%s",
        number,
        count[TEST],
        fold.tests,
        count[VAL],
        fold.validates,
        count[TRAIN],
        f", {dropped} can be in neither and are dropped" if dropped else "",
    )


def _check(rows: pl.DataFrame, columns: Sequence[str], place: Places) -> None:
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise TableError(
            f"no column {', '.join(map(repr, missing))}, which this scheme goes by; add it, or "
            f"rename one of {', '.join(rows.columns)}"
        )
    if rows.is_empty():
        raise TableError("no rows to divide")
    for name in columns:
        text = rows[name].cast(pl.String).str.strip_chars()
        blank = (text.is_null() | (text == "")).arg_true()
        if len(blank) and name != "label":
            raise TableError(f"{place(blank[0])}: no {name}; give it one, or drop the row")
