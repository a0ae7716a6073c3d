"""Fitting rules on labelled rows (Chua et al., section II-C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.fusion.selection.algorithm import NEGATIVE, class_of, flagged, select_emotion
from emobatch.fusion.selection.detection import FEWEST_ROWS, FlagBy, best_detection, grids
from emobatch.fusion.selection.rules import (
    DIRECT,
    REFER,
    SIMPLE,
    ClassRule,
    DetectionFigures,
    Limits,
    Rules,
    SentimentMapping,
)
from emobatch.tasks.task import Task

Protocol = Literal["released", "paper"]
# Values of tau_m that are tried, in twentieths from 0 on: up to 0.70 in the code behind the
# published tables, up to 1 as section II-D is printed.
SENTIMENT_STEPS: Mapping[Protocol, int] = {"released": 15, "paper": 21}


def fit(
    rows: pl.DataFrame, task: Task, protocol: Protocol = "released", flag_by: FlagBy = "both"
) -> Rules:
    """Fit limits, mapping and exclusion list.

    Args:
        rows: labelled and scored: ``label``, ``speech_emotion``, ``entropy`` (nats),
            ``varentropy`` (nats squared), ``speech_CLASS``, and what the text branch says.
        task: the classes.
        protocol: ``released``, the one behind the published tables, takes the percentiles of the
            misclassified rows of each predicted class, and tries tau_m from 0 to 0.70; ``paper``,
            as sections II-C and II-D are printed, takes those of the rows of each label, and tries
            tau_m from 0 to 1.
        flag_by: the measures that flag a row; the one that is left out gets a threshold that
            every row passes.

    Returns:
        What was fitted, with the reason for each class that could not be.
    """
    mappings = mappings_tried(rows, task, protocol)
    classes = {
        name: _fit_class(rows, task, name, protocol, flag_by, mappings) for name in task.classes
    }
    return Rules(classes, _exclusions(rows, task, Rules(classes)))


def mappings_tried(
    rows: pl.DataFrame, task: Task, protocol: Protocol = "released"
) -> list[SentimentMapping]:
    """List the mappings that are tried, of equals the first is taken.

    Args:
        rows: a score table; one with ``text_emotion`` needs no mapping.
        task: the classes; the simple mapping tells two negative ones apart.
        protocol: how far tau_m of the simple mapping goes.

    Returns:
        Mappings in the order in which they are tried.

    Examples:
        >>> rows = pl.DataFrame({"sentiment": []})
        >>> len(mappings_tried(rows, Task.of(["angry", "sad"])))
        31
        >>> len(mappings_tried(rows, Task.of(["happy", "sad"])))
        1
    """
    if "text_emotion" in rows.columns:
        return [SentimentMapping(DIRECT)]
    tried = [SentimentMapping(REFER)]
    if len(task.sentiments[NEGATIVE]) == 2:
        simple = [
            SentimentMapping(SIMPLE, step / 20, flip)
            for flip in (True, False)
            for step in range(SENTIMENT_STEPS[protocol])
        ]
        tried = simple + tried
    return tried


def is_sample(rows: pl.DataFrame, name: str, protocol: Protocol) -> NDArray[np.bool_]:
    """Say between which rows' percentiles the limits of a class are searched.

    Args:
        rows: labelled and scored rows with ``label`` and ``speech_emotion``.
        name: the class.
        protocol: see :func:`fit`.

    Returns:
        (rows,) whether each is one of them.

    Examples:
        >>> rows = pl.DataFrame({"label": ["sad", "happy"], "speech_emotion": ["sad", "sad"]})
        >>> is_sample(rows, "sad", "released").tolist()
        [False, True]
    """
    is_label = rows["label"] == name
    chosen = is_label if protocol == "paper" else (rows["speech_emotion"] == name) & ~is_label
    return chosen.to_numpy()


def _fit_class(
    rows: pl.DataFrame,
    task: Task,
    name: str,
    protocol: Protocol,
    flag_by: FlagBy,
    mappings: list[SentimentMapping],
) -> ClassRule:
    of_class = rows.filter(pl.col("speech_emotion") == name)
    sample = rows.filter(is_sample(rows, name, protocol))
    searched = grids(sample["entropy"].to_numpy(), sample["varentropy"].to_numpy(), flag_by)
    fallback = SentimentMapping(DIRECT if mappings[0].kind == DIRECT else REFER)
    if searched is None:
        kind = "labelled" if protocol == "paper" else "misclassified as"
        reason = f"only {len(sample)} {kind} {name}, at least {FEWEST_ROWS} rows are needed"
        return ClassRule(mapping=fallback, reason=reason)
    detection = best_detection(
        of_class["entropy"].to_numpy(),
        of_class["varentropy"].to_numpy(),
        (of_class["label"] != name).to_numpy(),
        *searched,
    )
    if detection is None:
        reason = f"no pair of thresholds flags a row predicted {name}"
        return ClassRule(mapping=fallback, reason=reason)
    limits = Limits(detection.entropy, detection.varentropy)
    accuracy = round(100 * detection.accuracy, 4)
    return ClassRule(
        limits,
        _best_mapping(of_class.filter(flagged({name: limits})), task, mappings),
        DetectionFigures(accuracy, detection.flagged, detection.detected),
    )


def _best_mapping(
    flagged_rows: pl.DataFrame, task: Task, mappings: list[SentimentMapping]
) -> SentimentMapping:
    if len(mappings) == 1:
        return mappings[0]
    # Rows that aren't flagged keep their emotion whatever the mapping, and those of other
    # sentiments have the same one by all of them, so that the accuracy on the flagged negative ones
    # orders the mappings as that on all rows of the class does.
    right = (
        flagged_rows.lazy()
        .filter(pl.col("sentiment") == NEGATIVE)
        .select(
            (pl.coalesce(class_of(NEGATIVE, mapping, task), "speech_emotion") == pl.col("label"))
            .sum()
            .alias(str(number))
            for number, mapping in enumerate(mappings)
        )
        .collect()
        .row(0)
    )
    return mappings[right.index(max(right))]


def _exclusions(rows: pl.DataFrame, task: Task, rules: Rules) -> tuple[tuple[str, str], ...]:
    label, before, after = pl.col("label"), pl.col("speech_emotion"), pl.col("emotion")
    changes = (
        select_emotion(rows.lazy(), rules, task)
        .filter(after != before)
        .group_by("speech_emotion", "emotion")
        .agg(better=(label == after).sum(), worse=(label == before).sum())
        .filter(pl.col("worse") > pl.col("better"))
        .sort("speech_emotion", "emotion")
    )
    return tuple(changes.select("speech_emotion", "emotion").collect().iter_rows())
