"""Plain and slow definitions, written from the paper, that the vectorised code is held against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.selection.rules import ClassRule, Rules


def entropy(probabilities: Sequence[float]) -> float:
    """Equation 1."""
    return -sum(p * math.log(p) for p in probabilities if p > 0)


def varentropy(probabilities: Sequence[float]) -> float:
    """Equation 2."""
    mean = entropy(probabilities)
    return sum(p * (math.log(p) + mean) ** 2 for p in probabilities if p > 0)


def mapped(row: Mapping[str, Any], rule: ClassRule) -> str | None:
    """The emotion that the row's sentiment stands for."""
    if row["sentiment"] == "neutral":
        return "neutral"
    if row["sentiment"] == "positive":
        return "happy"
    if row["sentiment"] is None:
        return None
    if rule.mapping.kind == "refer":
        return "angry" if row["speech_angry"] >= row["speech_sad"] else "sad"
    if row["sentiment_score"] is None:
        return None
    low = row["sentiment_score"] <= rule.mapping.sentiment
    return "angry" if low != rule.mapping.flip else "sad"


def algorithm_1(row: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """Algorithm 1 for one row."""
    speech = row["speech_emotion"]
    if speech is None:
        return dict.fromkeys(("flagged", "mapped_emotion", "emotion", "decided_by"))
    rule = rules.classes.get(speech)
    flagged = (
        rule is not None
        and rule.limits is not None
        and row["entropy"] >= rule.limits.entropy
        and row["varentropy"] <= rule.limits.varentropy
    )
    text = mapped(row, rule) if rule is not None else None
    emotion, decided_by = speech, "speech"
    if flagged:
        if text is None:
            decided_by = "no-text"
        elif (speech, text) in rules.exclusions:
            decided_by = "reverted"
        else:
            emotion, decided_by = text, "text"
    return {
        "flagged": flagged,
        "mapped_emotion": text,
        "emotion": emotion,
        "decided_by": decided_by,
    }


def best_pair(
    entropies: NDArray[np.float64],
    varentropies: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    grid_e: NDArray[np.float64],
    grid_v: NDArray[np.float64],
) -> tuple[float, float, int, int] | None:
    """Equation 7 for every pair of thresholds; highest M, most flagged, lowest e, highest v."""
    over = (entropies >= grid_e[:, None]).astype(int)
    under = (varentropies <= grid_v[:, None]).astype(int)
    flagged, detected = over @ under.T, (over * wrong) @ under.T
    pairs = [
        (detected[i, j] / flagged[i, j], flagged[i, j], -e, v, detected[i, j])
        for i, e in enumerate(grid_e)
        for j, v in enumerate(grid_v)
        if flagged[i, j]
    ]
    if not pairs:
        return None
    _, most, minus_e, v, found = max(pairs)
    return -float(minus_e), float(v), int(most), int(found)
