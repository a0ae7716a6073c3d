"""Which rows are trained on and which validate, and what they cost, said before they are paid."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from numpy.typing import NDArray

from emobatch.errors import TableError
from emobatch.splits import roles
from emobatch.splits.leakage import GROUPS
from emobatch.splits.roles import SPLIT_COLUMN, TRAIN, VAL
from emobatch.tables.where import filter_rows
from emobatch.training.goals.goal import Goal
from emobatch.wording import counted

log = logging.getLogger(__name__)
# Fewer than two can't be told apart.
FEWEST = 2


@dataclass(frozen=True)
class Chosen:
    """Rows that take part.

    Attributes:
        train: those that are trained on.
        val: those that tell the best epoch.
        goal: what is learned of them.
    """

    train: pl.DataFrame
    val: pl.DataFrame
    goal: Goal

    def targets(self, split: str) -> NDArray[Any]:
        """What the model should say of rows.

        Args:
            split: ``train`` or ``val``.

        Returns:
            See :meth:`emobatch.training.goals.goal.Goal.targets`.
        """
        return self.goal.targets(self.of(split))

    def of(self, split: str) -> pl.DataFrame:
        """Rows of a split.

        Args:
            split: ``train`` or ``val``.

        Returns:
            The rows.
        """
        return self.train if split == TRAIN else self.val

    def without(self, ids: Sequence[str]) -> Chosen:
        """Leave rows out.

        Args:
            ids: of rows that can't be read.

        Returns:
            The others.
        """
        lost = pl.col("id").is_in(list(ids))
        return replace(self, train=self.train.filter(~lost), val=self.val.filter(~lost))

    def digest(self) -> str:
        """SHA-256 of what is read of the rows: files, segments, labels, texts."""
        known = ("id", "path", "start", "end", "text", *self.goal.columns)
        whole = hashlib.sha256()
        for part in (self.train, self.val):
            content = io.BytesIO()
            part.select(name for name in known if name in part.columns).write_ipc(content)
            whole.update(content.getvalue())
        return f"sha256:{whole.hexdigest()}"

    def check(self) -> None:
        """Refuse rows that nothing can be learned of, or told by.

        Raises:
            TableError: if there are too few.
            LabelError: if a class has none, or an attribute is always the same.
        """
        for split, least in ((TRAIN, FEWEST), (VAL, 1)):
            rows = len(self.of(split))
            if rows < least:
                raise TableError(
                    f"{counted(rows, 'row')} to {'train on' if split == TRAIN else 'validate on'}; "
                    f"at least {least} must be there: look at the column {SPLIT_COLUMN!r}, at "
                    f"--{split}-where, and at what was left out"
                )
        self.goal.check(self.train, self.val)

    def note(self) -> None:
        """Say how many rows there are, what is to be learned, and what train and val share."""
        for split in (TRAIN, VAL):
            rows = self.of(split)
            log.warning("note: %s: %s (%s)", split, counted(len(rows), "row"), self.goal.told(rows))
        shared = []
        for name in GROUPS:
            if name in self.train.columns:
                values = [
                    set(self.of(split)[name].cast(pl.String).drop_nulls()) - {""}
                    for split in (TRAIN, VAL)
                ]
                if both := len(values[0] & values[1]):
                    shared.append(counted(both, name))
        if shared:
            log.warning(
                "note: train and val share %s; figures on val flatter, and the best epoch is told "
                "by them",
                ", ".join(shared),
            )


def choose(
    rows: pl.DataFrame,
    goal: Goal,
    *,
    train_where: str | None = None,
    val_where: str | None = None,
) -> Chosen:
    """Choose the rows of a manifest that take part.

    Args:
        rows: all of them, with ``id``.
        goal: what is learned.
        train_where: SQL expression of those that are trained on; None for the split ``train``.
        val_where: the same of those that validate; None for the split ``val``.

    Returns:
        The rows, with ``label`` as a class, or their numbers.

    Raises:
        EmobatchError: if a column is missing or holds what makes no sense, or rows are in both.
    """
    train, val = (
        _of_split(rows, split, where) for split, where in ((TRAIN, train_where), (VAL, val_where))
    )
    both = train["id"].is_in(val["id"].implode())
    if both.any():
        raise TableError(
            f"{counted(int(both.sum()), 'row')} would be trained on and validate, the first of "
            f"them {train['id'][both.arg_max() or 0]!r}; mend --train-where or --val-where"
        )
    rows = goal.read(pl.concat([train, val]))
    known = rows.drop_nulls(list(goal.columns))
    if len(known) < len(rows):
        left = counted(len(rows) - len(known), "row")
        log.warning("note: %s without %s left out", left, " or ".join(goal.columns))
    of_train, of_val = (
        known.filter(pl.col("id").is_in(part["id"].implode())) for part in (train, val)
    )
    chosen = Chosen(of_train, of_val, goal)
    chosen.check()
    return chosen


def _of_split(rows: pl.DataFrame, split: str, where: str | None) -> pl.DataFrame:
    if where is not None:
        return filter_rows(rows.lazy(), where).collect()
    if SPLIT_COLUMN not in rows.columns:
        raise TableError(
            f"no column {SPLIT_COLUMN!r} that says which rows are {split}; `emobatch folds` adds "
            f"one, or say it with --{split}-where"
        )
    roles.check(rows.lazy(), SPLIT_COLUMN)
    return rows.filter(roles.canonical(SPLIT_COLUMN) == split)
