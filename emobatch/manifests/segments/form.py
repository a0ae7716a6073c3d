"""What a file of segments may be: the seam between forms of transcripts with times and rows."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from emobatch.errors import ManifestError

# Words of one speaker that are no further apart are one segment, in seconds; and how long it gets.
PAUSE, LONGEST = 0.5, 30.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a recording.

    Attributes:
        start: seconds into it.
        end: seconds into it.
        speaker: who speaks, None where nobody says.
        text: what is said, None where nobody says.
        recording: what the file calls the recording, None where it is of one only.
        place: where it stands in its file, for a message.
    """

    start: float
    end: float
    speaker: str | None = None
    text: str | None = None
    recording: str | None = None
    place: str = field(default="", compare=False)


class Form(ABC):
    """Reads files of one form."""

    @abstractmethod
    def segments(self, text: str) -> Iterator[Segment]:
        """Read a file.

        Args:
            text: its content.

        Yields:
            Its segments.

        Raises:
            ManifestError: if it makes no sense; names the line.
        """


def seconds(text: str, number: int, what: str) -> float:
    """Read a time.

    Args:
        text: as written.
        number: of the line.
        what: it is, for a message.

    Returns:
        Seconds.

    Raises:
        ManifestError: if it is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e9:
        raise ManifestError(f"line {number}: {what} is {text[:40]!r}, no number of seconds")
    return value


def joined(words: Iterable[Segment]) -> Iterator[Segment]:
    """Join words to utterances.

    Args:
        words: in the order in which they are said.

    Yields:
        Runs of words of a speaker in a recording, of up to 30 s and without a pause of half a
        second or more.

    Examples:
        >>> words = [Segment(0, 0.4, text="well"), Segment(0.5, 1, text="no"), Segment(3, 4)]
        >>> [(each.start, each.end, each.text) for each in joined(words)]
        [(0, 1, 'well no'), (3, 4, None)]
    """
    run: list[Segment] = []
    for word in words:
        if run and not _goes_on(run, word):
            yield _one(run)
            run = []
        run.append(word)
    if run:
        yield _one(run)


def _goes_on(run: list[Segment], word: Segment) -> bool:
    same = (run[-1].recording, run[-1].speaker) == (word.recording, word.speaker)
    near = run[-1].start <= word.start < run[-1].end + PAUSE
    return same and near and word.end - run[0].start <= LONGEST


def _one(run: list[Segment]) -> Segment:
    text = " ".join(word.text for word in run if word.text) or None
    end = max(word.end for word in run)
    return replace(run[0], end=end, text=text)
