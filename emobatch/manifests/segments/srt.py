"""SRT: subtitles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from emobatch.errors import ManifestError
from emobatch.manifests.segments.form import Form, Segment

CLOCK = r"(\d{1,6}):(\d\d):(\d\d)[,.](\d{1,3})"
TIMES = re.compile(rf"\s*{CLOCK}\s*-->\s*{CLOCK}.*", re.ASCII)
# As in: [SPEAKER_00]: Well then.
SPEAKER = re.compile(r"\[([^\]]+)\]:\s*")
MARKUP = re.compile(r"</?[A-Za-z][^>]*>|\{\\[^}]*\}")


class Srt(Form):
    """Reads subtitles; a speaker's name stands before them in brackets and with a colon."""

    def segments(self, text: str) -> Iterator[Segment]:
        """Read a file.

        Args:
            text: its content.

        Yields:
            A segment for each subtitle.

        Raises:
            ManifestError: if one has no times, or there is none.
        """
        number, count = 1, 0
        for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
            lines = block.strip("\n").split("\n")
            if block.strip():
                yield _segment([line for line in lines if line.strip()], number)
                count += 1
            number += block.count("\n") + 2
        if not count:
            raise ManifestError("no subtitles in it")


def _segment(lines: list[str], number: int) -> Segment:
    at = 0 if TIMES.fullmatch(lines[0]) else 1
    found = TIMES.fullmatch(lines[at]) if len(lines) > at else None
    if found is None:
        raise ManifestError(
            f"line {number}: no times as 00:00:01,000 --> 00:00:02,500 after {lines[0][:40]!r}"
        )
    said = MARKUP.sub("", " ".join(lines[at + 1 :])).strip()
    named = SPEAKER.match(said)
    return Segment(
        _seconds(found.groups()[:4]),
        _seconds(found.groups()[4:]),
        named[1] if named else None,
        (said[named.end() :] if named else said).strip() or None,
        place=f"line {number}",
    )


def _seconds(parts: tuple[str, ...]) -> float:
    hours, minutes, whole, rest = parts
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{whole}.{rest}")
