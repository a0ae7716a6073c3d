"""Schemes for cross-validation: what tests and what validates in each fold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from emobatch.errors import TableError
from emobatch.splits.roles import SPLIT_COLUMN, TEST, TRAIN, VAL, natural

# The columns that each scheme needs.
SCHEMES: Mapping[str, tuple[str, ...]] = {
    "iemocap10": ("session", "speaker"),
    "msp-improv6": ("session", "label"),
    "speaker": ("speaker",),
    "session": ("session",),
    "script": ("script",),
    "speaker+script": ("speaker", "script"),
}
# Of the rows that don't test, in `msp-improv6`.
VAL_SHARE = 0.2
# Of speakers, and of scripts, in `speaker+script`: each pair of groups is a fold.
CROSSED_GROUPS = 5
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


def assign(
    rows: pl.DataFrame, scheme: str, *, seed: int = 0, groups: int | None = None
) -> list[Fold]:
    """Divide rows into folds; the order of the rows makes no difference.

    Args:
        rows: a table with the columns that ``SCHEMES`` names.
        scheme: ``iemocap10``: a speaker tests, the session's other one validates.
            ``msp-improv6``: a session tests, a fifth of the other rows, stratified by label,
            validates. ``speaker``, ``session``, ``script``: one tests, the next validates.
            ``speaker+script``: a group of scripts by a group of speakers tests, and no row of
            either speakers or scripts is in train or val; the next group of speakers validates.
            Speakers who share a session stay in one group, where each is in one session.
        seed: of ``msp-improv6``.
        groups: deal speakers, sessions or scripts into as many groups of like size and let each
            test; None takes each for itself, and 5 for ``speaker+script``.

    Returns:
        The folds in order.

    Raises:
        TableError: if a column or a value is missing, or there are too few to divide.
    """
    columns = SCHEMES[scheme]
    _check(rows, columns)
    if groups is not None and scheme in ("iemocap10", "msp-improv6"):
        raise TableError(f"{scheme} has its own groups; leave --groups out")
    # As text, however the file's format has them.
    text = [name for name in dict.fromkeys((*columns, "session")) if name in rows.columns]
    rows = rows.with_columns(pl.col(text).cast(pl.String).str.strip_chars())
    if scheme == "iemocap10":
        found = list(_iemocap10(rows))
    elif scheme == "msp-improv6":
        found = list(_msp_improv6(rows, seed))
    elif scheme == "speaker+script":
        found = list(_speaker_and_script(rows, groups or CROSSED_GROUPS))
    else:
        found = list(_leave_out(rows, scheme, groups))
    for number, fold in enumerate(found, 1):
        if TRAIN not in fold.split:
            raise TableError(f"fold {number} ({fold.tests} tests) leaves no row to train on")
    return found


def _check(rows: pl.DataFrame, columns: Sequence[str]) -> None:
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
            raise TableError(f"row {blank[0] + 1}: no {name}; give it one, or drop the row")


def _iemocap10(rows: pl.DataFrame) -> Iterator[Fold]:
    # Sessions in order and in each the speakers in order: the order of the published files.
    for session in _values(rows["session"], least=2):
        speakers = _values(rows.filter(pl.col("session") == session)["speaker"])
        if len(speakers) != 2:
            raise TableError(
                f"session {session!r} has {len(speakers)} speakers; iemocap10 wants two of each, "
                "one to test and one to validate; --scheme speaker takes any number"
            )
        elsewhere = rows.filter(pl.col("speaker").is_in(speakers) & (pl.col("session") != session))
        if len(elsewhere):
            raise TableError(
                f"speaker {elsewhere['speaker'][0]!r} is in session {session!r} and in "
                f"{elsewhere['session'][0]!r}; give each speaker a name of their own"
            )
        for tests, validates in (speakers, speakers[::-1]):
            yield _fold(rows["speaker"], [tests], [validates])


def _msp_improv6(rows: pl.DataFrame, seed: int) -> Iterator[Fold]:
    names = [name for name in ("id", "path", "start", "end") if name in rows.columns]
    if not {"id", "path"} & set(names):
        raise TableError("no column 'id' or 'path' to know rows by; add one")
    keys = rows.select(pl.concat_str(names, separator="\t", ignore_nulls=True)).to_series()
    for session in _values(rows["session"], least=2):
        # By a digest of each row's name and no generator of numbers: neither the order of the
        # rows nor a library's version makes a difference.
        digests = [hashlib.sha256(f"{seed}\t{session}\t{key}".encode()).digest() for key in keys]
        tests = rows["session"] == session
        stratum = rows.select("label", tests=tests, digest=pl.Series(digests))
        place = pl.col("digest").rank("min").over("tests", "label")
        share = (pl.len().over("tests", "label") * VAL_SHARE).round()
        others = pl.when(place <= share).then(pl.lit(VAL)).otherwise(pl.lit(TRAIN))
        split = pl.when("tests").then(pl.lit(TEST)).otherwise(others).alias(SPLIT_COLUMN)
        validates = f"a fifth of the others, seed {seed}"
        yield Fold(f"session {session}", validates, stratum.select(split).to_series())


def _leave_out(rows: pl.DataFrame, column: str, groups: int | None) -> Iterator[Fold]:
    for tests, validates in _with_next(_deal(rows[column], groups, FEWEST_GROUPS)):
        yield _fold(rows[column], tests, validates)


def _speaker_and_script(rows: pl.DataFrame, groups: int) -> Iterator[Fold]:
    scripts, speakers = rows["script"], rows["session" if _in_one_session(rows) else "speaker"]
    scripts_dealt = _deal(scripts, groups, 2)
    for tests, validates in _with_next(_deal(speakers, groups, FEWEST_GROUPS)):
        for said in scripts_dealt:
            test = speakers.is_in(tests) & scripts.is_in(said)
            # Not every speaker says every script: those that don't meet here need not be held out.
            who, what = speakers.filter(test).unique(), scripts.filter(test).unique()
            if not test.any():
                continue
            kept = speakers.is_in(who.implode()) == scripts.is_in(what.implode())
            fold = _fold(speakers, _values(who), validates)
            split = fold.split.zip_with(kept, pl.Series([None], dtype=pl.String))
            yield Fold(f"{fold.tests}; {_named(scripts, _values(what))}", fold.validates, split)


def _in_one_session(rows: pl.DataFrame) -> bool:
    # Who talks to each other, before the same microphones, stays together.
    if "session" not in rows.columns or rows["session"].has_nulls():
        return False
    sessions = rows.group_by("speaker").agg(pl.col("session").n_unique())["session"]
    return bool((sessions == 1).all()) and rows["session"].n_unique() >= FEWEST_GROUPS


def _fold(values: pl.Series, tests: list[str], validates: list[str]) -> Fold:
    roles = {**dict.fromkeys(validates, VAL), **dict.fromkeys(tests, TEST)}
    split = values.replace_strict(roles, default=TRAIN, return_dtype=pl.String)
    return Fold(_named(values, tests), _named(values, validates), split.alias(SPLIT_COLUMN))


def _named(values: pl.Series, group: list[str]) -> str:
    return f"{values.name} {', '.join(group)}"


def _values(column: pl.Series, least: int = 1) -> list[str]:
    values = sorted(column.unique(), key=natural)
    if len(values) < least:
        raise TableError(
            f"column {column.name!r} has {len(values)} values; this scheme needs {least} at least"
        )
    return values


def _deal(column: pl.Series, groups: int | None, least: int) -> list[list[str]]:
    values = _values(column, least)
    if groups is None or groups >= len(values):
        return [[value] for value in values]
    if groups < least:
        raise TableError(f"--groups {groups}: this scheme needs {least} at least")
    from sklearn.model_selection import GroupKFold

    parts = GroupKFold(groups).split(column, groups=column.to_numpy())
    dealt = [_values(column[tests]) for _, tests in parts]
    return sorted(dealt, key=lambda group: natural(group[0]))


def _with_next(groups: list[list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    return zip(groups, groups[1:] + groups[:1], strict=True)
