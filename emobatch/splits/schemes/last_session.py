"""The last session tests: its female speaker, while its male one validates.

The speaker-independent setting of Alqurashi, Li and Sidorov (2024) on IEMOCAP.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from emobatch.errors import TableError
from emobatch.splits.scheme import Fold, Scheme, fold_of, values_of

GENDER = "gender"
FEMALE, MALE = "F", "M"


def _divide(rows: pl.DataFrame, seed: int, groups: int | None) -> Iterator[Fold]:
    session = values_of(rows["session"], least=2)[-1]
    last = rows.filter(pl.col("session") == session)
    elsewhere = rows.filter(
        pl.col("speaker").is_in(last["speaker"].unique().implode()) & (pl.col("session") != session)
    )
    if len(elsewhere):
        raise TableError(
            f"speaker {elsewhere['speaker'][0]!r} is in session {session!r} and in "
            f"{elsewhere['session'][0]!r}; give each speaker a name of their own"
        )
    # As IEMOCAP names speakers, Ses05F and Ses05M, where no column says it.
    said = pl.col(GENDER) if GENDER in rows.columns else pl.col("speaker").str.slice(-1)
    letter = said.cast(pl.String).str.strip_chars().str.slice(0, 1).str.to_uppercase()
    found = last.select("speaker", letter=letter).unique()
    tests, validates = (
        sorted(found.filter(pl.col("letter") == wanted)["speaker"]) for wanted in (FEMALE, MALE)
    )
    if [len(tests), len(validates), len(found)] != [1, 1, 2]:
        raise TableError(
            f"session {session!r} has the speakers {', '.join(sorted(found['speaker'].unique()))}; "
            "last-session wants one female and one male, by a column 'gender' or by names that end "
            "in F and M"
        )
    yield fold_of(rows["speaker"], tests, validates)


LAST_SESSION = Scheme(("session", "speaker"), _divide, takes_groups=False)
