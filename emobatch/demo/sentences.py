"""Sentences the demo speaks: templates over a closed vocabulary, with a sentiment each.

Every word the recogniser can meet is in this file. Sentences are told apart into the training
part and the test part by a checksum of their text, so that the two never share one, while each
word and each template occurs in both.
"""

from dataclasses import dataclass
from typing import Final, Literal
from zlib import crc32

import numpy as np

Sentiment = Literal["negative", "neutral", "positive"]
Part = Literal["train", "test"]

SENTIMENTS: Final[tuple[Sentiment, ...]] = ("negative", "neutral", "positive")

_TEST_SHARE: Final = 4
"""One sentence in this many belongs to the test part."""

_SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "thing": (
        "the movie",
        "the concert",
        "this book",
        "my garden",
        "the holiday",
        "your letter",
        "the dinner",
        "my birthday",
        "this song",
        "the hotel",
        "our new house",
        "the game",
        "your present",
        "my job",
        "the party",
        "this coffee",
    ),
    "noun": ("day", "story", "evening", "idea", "journey", "picture", "morning", "result"),
    "object": (
        "the box",
        "the yellow bag",
        "a chair",
        "the blue cup",
        "the newspaper",
        "a pencil",
        "the key",
        "the wooden table",
    ),
    "place": (
        "kitchen",
        "office",
        "station",
        "cupboard",
        "corner",
        "library",
        "hallway",
        "window",
    ),
    "person": (
        "my brother",
        "the teacher",
        "my sister",
        "the doctor",
        "our neighbour",
        "my father",
        "the driver",
        "peter",
    ),
    "time": (
        "on monday",
        "at seven",
        "in october",
        "after lunch",
        "before friday",
        "at ten past three",
        "every tuesday",
        "this afternoon",
    ),
    "number": ("two", "four", "five", "eleven", "twenty", "thirty"),
    "plural": ("bottles", "windows", "pages", "buses", "pencils", "boxes"),
    "move": ("put", "left", "found", "moved"),
    "love": ("love", "adore", "enjoy", "really like"),
    "loved": ("loved", "adored", "enjoyed", "admired"),
    "good": (
        "wonderful",
        "perfect",
        "magical",
        "lovely",
        "fantastic",
        "beautiful",
        "delightful",
        "brilliant",
    ),
    "happy": ("happy", "glad", "delighted", "thrilled", "grateful", "proud"),
    "hate": ("hate", "despise", "regret", "really dislike"),
    "hated": ("hated", "ruined", "spoiled", "destroyed"),
    "bad": (
        "terrible",
        "horrible",
        "awful",
        "disgusting",
        "worthless",
        "a disaster",
        "unfair",
        "miserable",
    ),
    "badone": ("terrible", "horrible", "miserable", "dreadful", "rotten", "worthless"),
    "upset": ("upset", "hurt", "disappointed", "worried", "bitter", "ashamed"),
}

_TEMPLATES: Final[dict[Sentiment, tuple[str, ...]]] = {
    "positive": (
        "I {love} {thing}",
        "{person} {loved} {thing}",
        "{thing} was {good}",
        "what a {good} {noun}",
        "I am so {happy} about {thing}",
        "{person} is {happy} and so am I",
        "thank you for {thing} it's {good}",
        "we won and {thing} was {good}",
        "it was the best {noun} with {person}",
    ),
    "neutral": (
        "{object} is in the {place}",
        "{person} {move} {object} near the {place}",
        "the meeting starts {time}",
        "there are {number} {plural} in the {place}",
        "{person} goes to the {place} {time}",
        "the train stops here {time}",
        "{person} needs {number} {plural} {time}",
        "{object} costs {number} pounds",
        "I read {number} pages {time}",
    ),
    "negative": (
        "I {hate} {thing}",
        "{person} {hated} {thing}",
        "{thing} was {bad}",
        "what a {badone} {noun}",
        "I am so {upset} about {thing}",
        "{person} is {upset} and so am I",
        "I can't stand {thing} it's {bad}",
        "we lost and {thing} was {bad}",
        "it was the worst {noun} with {person}",
        "{thing} was not {good}",
        "I don't {love} {thing}",
    ),
}


@dataclass(frozen=True)
class Sentence:
    """A sentence to speak.

    Attributes:
        text: The words, without punctuation, as a transcript has them (apostrophes kept).
        sentiment: What the words alone express.
    """

    text: str
    sentiment: Sentiment


def part_of(text: str) -> Part:
    """Tell which part a sentence belongs to, from its text alone."""
    return "test" if crc32(text.encode()) % _TEST_SHARE == 0 else "train"


def _fill(template: str, rng: np.random.Generator) -> str:
    """Replace each slot of a template by one of its fillers, drawn at random."""
    words = {name: str(rng.choice(fillers)) for name, fillers in _SLOTS.items()}
    return template.format(**words).lower()


def draw_sentence(sentiment: Sentiment, part: Part, rng: np.random.Generator) -> Sentence:
    """Draw a sentence of a sentiment from one part.

    Args:
        sentiment: The sentiment wanted.
        part: "train" or "test"; the two have no sentence in common.
        rng: The source of randomness.

    Returns:
        The sentence, lower-case.
    """
    while True:
        text = _fill(str(rng.choice(_TEMPLATES[sentiment])), rng)
        if part_of(text) == part:
            return Sentence(text, sentiment)


def vocabulary() -> tuple[str, ...]:
    """List every word the sentences are made of, in alphabetical order."""
    words: set[str] = set()
    for template in sum(_TEMPLATES.values(), ()):
        words.update(word for word in template.lower().split() if "{" not in word)
    for fillers in _SLOTS.values():
        words.update(word for filler in fillers for word in filler.split())
    return tuple(sorted(words))
