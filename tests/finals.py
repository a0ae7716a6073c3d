"""Small final tables of any classes, decided by a plain rule."""

from __future__ import annotations

import numpy as np
import polars as pl

from emobatch.judging.verdicts import Verdicts
from emobatch.judging.verdicts import decided as reviewed
from emobatch.tables.judged import NOT_ASKED, OK, UNREADABLE
from emobatch.tables.uncertainty import with_uncertainty
from emobatch.tasks.eight import EIGHT
from emobatch.tasks.four import FOUR
from emobatch.tasks.spellings import SENTIMENTS
from emobatch.tasks.task import Task

TWO = Task.of(["calm", "tense"])
# The 27 emotions of GoEmotions, whose names are longer than most.
NAMES = """admiration amusement anger annoyance approval caring confusion curiosity desire
disappointment disapproval disgust embarrassment excitement fear gratitude grief joy love
nervousness optimism pride realization relief remorse sadness surprise"""
MANY = Task.of(NAMES.split())
TASKS = {"2": TWO, "4": FOUR, "8": EIGHT, "27": MANY}


def scored(task: Task = FOUR, count: int = 200, seed: int = 0) -> pl.DataFrame:
    """A score table of labelled rows, about half of them right."""
    rng = np.random.default_rng(seed)
    classes = np.array(task.classes)
    speech = rng.dirichlet(np.full(len(classes), 4 / len(classes)), count)
    labels = np.where(
        rng.random(count) < 0.4, speech.argmax(axis=1), rng.integers(0, len(classes), count)
    )
    return pl.DataFrame(
        {
            "id": [f"{number:03}" for number in range(count)],
            "session": [str(number % 3 + 1) for number in range(count)],
            "label": classes[labels],
            **dict(zip(task.speech_columns, speech.T, strict=True)),
            "sentiment": rng.choice(SENTIMENTS, count),
            "sentiment_score": rng.uniform(0.34, 1.0, count),
        }
    )


def decided(task: Task = FOUR, count: int = 200, seed: int = 0) -> pl.DataFrame:
    """The same as `apply` writes it: of unsure rows half say the label, and some are reverted."""
    rng = np.random.default_rng(seed + 1)
    rows = with_uncertainty(scored(task, count, seed).lazy(), task).collect()
    unsure = rows["entropy"].to_numpy() >= np.median(rows["entropy"].to_numpy())
    guess = np.array(task.classes)[rng.integers(0, len(task.classes), count)]
    mapped = np.where(rng.random(count) < 0.5, rows["label"].to_numpy(), guess)
    decided_by = np.where(unsure, rng.choice(["text", "reverted"], count, p=[0.8, 0.2]), "speech")
    emotion = np.where(decided_by == "text", mapped, rows["speech_emotion"].to_numpy())
    return rows.with_columns(
        flagged=pl.Series(unsure),
        mapped_emotion=pl.Series(mapped.astype(str)),
        emotion=pl.Series(emotion.astype(str)),
        decided_by=pl.Series(decided_by),
    )


def judged(task: Task = FOUR, count: int = 300, seed: int = 0) -> pl.DataFrame:
    """The same as `judge` writes it: right the more often the surer, of rows of val and of test."""
    rng = np.random.default_rng(seed + 2)
    rows, classes = decided(task, count, seed), np.array(task.classes)
    status = rng.choice([OK, UNREADABLE, NOT_ASKED], count, p=[0.8, 0.1, 0.1])
    sure = rng.choice([0.4, 0.55, 0.6, 0.75, 0.8, 0.85, 0.9, 1.0], count)
    guess = classes[rng.integers(0, len(classes), count)]
    emotion = np.where(rng.random(count) < sure, rows["label"].to_numpy(), guess)
    answers = {
        row: (str(emotion[row]), float(sure[row]), "so it sounds", OK)
        if status[row] == OK
        else (None, None, None, str(status[row]))
        for row in range(count)
    }
    said = Verdicts(task.labels, answers).frame(count)
    split = pl.Series(rng.choice(["dev", "test", "train"], count))
    return reviewed(rows.lazy(), said, 0.8).collect().with_columns(split=split)
