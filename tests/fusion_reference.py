"""Fusion written down once more, row by row and speaker by speaker, to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

CLASSES = ("angry", "happy", "neutral", "sad")
SENTIMENTS = ("negative", "neutral", "positive")
Row = Mapping[str, Any]
Floats = NDArray[np.float64]


def table(count: int = 600, seed: int = 0, speakers: int = 6) -> pl.DataFrame:
    """Labelled rows of several speakers in dialogues; some have no text, some no label."""
    rng = np.random.default_rng(seed)
    speaker = rng.integers(0, speakers, count)
    habit = rng.normal(0, 0.8, (speakers, len(CLASSES)))
    truth = rng.integers(0, len(CLASSES), count)
    for number in range(1, count):  # neighbours often share a label
        truth[number] = truth[number - 1] if rng.random() < 0.6 else truth[number]
    logits = 1.5 * np.eye(len(CLASSES))[truth] + habit[speaker] + rng.normal(0, 1, (count, 4))
    speech = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    mood = np.where(truth == 1, 2, np.where(truth == 2, 1, 0))
    said = np.where(rng.random(count) < 0.6, mood, rng.integers(0, 3, count))
    silent, unlabelled = pl.Series(rng.random(count) < 0.1), pl.Series(rng.random(count) < 0.2)
    return pl.DataFrame(
        {
            "id": [f"{number:04}" for number in range(count)],
            "speaker": [f"s{number}" for number in speaker],
            "dialogue": [f"d{number // 50}" for number in range(count)],
            "turn": np.arange(count),
            "split": rng.choice(["train", "val"], count, p=[0.7, 0.3]),
            "label": pl.Series(np.array(CLASSES)[truth]).set(unlabelled, None),
            **{f"speech_{name}": speech[:, place] for place, name in enumerate(CLASSES)},
            "sentiment": pl.Series(np.array(SENTIMENTS)[said]).set(silent, None),
            "sentiment_score": pl.Series(rng.uniform(0.34, 1, count)).set(silent, None),
        }
    )  # fmt: skip


def speech_of(row: Row) -> Floats:
    """Log-probabilities of the speech branch."""
    found = np.array([max(row[f"speech_{name}"], 1e-6) for name in CLASSES])
    return np.log(found / found.sum())


def text_of(row: Row) -> Floats | None:
    """Log-probabilities of the text branch, None where it says nothing."""
    if row["sentiment"] is None:
        return None
    top = row["sentiment_score"]
    others = (1 - top) / (len(SENTIMENTS) - 1)
    found = np.array([top if name == row["sentiment"] else others for name in SENTIMENTS])
    found = np.maximum(found, 1e-6)
    return np.log(found / found.sum())


def weights_of(rows: Sequence[Row]) -> list[float]:
    """1 for new rows, n_unseen / n_seen for others; then the same total for each class."""
    seen = sum(row["split"] == "train" for row in rows)
    each = [(len(rows) - seen) / seen if row["split"] == "train" else 1.0 for row in rows]
    total = sum(each)
    by_class = {
        name: sum(w for w, row in zip(each, rows, strict=True) if row["label"] == name)
        for name in CLASSES
    }
    return [
        weight * total / len(CLASSES) / by_class[row["label"]]
        for weight, row in zip(each, rows, strict=True)
    ]


class Reference:
    """Two regressions on features of the speech branch that are given from outside."""

    def __init__(self, heard: Sequence[Floats], rows: Sequence[Row], strength: float = 1.0) -> None:
        mine = [place for place, row in enumerate(rows) if row["label"] is not None]
        weights = np.array(weights_of([rows[place] for place in mine]))
        labels = np.array([rows[place]["label"] for place in mine])
        told = np.array([rows[place]["sentiment"] is not None for place in mine])
        features = np.array([heard[place] for place in mine])
        texts = [text_of(rows[place]) for place in mine]
        joined = np.array([[*x, *t] for x, t in zip(features, texts, strict=True) if t is not None])
        self.speech = LogisticRegression(C=strength, tol=1e-8, max_iter=10000)
        self.speech.fit(features, labels, sample_weight=weights)
        self.both = LogisticRegression(C=strength, tol=1e-8, max_iter=10000)
        self.both.fit(joined, labels[told], sample_weight=weights[told])

    def posterior(self, heard: Floats, row: Row) -> Floats:
        text = text_of(row)
        if text is None:
            return np.asarray(self.speech.predict_proba([heard])[0])
        return np.asarray(self.both.predict_proba([[*heard, *text]])[0])


def means(heard: Sequence[Floats], rows: Sequence[Row]) -> dict[str, Floats]:
    """Mean of each speaker's rows."""
    return {
        name: np.mean([x for x, r in zip(heard, rows, strict=True) if r["speaker"] == name], axis=0)
        for name in {row["speaker"] for row in rows}
    }


def centred(heard: Sequence[Floats], rows: Sequence[Row], usual: Floats) -> list[Floats]:
    """l - (n m_s + 10 m_0) / (n + 10)."""
    of = means(heard, rows)
    count = {name: sum(row["speaker"] == name for row in rows) for name in of}
    return [
        x - (count[row["speaker"]] * of[row["speaker"]] + 10 * usual) / (count[row["speaker"]] + 10)
        for x, row in zip(heard, rows, strict=True)
    ]


def composition(posteriors: Sequence[Floats]) -> Floats:
    """A speaker's composition by expectation maximisation, with 5 rows of each class more."""
    share = np.full(len(CLASSES), 1 / len(CLASSES))
    for _ in range(5000):
        counts = np.full(len(CLASSES), 5.0)
        for posterior in posteriors:
            joint = posterior * share
            counts += joint / joint.sum()
        share = counts / counts.sum()
    return share


def together(posteriors: Sequence[Floats], rho: float) -> list[Floats]:
    """Posteriors of a chain's rows by going through all its sequences of classes."""
    from itertools import product

    classes = len(posteriors[0])
    step = rho * np.eye(classes) + (1 - rho) / classes
    found = np.zeros((len(posteriors), classes))
    for path in product(range(classes), repeat=len(posteriors)):
        chance = 1 / classes
        for place, here in enumerate(path):
            chance *= posteriors[place][here] * (step[path[place - 1], here] if place else 1)
        for place, here in enumerate(path):
            found[place, here] += chance
    return [each / each.sum() for each in found]


def likelihood(posteriors: Sequence[Floats], rho: float) -> float:
    """Of a chain, by going through all its sequences of classes."""
    from itertools import product

    classes = len(posteriors[0])
    step = rho * np.eye(classes) + (1 - rho) / classes
    total = 0.0
    for path in product(range(classes), repeat=len(posteriors)):
        chance = 1 / classes
        for place, here in enumerate(path):
            chance *= posteriors[place][here] * (step[path[place - 1], here] if place else 1)
        total += chance
    return total
