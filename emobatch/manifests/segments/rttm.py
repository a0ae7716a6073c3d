"""RTTM: who speaks when, as diarisation writes it."""

from __future__ import annotations

from collections.abc import Iterator

from emobatch.errors import ManifestError
from emobatch.manifests.segments.form import Form, Segment, seconds

FIELDS = 8


class Rttm(Form):
    """Reads lines SPEAKER FILE CHANNEL START DURATION <NA> <NA> NAME."""

    def segments(self, text: str) -> Iterator[Segment]:
        """Read a file.

        Args:
            text: its content.

        Yields:
            A segment for each line that says SPEAKER.

        Raises:
            ManifestError: if such a line lacks something.
        """
        for number, line in enumerate(text.splitlines(), start=1):
            fields = line.split()
            if not fields or fields[0] != "SPEAKER":
                continue
            if len(fields) < FIELDS:
                raise ManifestError(
                    f"line {number}: {len(fields)} fields where {FIELDS} belong: SPEAKER FILE "
                    "CHANNEL START DURATION <NA> <NA> NAME"
                )
            start = seconds(fields[3], number, "the start")
            duration = seconds(fields[4], number, "the duration")
            speaker = None if fields[7] == "<NA>" else fields[7]
            end, place = round(start + duration, 5), f"line {number}"
            yield Segment(start, end, speaker, None, fields[1], place)
