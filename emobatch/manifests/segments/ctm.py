"""CTM: words with times, as recognisers write them."""

from __future__ import annotations

from collections.abc import Iterator

from emobatch.errors import ManifestError
from emobatch.manifests.segments.form import Form, Segment, joined, seconds

FEWEST, SPEAKER = 5, 7


class Ctm(Form):
    """Reads lines FILE CHANNEL START DURATION WORD; words become utterances."""

    def segments(self, text: str) -> Iterator[Segment]:
        """Read a file.

        Args:
            text: its content.

        Yields:
            A segment for each run of words.

        Raises:
            ManifestError: if a line lacks something.
        """
        return joined(_words(text))


def _words(text: str) -> Iterator[Segment]:
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        if len(fields) < FEWEST:
            raise ManifestError(
                f"line {number}: {len(fields)} fields where {FEWEST} belong: FILE CHANNEL START "
                "DURATION WORD"
            )
        start = seconds(fields[2], number, "the start")
        duration = seconds(fields[3], number, "the duration")
        speaker = fields[SPEAKER] if len(fields) > SPEAKER else None
        end, place = round(start + duration, 5), f"line {number}"
        yield Segment(start, end, speaker, fields[4], fields[0], place)
