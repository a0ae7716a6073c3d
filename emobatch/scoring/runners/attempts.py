"""Rows that may end the process that scores them: tried again, then in halves, row by row."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from emobatch.errors import EmobatchError
from emobatch.manifests.clips import clips
from emobatch.scoring.recipe import Recipe
from emobatch.scoring.rows import to_frame
from emobatch.scoring.utterances import AUDIO_STAGE, Utterance

log = logging.getLogger(__name__)

# Times that a chunk is tried: once beside others, any of which may be what ended the process.
TRIES = 3
STAGE = "worker"
LOST = "the process that scores this row alone ends each time"


@dataclass(frozen=True)
class Lost:
    """Stands for rows whose process came to an end.

    Attributes:
        why: what is known of it.
    """

    why: str


Attempts: TypeAlias = Generator[pl.DataFrame, "pl.DataFrame | Lost", pl.DataFrame]


def attempts(recipe: Recipe, rows: pl.DataFrame) -> Attempts:
    """Score a chunk, whatever becomes of the processes that do.

    Args:
        recipe: how rows are scored.
        rows: of the chunk.

    Yields:
        Rows that are to be scored: the first time beside other chunks, then in a process that has
        nothing else to do. To be sent their score table's rows, or that their process was lost.

    Returns:
        The chunk's rows of the score table. One that ends its process each time has failed. The
        others were scored together without it, as they are where a row fails in any other way.
    """
    why = ""
    for _ in range(TRIES):
        found = yield rows
        if not isinstance(found, Lost):
            return found
        why = found.why
    log.info("note: %s; its %d rows are scored in halves", why, len(rows))
    scored, is_lost = yield from _in_halves(recipe, rows, is_tried=True)
    if any(is_lost) and not all(is_lost):
        lost = pl.Series(is_lost)
        together = yield rows.filter(~lost)
        if not isinstance(together, Lost):
            numbered = pl.concat([together, scored.filter(lost)])
            order = [*(~lost).arg_true(), *lost.arg_true()]
            return numbered[pl.Series(order).arg_sort()]
    return scored


def _in_halves(
    recipe: Recipe, rows: pl.DataFrame, *, is_tried: bool = False
) -> Generator[pl.DataFrame, pl.DataFrame | Lost, tuple[pl.DataFrame, list[bool]]]:
    # What was scored, and which of the rows ended their processes.
    if not is_tried or len(rows) == 1:
        # A row is only said to be the cause when it was so twice: machines go away, too.
        for _ in range(2 if len(rows) == 1 else 1):
            found = yield rows
            if not isinstance(found, Lost):
                return found, [False] * len(rows)
    if len(rows) == 1:
        return failed(recipe, rows), [True]
    half = len(rows) // 2
    first, lost_first = yield from _in_halves(recipe, rows[:half])
    second, lost_second = yield from _in_halves(recipe, rows[half:])
    return pl.concat([first, second]), lost_first + lost_second


def failed(recipe: Recipe, rows: pl.DataFrame) -> pl.DataFrame:
    """Make rows of the score table of rows that end their processes.

    Args:
        recipe: how rows are scored.
        rows: of a manifest.

    Returns:
        The same rows, each with the stage and the cause of its failure.
    """
    walked = clips(rows, recipe.root, confine=recipe.confine)
    utterances = [Utterance(clip, name) for clip, name in zip(walked, rows["id"], strict=True)]
    for utterance in utterances:
        utterance.fail(STAGE, EmobatchError(LOST))
        utterance.failed.add(AUDIO_STAGE)  # nothing was heard of it
        log.warning("note: row %r ends the process that scores it, and fails", utterance.id)
    carried = rows.drop(*recipe.plan.columns, strict=False)
    return pl.concat([carried, to_frame(utterances, recipe.plan)], how="horizontal")
