"""Who decided the emotions, by what the speech branch predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

TOTAL = "all"
# What a method that flags rows says of each, and what it is called beside the rows that changed.
SPEECH, TEXT, REVERTED, NO_TEXT = "speech", "text", "reverted", "no-text"
OF_FLAGGED: Mapping[str, str] = {REVERTED: "reverted", NO_TEXT: "nothing said"}
MEANINGS: Mapping[str, str] = {
    "flagged": "the speech branch is unsure, and the text branch is asked",
    "changed": "the final emotion is another than the speech branch's",
    "confirmed": "the text branch says the same",
    "reverted": "it says another, and that change is excluded",
    "nothing said": "there is nothing of the text branch to go by",
    "by speech": "the speech branch decided",
    "by text": "the text branch decided",
    "by fusion": "both branches decided together",
    "by context": "the rows around it decided",
    "by judge": "the judge decided",
}


@dataclass(frozen=True)
class Decisions:
    """Counts of rows.

    Attributes:
        outcomes: what became of them, from all ``rows`` on.
        counts: for each predicted class, and all together, a count of each outcome.
    """

    outcomes: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...]]

    def total(self, outcome: str) -> int | None:
        """How many rows of all had an outcome.

        Args:
            outcome: one of ``outcomes``.

        Returns:
            The count, None where the method doesn't tell.
        """
        if outcome not in self.outcomes:
            return None
        return self.counts[TOTAL][self.outcomes.index(outcome)]

    def explained(self) -> str:
        """What the outcomes mean, in a sentence for each."""
        known = [name for name in self.outcomes if name in MEANINGS]
        return " ".join(f"{name.capitalize()}: {MEANINGS[name]}." for name in known)


def decisions(rows: pl.DataFrame, classes: Sequence[str]) -> Decisions:
    """Count what was decided.

    Args:
        rows: of a final table, with ``speech_emotion``, ``emotion``, ``decided_by`` and, of a
            method that flags rows, ``flagged``; all scored.
        classes: those that there are.

    Returns:
        Counts by predicted class: rows flagged where the method flags, rows changed, and the
        others by who decided them.

    Examples:
        >>> row = {"speech_emotion": "sad", "emotion": "sad", "flagged": True, "decided_by": "text"}
        >>> counted = decisions(pl.DataFrame([row]), ("happy", "sad"))
        >>> dict(zip(counted.outcomes, counted.counts["sad"], strict=True))["confirmed"]
        1
    """
    changed = pl.col("emotion") != pl.col("speech_emotion")
    decided_by = pl.col("decided_by").cast(pl.String)
    occurring = sorted(set(rows.select(decided_by).to_series().drop_nulls()))
    counts = {"rows": pl.len()}
    if "flagged" in rows.columns:
        counts |= {
            "flagged": pl.col("flagged").sum(),
            "changed": changed.sum(),
            "confirmed": ((decided_by == TEXT) & ~changed).sum(),
            **{name: (decided_by == value).sum() for value, name in OF_FLAGGED.items()},
        }
        told = {SPEECH, TEXT, *OF_FLAGGED}
    else:
        counts["changed"] = changed.sum()
        told = set()
    counts |= {f"by {who}": (decided_by == who).sum() for who in occurring if who not in told}
    named = [count.cast(pl.Int64).alias(name) for name, count in counts.items()]
    parts = {name: rows.filter(pl.col("speech_emotion") == name) for name in classes}
    return Decisions(
        tuple(counts),
        {name: part.select(named).row(0) for name, part in (parts | {TOTAL: rows}).items()},
    )
