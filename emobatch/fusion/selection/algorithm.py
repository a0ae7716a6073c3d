"""Entropy-aware score selection (Chua et al., Algorithm 1) as Polars expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from emobatch.fusion.selection.rules import DIRECT, SIMPLE, Limits, Rules, SentimentMapping
from emobatch.tables.uncertainty import predicted
from emobatch.tasks.label_columns import lookup
from emobatch.tasks.task import Task

# The top one of three sentiments has at least a third; a little less, for rounding.
LOWEST_TOP_SCORE = 0.33
# The sentiment whose two classes the simple mapping tells apart.
NEGATIVE = "negative"


def select_emotion(rows: pl.LazyFrame, rules: Rules, task: Task) -> pl.LazyFrame:
    """Algorithm 1: the speech branch decides, or where it is unsure the text branch does.

    Args:
        rows: with ``speech_emotion``, ``entropy``, ``varentropy`` (nats), ``speech_CLASS``, and
            what the text branch says: ``sentiment`` and ``sentiment_score``, or ``text_emotion``.
        rules: per predicted class, and the changes that are not made.
        task: the classes.

    Returns:
        The rows with ``flagged``, ``mapped_emotion``, ``emotion`` and ``decided_by`` (`speech`,
        `text`, `reverted` or `no-text`), all null where a row has no speech scores but for the
        mapped emotion.

    Examples:
        >>> from emobatch.fusion.selection.rules import ClassRule
        >>> row = {"speech_emotion": "sad", "entropy": 1.2, "varentropy": 0.1, "speech_sad": 0.6,
        ...        "speech_happy": 0.4, "sentiment": "positive", "sentiment_score": 0.8}
        >>> rules = Rules({"sad": ClassRule(Limits(entropy=1.0, varentropy=0.4))})
        >>> rows = pl.LazyFrame([row])
        >>> select_emotion(rows, rules, Task.of(["happy", "sad"])).collect()["emotion"].item()
        'happy'
    """
    speech, mapped = pl.col("speech_emotion"), pl.col("mapped_emotion")
    decided_by = (
        pl.when(speech.is_null())
        .then(None)
        .when(~pl.col("flagged"))
        .then(pl.lit("speech"))
        .when(mapped.is_null())
        .then(pl.lit("no-text"))
        .when(is_excluded(rules.exclusions))
        .then(pl.lit("reverted"))
        .otherwise(pl.lit("text"))
    )
    mappings = {name: rule.mapping for name, rule in rules.classes.items()}
    return (
        rows.with_columns(
            flagged=flagged(rules.limits), mapped_emotion=mapped_emotion(mappings, task)
        )
        .with_columns(decided_by=decided_by)
        .with_columns(
            emotion=pl.when(pl.col("decided_by") == "text").then(mapped).otherwise(speech)
        )
    )


def flagged(limits: Mapping[str, Limits]) -> pl.Expr:
    """Whether a row is flagged: entropy >= tau_e and varentropy <= tau_v.

    Args:
        limits: by predicted class, in nats; rows of other classes are never flagged.

    Returns:
        Expression of one bool for each row, null where there are no speech scores.
    """
    tau_e = _per_class({name: pair.entropy for name, pair in limits.items()})
    tau_v = _per_class({name: pair.varentropy for name, pair in limits.items()})
    unsure = (pl.col("entropy") >= tau_e) & (pl.col("varentropy") <= tau_v)
    return pl.when(pl.col("speech_emotion").is_not_null()).then(unsure.fill_null(False))


def could_change(rules: Rules, task: Task) -> pl.Expr:
    """Whether the text branch, whatever it says, could change a row's emotion.

    Args:
        rules: per predicted class, and the changes that are not made.
        task: the classes.

    Returns:
        Expression of one bool for each row, over what the speech branch says of it: flagged, and
        some answer of the text branch stands for another emotion by a change that is not
        excluded. Null where there are no speech scores.
    """
    speech = pl.col("speech_emotion")
    changes = []
    for name, rule in rules.classes.items():
        excluded = {after for before, after in rules.exclusions if before == name}
        made = set(task.classes) - excluded - {name}
        changes.append((speech == name) & _some_change(rule.mapping, made, task))
    return flagged(rules.limits) & pl.any_horizontal(pl.lit(False), *changes)


def mapped_emotion(mappings: Mapping[str, SentimentMapping], task: Task) -> pl.Expr:
    """The emotion that the text branch's answer stands for, by the predicted class's mapping.

    Args:
        mappings: by predicted class.
        task: the classes.

    Returns:
        Expression of one emotion for each row, null where the text branch says nothing, where its
        sentiment stands for no class, or where the predicted class has no mapping.
    """
    return pl.coalesce(
        pl.lit(None, dtype=pl.String),
        *(
            pl.when(pl.col("speech_emotion") == name).then(map_answer(mapping, task))
            for name, mapping in mappings.items()
        ),
    )


def map_answer(mapping: SentimentMapping, task: Task) -> pl.Expr:
    """Map what the text branch says to an emotion.

    Args:
        mapping: how sentiments that stand for several classes are told apart.
        task: the classes that each sentiment stands for.

    Returns:
        Expression of one emotion for each row, null where the text branch says nothing.
    """
    if mapping.kind == DIRECT:
        return pl.col("text_emotion")
    return pl.coalesce(
        pl.lit(None, dtype=pl.String),
        *(
            pl.when(pl.col("sentiment") == sentiment).then(class_of(sentiment, mapping, task))
            for sentiment, names in task.sentiments.items()
            if names
        ),
    )


def class_of(sentiment: str, mapping: SentimentMapping, task: Task) -> pl.Expr:
    """The emotion that one sentiment stands for.

    Args:
        sentiment: that of every row; it stands for a class.
        mapping: how it is told which, where it stands for several.
        task: the classes that each sentiment stands for.

    Returns:
        Expression of one emotion for each row.
    """
    names = task.sentiments[sentiment]
    if mapping.kind == SIMPLE and sentiment == NEGATIVE and len(names) == 2:
        first = (pl.col("sentiment_score") <= mapping.sentiment) ^ pl.lit(mapping.flip)
        return pl.when(first).then(pl.lit(names[0])).when(~first).then(pl.lit(names[1]))
    if len(names) == 1:
        return pl.lit(names[0])
    return predicted([f"speech_{name}" for name in names])


def is_excluded(exclusions: Iterable[tuple[str, str]]) -> pl.Expr:
    """Whether the change from the speech branch's emotion to the mapped one is not to be made.

    Args:
        exclusions: changes (from, to).

    Returns:
        Expression of one bool for each row, over ``speech_emotion`` and ``mapped_emotion``.
    """
    by_class: dict[str, list[str]] = {}
    for before, after in exclusions:
        by_class.setdefault(before, []).append(after)
    speech, mapped = pl.col("speech_emotion"), pl.col("mapped_emotion")
    changes = [(speech == name) & mapped.is_in(after) for name, after in by_class.items()]
    return pl.any_horizontal(pl.lit(False), *changes)


def _some_change(mapping: SentimentMapping, made: set[str], task: Task) -> pl.Expr:
    if mapping.kind == DIRECT:
        return pl.lit(bool(made))
    return pl.any_horizontal(
        pl.lit(False),
        *(
            _changes_to(made, sentiment, mapping, task)
            for sentiment, names in task.sentiments.items()
            if names
        ),
    )


def _changes_to(made: set[str], sentiment: str, mapping: SentimentMapping, task: Task) -> pl.Expr:
    names = task.sentiments[sentiment]
    if mapping.kind == SIMPLE and sentiment == NEGATIVE and len(names) == 2:
        if mapping.sentiment < LOWEST_TOP_SCORE:  # every score is above it: one class alone
            names = names[:1] if mapping.flip else names[1:]
        return pl.lit(bool(made & set(names)))
    return class_of(sentiment, mapping, task).is_in(sorted(made))


def _per_class(values: Mapping[str, float]) -> pl.Expr:
    return lookup(pl.col("speech_emotion"), values).cast(pl.Float64)
