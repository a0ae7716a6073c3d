"""Rows of the score table, made of what the scorers say of utterances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors

from emobatch.scorers.plan import Plan
from emobatch.scorers.scorer import Row
from emobatch.scoring.utterances import AUDIO_STAGE, Utterance
from emobatch.tables.label_column import EMOTION, GIVEN_EMOTION
from emobatch.tables.score_columns import DECISION_COLUMNS

# Columns that a run or `apply` writes and a manifest may give all the same.
GIVEN = {"id", "duration", "transcript", "language", EMOTION}
# Those of `apply` that it may not.
OF_APPLY = {*DECISION_COLUMNS, GIVEN_EMOTION} - GIVEN


def written(plan: Plan) -> set[str]:
    """Say which columns no rows may have that are to be scored.

    Args:
        plan: the scorers.

    Returns:
        Their names.
    """
    return OF_APPLY | ({*plan.columns} - GIVEN)


def to_frame(utterances: Sequence[Utterance], plan: Plan) -> pl.DataFrame:
    """Make rows of the score table.

    Args:
        utterances: scored, in order.
        plan: by these scorers.

    Returns:
        The columns that `score` adds to a manifest, one row for each utterance.
    """
    schema = plan.schema
    given = [_row(utterance, plan) for utterance in utterances]
    plain = {name: kind for name, kind in schema.items() if not isinstance(kind, pl.Array)}
    content = [{name: row.get(name) for name in plain} for row in given]
    rows = pl.DataFrame(content, schema=plain).lazy()
    # A failed row is scored again as a whole; until then its embeddings would only take space.
    whole = [{} if row["error"] else row for row in given]
    arrays = [_array([row.get(n) for row in whole], n, schema[n]) for n in {*schema} - {*plain}]
    rows = rows.with_columns(arrays).select(selectors.by_name(*schema))
    for scorer in plan.scorers:
        rows = scorer.completed(rows)
    return rows.collect()


def _array(values: Sequence[NDArray[np.float64] | None], name: str, kind: pl.Array) -> pl.Series:
    # At once: a Python list of numbers for each row would take longer than the model.
    filled = np.zeros((len(values), kind.size), np.float32)
    there = [value is not None for value in values]
    for place, value in enumerate(values):
        if value is not None:
            filled[place] = value
    flat = pl.Series(name, filled.ravel()).cast(kind.inner)
    series = flat.reshape((len(values), kind.size))
    found = pl.Series("there", there, pl.Boolean)
    return pl.select(pl.when(found).then(series).alias(name)).to_series()


def _row(utterance: Utterance, plan: Plan) -> dict[str, Any]:
    return {
        "id": utterance.id,
        **_audio(utterance, plan),
        **_transcript(utterance, plan),
        "cleaned_text": utterance.cleaned,
        **_text(utterance, plan),
        "status": "ok" if utterance.error is None else "error",
        "error": utterance.error,
    }


def _audio(utterance: Utterance, plan: Plan) -> Row:
    if AUDIO_STAGE in utterance.failed:
        return {}
    row: Row = {} if plan.audio else {"duration": utterance.seconds}
    for scorer in plan.audio:
        if scorer.stage not in utterance.failed:
            row["duration"] = utterance.seconds
            row |= scorer.row(utterance.window_scores[scorer.stage])
    return row


def _transcript(utterance: Utterance, plan: Plan) -> Row:
    clip, found = utterance.clip, utterance.transcript
    if clip.transcript is not None:
        return {
            "transcript": clip.transcript,
            "transcript_source": "manifest",
            "language": utterance.given_language(plan.setup.choice.given_language),
        }
    # What the manifest says of the language stays where no transcript says otherwise.
    row: Row = {"language": clip.language}
    if utterance.error is not None or "asr" in plan.left_out:
        return row
    if utterance.needs_text is False:
        return {**row, "transcript_source": "gated"}
    if found is None or found.text is None:
        return {**row, "transcript_source": "none", **(found.figures if found else {})}
    return {
        "transcript": found.text,
        "transcript_source": "asr",
        "language": found.language,
        **found.figures,
    }


def _text(utterance: Utterance, plan: Plan) -> Row:
    row: Row = {}
    for scorer in plan.text:
        if scorer.stage in utterance.text_scores:
            row |= scorer.row(utterance.text_scores[scorer.stage])
    return row
