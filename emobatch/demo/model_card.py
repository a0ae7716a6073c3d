"""The text that goes with the demo's checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from emobatch.demo.measure import Figures, figures_table

_CARD: Final = """# The demo's three checkpoints

**These are toys.** They were trained on synthetic speech only and say nothing about human emotion.
They exist so that the whole pipeline can be shown and tested in seconds, without a download.

## What they are

| folder | kind | size |
| --- | --- | --- |
| `speech` | `Wav2Vec2ForSequenceClassification`, 2 layers of width 96 | {speech_kb} kB |
| `asr` | Whisper in CTranslate2's format (int8), 3 + 1 layers of width 128 | {asr_kb} kB |
| `sentiment` | `XLMRobertaForSequenceClassification`, 2 layers of width 64 | {sentiment_kb} kB |

Each is in the format of the large checkpoints on the hub and is loaded by the same code. The
recogniser knows {words} words, and clips of up to {seconds} s.

## What they were trained on

Speech spoken by espeak-ng: sentences from this package's templates, many voices, and four emotions
expressed through pitch, pitch range, rate, loudness and spectral tilt (`prosody.py` gives the
literature). Part of the emotional clips is spoken half-heartedly, in a manner that two emotions
share; the speech checkpoint learned labels as a listener who cannot follow the words would give
them, who takes most of these clips for neutral. Where the voice is clear, the sentiment of the
words agrees with the emotion only in a bit more than half of the clips; where it is half-hearted,
in nearly all. These shares were chosen so that the two branches need each other: how much fusion
gains here is a property of the data's design and predicts nothing about recordings of people.

## How well they do

On clips of the test part, whose speakers and sentences no checkpoint was trained on; {clips} clips
a data set, two thirds of them labelled to calibrate the fusion, the rest evaluated. The word error
rate and the sentiment accuracy (on the true words) are over all clips. UA is the mean recall of
the four emotions, by what the speaker meant.

{table}

## How they were made

`python -m emobatch.demo.train` makes everything from a seed (here {seed}): the clips, the weights,
the figures and this card. Other versions of the libraries or another processor may change the last
digits.
"""


def size_of(folder: Path) -> int:
    """Return the bytes of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def model_card(
    folder: Path,
    figures: Mapping[int, Figures],
    *,
    seed: int,
    clips: int,
    words: int,
    seconds: int,
) -> str:
    """Write out what the checkpoints are, what they were trained on and how well they do.

    Args:
        folder: Holds the folders `speech`, `asr` and `sentiment`.
        figures: The figures by data seed.
        seed: What the training was seeded with.
        clips: Number of clips of each data set.
        words: Size of the recogniser's vocabulary.
        seconds: Longest clip the recogniser knows.
    """
    return _CARD.format(
        speech_kb=round(size_of(folder / "speech") / 1000),
        asr_kb=round(size_of(folder / "asr") / 1000),
        sentiment_kb=round(size_of(folder / "sentiment") / 1000),
        table=figures_table(figures),
        seed=seed,
        clips=clips,
        words=words,
        seconds=seconds,
    )
