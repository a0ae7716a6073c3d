"""Clips of emotional speech: what is said, by whom, how, and the sound itself.

`make_training_rows` draws from the training speakers and sentences, `make_demo_rows` from the
test ones; the two also seed their generators apart, so no clip of one occurs in the other.
"""

import wave
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from emobatch.demo.prosody import (
    EMOTIONS,
    Emotion,
    Manner,
    draw_delivery,
    draw_heard,
    draw_manner,
)
from emobatch.demo.sentences import SENTIMENTS, Part, Sentiment, draw_sentence
from emobatch.demo.synthesis import Delivery, Synthesiser
from emobatch.demo.voices import draw_speaker

_PART_SEEDS: Final[dict[Part, int]] = {"train": 1, "test": 2}
_AGREEING: Final[dict[Emotion, Sentiment]] = {
    "angry": "negative",
    "happy": "positive",
    "neutral": "neutral",
    "sad": "negative",
}
_AGREEMENT: Final[dict[Manner, float]] = {"clear": 0.58, "lively": 0.95, "subdued": 0.95}
"""How often the words agree with the emotion.

A speaker whose voice already tells is freer in words than one whose voice does not.
"""


@dataclass(frozen=True)
class Row:
    """A clip to be spoken.

    Attributes:
        id: The clip's name, unique within its data set.
        text: The words, lower-case, without punctuation.
        sentiment: What the words alone express.
        label: The emotion meant.
        heard: The emotion that a listener who goes by the sound alone takes it for.
        speaker: The espeak-ng voice name.
        manner: "clear", or the manner shared with other emotions.
        delivery: How it is spoken.
    """

    id: str
    text: str
    sentiment: Sentiment
    label: Emotion
    heard: Emotion
    speaker: str
    manner: Manner
    delivery: Delivery


def _draw_sentiment(emotion: Emotion, manner: Manner, rng: np.random.Generator) -> Sentiment:
    """Draw the sentiment of the words: most often the one that agrees with the emotion."""
    agreeing = _AGREEING[emotion]
    if rng.random() < _AGREEMENT[manner]:
        return agreeing
    others = [sentiment for sentiment in SENTIMENTS if sentiment != agreeing]
    return others[int(rng.integers(len(others)))]


def _draw_row(name: str, emotion: Emotion, part: Part, rng: np.random.Generator) -> Row:
    """Draw everything about one clip of an emotion."""
    manner = draw_manner(emotion, rng)
    sentence = draw_sentence(_draw_sentiment(emotion, manner, rng), part, rng)
    return Row(
        id=name,
        text=sentence.text,
        sentiment=sentence.sentiment,
        label=emotion,
        heard=draw_heard(emotion, manner, rng),
        speaker=draw_speaker(part, rng),
        manner=manner,
        delivery=draw_delivery(emotion, manner, rng),
    )


def _make_rows(prefix: str, part: Part, seed: int, count: int) -> list[Row]:
    """Draw `count` clips of a part, the four emotions as evenly as the count allows."""
    rng = np.random.default_rng([_PART_SEEDS[part], seed])
    emotions = rng.permutation([index % len(EMOTIONS) for index in range(count)])
    return [
        _draw_row(f"{prefix}-{number:05d}", EMOTIONS[int(emotion)], part, rng)
        for number, emotion in enumerate(emotions)
    ]


def make_training_rows(seed: int, count: int) -> list[Row]:
    """Draw clips to train checkpoints on, from the training speakers and sentences."""
    return _make_rows("train", "train", seed, count)


def make_demo_rows(seed: int, count: int) -> list[Row]:
    """Draw clips of the demo, from speakers and sentences that no checkpoint was trained on.

    Args:
        seed: Decides every clip; two seeds give two independent data sets.
        count: Number of clips.

    Returns:
        The clips, in random order of emotion.
    """
    return _make_rows("demo", "test", seed, count)


def speak(rows: Iterable[Row]) -> Iterator[tuple[npt.NDArray[np.int16], int]]:
    """Speak clips, one after the other with a fresh engine: the same rows sound the same again.

    Yields:
        For each row the samples, shape (samples,), and the sample rate in Hz.
    """
    engine = Synthesiser()
    for row in rows:
        yield engine.speak(row.text, row.speaker, row.delivery), engine.sample_rate


def write_clips(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Speak clips into 16-bit mono WAV files named after their ids.

    Args:
        rows: The clips.
        folder: Where the files go; made if missing.

    Returns:
        The paths, in the order of the rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for row, (samples, rate) in zip(rows, speak(rows), strict=True):
        path = folder / f"{row.id}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(samples.tobytes())
        paths.append(path)
    return paths
