"""NeMo: JSON Lines with ``audio_filepath``, ``duration``, ``offset``, ``text`` and ``label``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emobatch.manifests.readers.json_rows import JsonReader, ended, others, seconds, text

# What stands for no text in manifests of diarisation and of speakers.
NO_TEXT = ("-", "_")


class NemoReader(JsonReader):
    """Reads NeMo's manifests.

    A row with an offset is a segment that ends after its duration. A row without one is the whole
    file, as long as its duration says.
    """

    marks = ("audio_filepath",)
    path_key = "audio_filepath"

    def rows(self, found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Make a row of one object.

        Args:
            found: the object of a line.

        Yields:
            Values by column.

        Raises:
            ManifestError: if it has no path, or times that are no numbers.
        """
        start, duration = seconds(found, "offset"), seconds(found, "duration")
        row = {
            "path": text(found, "audio_filepath"),
            "start": start,
            "end": ended(start, duration) if start is not None else None,
        }
        if "text" in found:
            row["transcript"] = None if found["text"] in NO_TEXT else found["text"]
        yield {**row, **others(found, {"audio_filepath", "offset", "text"}, row)}
