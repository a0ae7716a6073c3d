"""A clip: a file or a segment of one, that is or isn't where a row says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emobatch.errors import AudioError
from emobatch.manifests import audio
from emobatch.manifests.archives import Part
from emobatch.manifests.blocks import Samples, Sound
from emobatch.storage.address import Address, Place

# What stands in a manifest for a byte that isn't UTF-8.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True)
class Clip:
    """One row of a manifest: a file or a segment of it.

    Attributes:
        path: as the manifest has it.
        file: where that is; of one in an archive, where the archive is.
        start: seconds into the file, None for its beginning.
        end: seconds into the file, None for its end.
        transcript: authentic transcript, None where there is none.
        language: code of the transcript, None where the manifest doesn't say.
        confines: folder that the file has to be in, None where it may be anywhere.
        sound: what is heard, where that is in memory and not in a file.
        member: its name in an archive, None for a file of its own.
        part: where in the archive that is, once it is known.
        trouble: what is wrong with its path, None where nothing is.
    """

    path: str
    file: Place
    start: float | None
    end: float | None
    transcript: str | None
    language: str | None = None
    confines: Place | None = None
    sound: Sound | None = None
    member: str | None = None
    part: Part | None = None
    trouble: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether it can be read as it is: a file on this machine, or in memory."""
        at_hand = self.member is None or self.part is not None
        return self.sound is not None or (isinstance(self.file, Path) and at_hand)

    def rest(self, seconds: float) -> float:
        """How much of a file follows the clip's start.

        Args:
            seconds: of the whole file.

        Returns:
            Seconds, 0 at least.
        """
        return max(0.0, seconds - (self.start or 0.0))

    def located(self) -> Path | Part:
        """Where the file is, once it is known that it may be read.

        Returns:
            Its path, or the part of an archive that it is.

        Raises:
            AudioError: if it is outside the folder that files are confined to, or not here.
        """
        if self.trouble is not None:
            raise AudioError(self.trouble)
        if not self.is_here:
            raise AudioError("has to be fetched first")
        file = self.place()
        return file if self.part is None else self.part

    def place(self) -> Path:
        """Where the file is, or the archive that it is in.

        Returns:
            Its path. A name with bytes that aren't UTF-8 is in a manifest with a replacement
            character for each of them; the one file that looks like that is the one meant.

        Raises:
            AudioError: if it is outside the folder that files are confined to.
        """
        file, confines = self.file, self.confines
        if isinstance(file, Address):
            raise AudioError("isn't on this machine")
        if REPLACEMENT in str(file) and file.parent.is_dir():
            alike = [entry for entry in file.parent.iterdir() if _as_utf8(entry) == file.name]
            file = alike[0] if len(alike) == 1 else file
        if isinstance(confines, Path) and not file.resolve().is_relative_to(confines):
            raise AudioError(f"outside {confines}, which --confine forbids")
        return file


def read(clip: Clip, most_seconds: float) -> Iterator[Samples]:
    """Decode a clip, in this process.

    Args:
        clip: in a file here or in memory.
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
