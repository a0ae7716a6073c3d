"""Entropy-aware score selection (Chua et al., Algorithm 1) as Polars expressions.

A fusion method reads the score table's columns and gives a struct of ``flagged``,
``mapped_emotion``, ``emotion`` and ``decided_by`` for each row; other methods over the same table
belong beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from emobatch.fusion.selection.thresholds import ClassThresholds, Thresholds
from emobatch.tasks.labels import EMOTIONS, lookup

# The top one of three sentiments has at least a third; a little less, for rounding.
LOWEST_TOP_SCORE = 0.33
DECISION_COLUMNS = ("flagged", "mapped_emotion", "emotion", "decided_by")


def select_emotion(thresholds: Thresholds) -> pl.Expr:
    """Algorithm 1: the speech branch decides, or where it is unsure the text branch does.

    Args:
        thresholds: per predicted class, and the changes that are not made.

    Returns:
        Expression over a table with ``speech_emotion``, ``entropy``, ``varentropy`` (nats),
        ``speech_angry``, ``speech_sad``, ``sentiment`` and ``sentiment_score``; for each row a
        struct with the fields ``flagged``, ``mapped_emotion``, ``emotion`` and ``decided_by``
        (`speech`, `text`, `reverted` or `no-text`). All null where a row has no speech scores.

    Examples:
        >>> row = pl.DataFrame({
        ...     "speech_emotion": ["sad"], "entropy": [1.2], "varentropy": [0.1],
        ...     "speech_angry": [0.2], "speech_sad": [0.4],
        ...     "sentiment": ["positive"], "sentiment_score": [0.8],
        ... })
        >>> sad = ClassThresholds(entropy=1.0, varentropy=0.4)
        >>> row.select(select_emotion(Thresholds({"sad": sad}))).item()["emotion"]
        'happy'
    """
    # In steps over one struct, whose fields hold what was computed: written as one formula, the
    # mapping would be evaluated anew wherever it is named. Until the last step `emotion` is the
    # speech branch's, and until the step before `decided_by` says whether the change is excluded.
    flag, mapped, emotion, decided_by = (pl.field(name) for name in DECISION_COLUMNS)
    decided = (
        pl.when(emotion.is_null())
        .then(None)
        .when(~flag)
        .then(pl.lit("speech"))
        .when(mapped.is_null())
        .then(pl.lit("no-text"))
        .when(decided_by)
        .then(pl.lit("reverted"))
        .otherwise(pl.lit("text"))
    )
    return (
        pl.struct(
            flagged=flagged(thresholds.classes),
            mapped_emotion=mapped_emotion(thresholds.classes),
            emotion=pl.col("speech_emotion"),
            decided_by=_is_excluded(thresholds),
        )
        .struct.with_fields(decided_by=decided)
        .struct.with_fields(emotion=pl.when(decided_by == "text").then(mapped).otherwise(emotion))
        .alias("decision")
    )


def flagged(classes: Mapping[str, ClassThresholds]) -> pl.Expr:
    """Whether a row is consulted about: entropy >= tau_e and varentropy <= tau_v.

    Args:
        classes: thresholds by predicted class, in nats.

    Returns:
        Expression of one bool for each row, null where there are no speech scores, false for
        classes without thresholds.
    """
    tau_e = _per_class({name: entry.entropy for name, entry in classes.items()})
    tau_v = _per_class({name: entry.varentropy for name, entry in classes.items()})
    unsure = (pl.col("entropy") >= tau_e) & (pl.col("varentropy") <= tau_v)
    return pl.when(pl.col("speech_emotion").is_not_null()).then(unsure.fill_null(False))


def could_change(thresholds: Thresholds) -> pl.Expr:
    """Whether the text branch, whatever it says, could change a row's emotion.

    Args:
        thresholds: per predicted class, and the changes that are not made.

    Returns:
        Expression of one bool for each row, over the columns of :func:`select_emotion` that the
        speech branch gives: flagged, and some sentiment is mapped to another emotion by a change
        that is not excluded. Null where there are no speech scores.
    """
    speech = pl.col("speech_emotion")
    changes = [
        (speech == name) & _some_change(name, entry, thresholds.exclusions)
        for name, entry in thresholds.classes.items()
    ]
    return flagged(thresholds.classes) & pl.any_horizontal(pl.lit(False), *changes)


def mapped_emotion(classes: Mapping[str, ClassThresholds]) -> pl.Expr:
    """The emotion that the text branch's sentiment stands for, by the predicted class's mapping.

    Args:
        classes: the mapping by predicted class.

    Returns:
        Expression of one emotion for each row, null where the sentiment, or for the simple
        mapping its score, is null, or where the predicted class has no mapping.
    """
    return pl.coalesce(
        pl.lit(None, dtype=pl.String),
        *(
            pl.when(pl.col("speech_emotion") == name).then(map_sentiment(entry))
            for name, entry in classes.items()
        ),
    )


def map_sentiment(entry: ClassThresholds) -> pl.Expr:
    """Map sentiment to emotion: neutral to neutral, positive to happy, negative to angry or sad.

    Args:
        entry: ``refer`` asks which of angry and sad the speech branch thinks likelier (angry of
            equals); ``simple`` says angry where (sentiment_score <= tau_m) XOR flip.

    Returns:
        Expression of one emotion for each row, null where its sentiment is null.
    """
    if entry.mapping == "refer":
        angry = pl.col("speech_angry") >= pl.col("speech_sad")
    else:
        angry = (pl.col("sentiment_score") <= entry.sentiment) ^ pl.lit(entry.flip)
    negative = pl.when(angry).then(pl.lit("angry")).when(~angry).then(pl.lit("sad"))
    sentiment = pl.col("sentiment")
    return (
        pl.when(sentiment == "neutral")
        .then(pl.lit("neutral"))
        .when(sentiment == "positive")
        .then(pl.lit("happy"))
        .when(sentiment == "negative")
        .then(negative)
    )


def _is_excluded(thresholds: Thresholds) -> pl.Expr:
    by_class: dict[str, list[str]] = {}
    for before, after in thresholds.exclusions:
        by_class.setdefault(before, []).append(after)
    return pl.coalesce(
        [
            pl.when(pl.col("speech_emotion") == name).then(
                map_sentiment(thresholds.classes[name]).is_in(after)
            )
            for name, after in by_class.items()
            if name in thresholds.classes
        ]
        + [pl.lit(False)]
    )


def _some_change(
    name: str, entry: ClassThresholds, exclusions: tuple[tuple[str, str], ...]
) -> pl.Expr:
    excluded = {after for before, after in exclusions if before == name}
    made = set(EMOTIONS) - excluded - {name}
    angry, sad = pl.lit("angry" in made), pl.lit("sad" in made)
    if entry.mapping == "simple" and entry.sentiment < LOWEST_TOP_SCORE:
        negative = angry if entry.flip else sad
    elif entry.mapping == "simple":
        negative = angry | sad
    else:
        likelier_angry = pl.col("speech_angry") >= pl.col("speech_sad")
        negative = pl.when(likelier_angry).then(angry).otherwise(sad)
    return pl.lit(bool(made & {"happy", "neutral"})) | negative


def _per_class(values: Mapping[str, float | None]) -> pl.Expr:
    return lookup(pl.col("speech_emotion"), values).cast(pl.Float64)
