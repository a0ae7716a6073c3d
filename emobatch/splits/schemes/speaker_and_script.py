"""A group of scripts by a group of speakers tests; no row of either is in train or val.

The next group of speakers validates. Speakers who share a session stay in one group, where each is
in one session.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from emobatch.splits.scheme import (
    FEWEST_GROUPS,
    Fold,
    Scheme,
    deal,
    fold_of,
    named,
    values_of,
    with_next,
)

# Of speakers, and of scripts: each pair of groups is a fold.
CROSSED_GROUPS = 5


def _divide(rows: pl.DataFrame, seed: int, groups: int | None) -> Iterator[Fold]:
    scripts, speakers = rows["script"], rows["session" if _in_one_session(rows) else "speaker"]
    groups = groups or CROSSED_GROUPS
    scripts_dealt = deal(scripts, groups, 2)
    for tests, validates in with_next(deal(speakers, groups, FEWEST_GROUPS)):
        for said in scripts_dealt:
            test = speakers.is_in(tests) & scripts.is_in(said)
            # Not every speaker says every script: those that don't meet here need not be held out.
            who, what = speakers.filter(test).unique(), scripts.filter(test).unique()
            if not test.any():
                continue
            kept = speakers.is_in(who.implode()) == scripts.is_in(what.implode())
            fold = fold_of(speakers, values_of(who), validates)
            split = fold.split.zip_with(kept, pl.Series([None], dtype=pl.String))
            yield Fold(f"{fold.tests}; {named(scripts, values_of(what))}", fold.validates, split)


def _in_one_session(rows: pl.DataFrame) -> bool:
    # Who talks to each other, before the same microphones, stays together.
    if "session" not in rows.columns or rows["session"].has_nulls():
        return False
    sessions = rows.group_by("speaker").agg(pl.col("session").n_unique())["session"]
    return bool((sessions == 1).all()) and rows["session"].n_unique() >= FEWEST_GROUPS


SPEAKER_AND_SCRIPT = Scheme(("speaker", "script"), _divide)
