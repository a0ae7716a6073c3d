"""How often the text branch was asked, and what came of it."""

from __future__ import annotations

import polars as pl

from emobatch.tasks.labels import EMOTIONS

# What became of the rows of a class, in the order in which it is decided.
OUTCOMES = ("rows", "flagged", "changed", "confirmed", "reverted", "nothing said")
TOTAL = "all"


def decisions(rows: pl.DataFrame) -> dict[str, tuple[int, ...]]:
    """Count what was decided.

    Args:
        rows: of a final table, with ``speech_emotion``, ``emotion``, ``flagged`` and
            ``decided_by``; all scored.

    Returns:
        By predicted class, and for all together, the counts of ``OUTCOMES``.

    Examples:
        >>> row = {"speech_emotion": "sad", "emotion": "sad", "flagged": True, "decided_by": "text"}
        >>> decisions(pl.DataFrame([row]))["sad"]
        (1, 1, 0, 1, 0, 0)
    """
    changed = pl.col("emotion") != pl.col("speech_emotion")
    decided_by = pl.col("decided_by").cast(pl.String)
    counts = (
        pl.len(),
        pl.col("flagged").sum(),
        changed.sum(),
        ((decided_by == "text") & ~changed).sum(),
        (decided_by == "reverted").sum(),
        (decided_by == "no-text").sum(),
    )
    named = [count.cast(pl.Int64).alias(name) for name, count in zip(OUTCOMES, counts, strict=True)]
    parts = {name: rows.filter(pl.col("speech_emotion") == name) for name in EMOTIONS}
    return {name: part.select(named).row(0) for name, part in (parts | {TOTAL: rows}).items()}
