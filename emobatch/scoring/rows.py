"""Rows of the score table, made of what the scorers say of utterances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from emobatch.scorers.plan import Plan
from emobatch.scorers.scorer import Row
from emobatch.scoring.utterances import AUDIO_STAGE, Utterance


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
    content = [{name: row.get(name) for name in schema} for row in given]
    rows = pl.DataFrame(content, schema=schema).lazy()
    for scorer in plan.scorers:
        rows = scorer.completed(rows)
    return rows.collect()


def _row(utterance: Utterance, plan: Plan) -> dict[str, Any]:
    return {
        "id": utterance.id,
        **_audio(utterance, plan),
        **_transcript(utterance),
        "cleaned_text": utterance.cleaned,
        **_text(utterance, plan),
        "status": "ok" if utterance.error is None else "error",
        "error": utterance.error,
    }


def _audio(utterance: Utterance, plan: Plan) -> Row:
    if AUDIO_STAGE in utterance.failed:
        return {}
    row: Row = {}
    for scorer in plan.audio:
        if scorer.stage not in utterance.failed:
            row["duration"] = utterance.seconds
            row |= scorer.row(utterance.window_scores[scorer.stage])
    return row


def _transcript(utterance: Utterance) -> Row:
    if utterance.clip.transcript is not None:
        return {"transcript": utterance.clip.transcript, "transcript_source": "manifest"}
    if utterance.error is not None:
        return {}
    if utterance.needs_text is False:
        return {"transcript_source": "gated"}
    if utterance.transcript is None:
        return {"transcript_source": "none"}
    text = utterance.transcript.text
    source = "none" if text is None else "asr"
    return {"transcript": text, "transcript_source": source, **utterance.transcript.figures}


def _text(utterance: Utterance, plan: Plan) -> Row:
    row: Row = {}
    for scorer in plan.text:
        if scorer.stage in utterance.text_scores:
            row |= scorer.row(utterance.text_scores[scorer.stage])
    return row
