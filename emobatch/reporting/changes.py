"""The rows whose emotion fusion changed, as a table to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import TableError
from emobatch.reporting.sounds import Sounds, sounds
from emobatch.tables.judged import is_judged

# A page of more rows than this is slow to open, and longer than anyone reads.
MOST_ROWS = 5000


@dataclass(frozen=True)
class Changes:
    """Rows whose emotion changed.

    Attributes:
        columns: their headings, and of what kind each is: ``number``, ``word`` (one of a few) or
            ``text`` (anybody's).
        rows: values in the order of the columns, None where nothing is known.
        left_out: how many more rows there are.
        sounds: what can be heard of the rows, None where nothing was asked for.
    """

    columns: Mapping[str, str]
    rows: list[tuple[Any, ...]]
    left_out: int
    sounds: Sounds | None = None


def changed_rows(
    rows: pl.DataFrame, most: int = MOST_ROWS, audio_root: Path | None = None
) -> Changes:
    """List the rows whose emotion changed.

    Args:
        rows: of a final table, with ``row`` (their number), ``speech_emotion``, ``emotion``,
            ``entropy`` and any of the other columns shown.
        most: of more rows only the first so many are listed.
        audio_root: folder of the clips' files, where they are to be heard.

    Returns:
        The table.

    Raises:
        TableError: if the clips are to be heard, and no column says which they are.

    Examples:
        >>> row = {"row": 7, "speech_emotion": "sad", "emotion": "happy", "entropy": 1.2}
        >>> changed_rows(pl.DataFrame([row])).rows
        [(7, 'sad', 'happy', 1.2)]
    """
    judged = is_judged(rows.columns)
    was = pl.col("speech_emotion")
    if judged:  # what fusion changed, and the judge changed back, is told as well
        was = pl.when(was == pl.col("emotion")).then("fused_emotion").otherwise(was)
    changed = rows.filter(pl.col("emotion") != was)
    label = pl.col("label")
    verdict = (
        pl.when(label == pl.col("emotion"))
        .then(pl.lit("better"))
        .when(label == was)
        .then(pl.lit("worse"))
        .when(label.is_not_null())
        .then(pl.lit("neither"))
    )
    shown = {
        "row": ("number", pl.col("row")),
        "id": ("text", pl.col("id").cast(pl.String)),
        "transcript": ("text", pl.col("transcript").cast(pl.String)),
        "speech": ("word", pl.col("speech_emotion")),
        "sentiment": ("word", pl.col("sentiment").cast(pl.String)),
        "text": ("word", pl.col("text_emotion").cast(pl.String)),
        "mapped": ("word", pl.col("mapped_emotion").cast(pl.String)),
        **({"fused": ("word", pl.col("fused_emotion").cast(pl.String))} if judged else {}),
        "final": ("word", pl.col("emotion")),
        "label": ("word", label),
        "verdict": ("word", verdict),
        "entropy": ("number", pl.col("entropy")),
        "varentropy": ("number", pl.col("varentropy")),
    }
    if judged:
        shown["judge sure"] = ("number", pl.col("judge_confidence").cast(pl.Float64))
        shown["reason"] = ("text", pl.col("judge_reason").cast(pl.String))
    present = {
        name: (kind, value)
        for name, (kind, value) in shown.items()
        if set(value.meta.root_names()) <= set(rows.columns)
    }
    heard = None
    if audio_root is not None:
        if "path" not in changed.columns:
            raise TableError("no column 'path' with the audio files; leave --audio out")
        heard = sounds(changed.head(most), audio_root)
    table = changed.head(most).select(**{name: value for name, (_, value) in present.items()})
    kinds = {name: kind for name, (kind, _) in present.items()}
    return Changes(kinds, table.rows(), len(changed) - len(table), heard)
