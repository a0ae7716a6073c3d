"""A clip: a file or a segment of one, that is or isn't where a row says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emobatch.errors import AudioError
from emobatch.manifests import audio
from emobatch.manifests.blocks import Samples, Sound

# What stands in a manifest for a byte that isn't UTF-8.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of a manifest: a file or a segment of it.

    Attributes:
        path: as the manifest has it.
        file: where that is.
        start: seconds into the file, None for its beginning.
        end: seconds into the file, None for its end.
        transcript: authentic transcript, None where there is none.
        language: code of the transcript, None where the manifest doesn't say.
        confines: folder that the file has to be in, None where it may be anywhere.
        sound: what is heard, where that is in memory and not in a file.
    """

    path: str
    file: Path
    start: float | None
    end: float | None
    transcript: str | None
    language: str | None = None
    confines: Path | None = None
    sound: Sound | None = None

    def located(self) -> Path:
        """Where the file is, once it is known that it may be read.

        Returns:
            Its path. A name with bytes that aren't UTF-8 is in a manifest with a replacement
            character for each of them; the one file that looks like that is the one meant.

        Raises:
            AudioError: if it is outside the folder that files are confined to.
        """
        file = self.file
        if REPLACEMENT in str(file) and file.parent.is_dir():
            alike = [entry for entry in file.parent.iterdir() if _as_utf8(entry) == file.name]
            file = alike[0] if len(alike) == 1 else file
        if self.confines is not None and not file.resolve().is_relative_to(self.confines):
            raise AudioError(f"outside {self.confines}, which --confine forbids")
        return file


def read(clip: Clip, most_seconds: float) -> Iterator[Samples]:
    """Decode a clip, in this process.

    Args:
        clip: in a file or in memory.
        most_seconds: of audio that may be decoded of it.

    Returns:
        Its windows: (samples,) float32, 16 kHz, mono.

    Raises:
        AudioError: if it can't be read.
    """
    if clip.sound is not None:
        return audio.read_samples(clip.sound, most_seconds)
    return audio.read_windows(clip.located(), clip.start, clip.end, most_seconds)


def _as_utf8(file: Path) -> str:
    return os.fsencode(file.name).decode("utf-8", "replace")
