"""TextGrid: Praat's tiers, in its long and its short text format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emobatch.errors import ManifestError
from emobatch.manifests.segments.form import Form, Segment, joined

TOKEN = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
# Tiers of forced alignment.
PHONES = re.compile(r"(.* - )?phon(e|eme)s?", re.IGNORECASE)
WORDS = re.compile(r"(?:(.*) - )?words?", re.IGNORECASE)
INTERVALS, POINTS = "IntervalTier", "TextTier"


class TextGrid(Form):
    """Reads tiers of intervals: a tier's name is who speaks, its texts are what is said.

    Tiers of words become utterances; those of phones and of points are left out.
    """

    def segments(self, text: str) -> Iterator[Segment]:
        """Read a file.

        Args:
            text: its content.

        Yields:
            A segment for each interval with text.

        Raises:
            ManifestError: if it is no TextGrid, or ends before it should.
        """
        values = _values(text)
        if list(values[:2]) != ["ooTextFile", "TextGrid"]:
            raise ManifestError('no TextGrid in text, which begins File type = "ooTextFile"')
        rest = _rest(values[4:])
        for _ in range(_count(next(rest))):
            yield from _tier(rest)


def _values(text: str) -> list[str | float]:
    # By Praat's own rule only what stands free is read: "texts" and numbers, no words around them.
    found: list[str | float] = []
    for quoted in TOKEN.finditer(text):
        if quoted[2] is None:
            found.append(quoted[1].replace('""', '"'))
        elif NUMBER.fullmatch(quoted[2]):
            found.append(float(quoted[2]))
    return found


def _rest(values: Sequence[str | float]) -> Iterator[str | float]:
    yield from values
    raise ManifestError("ends before its last tier does; save it again")


def _count(value: str | float) -> int:
    if isinstance(value, str) or not 0 <= value < 10**9 or value != int(value):
        raise ManifestError(f"{value!r} where a number of tiers or intervals belongs")
    return int(value)


def _tier(rest: Iterator[str | float]) -> Iterator[Segment]:
    kind, name = next(rest), str(next(rest))
    next(rest)
    next(rest)
    count = _count(next(rest))
    if kind == POINTS:
        for _ in range(2 * count):
            next(rest)
        return
    if kind != INTERVALS:
        raise ManifestError(f"a tier of kind {kind!r}; there are {INTERVALS} and {POINTS}")
    found = [(next(rest), next(rest), next(rest)) for _ in range(count)]
    words = WORDS.fullmatch(name)
    speaker = words[1] if words else name.strip() or None
    segments = [
        _segment(*each, speaker, f"interval {number} of tier {name!r}")
        for number, each in enumerate(found, start=1)
        if str(each[2]).strip()
    ]
    if not PHONES.fullmatch(name):
        yield from joined(segments) if words else segments


def _segment(
    start: str | float, end: str | float, text: str | float, speaker: str | None, place: str
) -> Segment:
    if isinstance(start, str) or isinstance(end, str):
        raise ManifestError(f"{place}: {start!r} to {end!r} where seconds belong; save it again")
    return Segment(round(start, 5), round(end, 5), speaker, str(text).strip(), place=place)
