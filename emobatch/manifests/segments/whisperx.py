"""WhisperX: a JSON object with segments, and speakers if it was told to tell them apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from emobatch.errors import ManifestError
from emobatch.manifests.readers.json_rows import seconds
from emobatch.manifests.segments.form import Form, Segment


class WhisperX(Form):
    """Reads what WhisperX, and Whisper itself, write as JSON."""

    def segments(self, text: str) -> Iterator[Segment]:
        """Read a file.

        Args:
            text: its content.

        Yields:
            Its segments.

        Raises:
            ManifestError: if it is no such JSON.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ManifestError(f"no JSON: {str(error)[:80]}") from error
        listed = found.get("segments") if isinstance(found, dict) else None
        if not isinstance(listed, list):
            raise ManifestError("no list 'segments' in it, as WhisperX writes")
        for number, each in enumerate(listed, start=1):
            yield _segment(each, number)


def _segment(found: Any, number: int) -> Segment:
    if not isinstance(found, dict):
        raise ManifestError(f"segment {number} is no object")
    try:
        start, end = seconds(found, "start"), seconds(found, "end")
    except ManifestError as error:
        raise ManifestError(f"segment {number}: {error}") from error
    if start is None or end is None:
        raise ManifestError(f"segment {number} has no start and end")
    text, speaker = found.get("text"), found.get("speaker")
    return Segment(
        start,
        end,
        speaker if isinstance(speaker, str) else None,
        text.strip() or None if isinstance(text, str) else None,
        place=f"segment {number}",
    )
