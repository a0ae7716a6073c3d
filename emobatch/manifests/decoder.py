"""What a process does that decodes files, and imports for it: none of the models' libraries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol, TypeVar

import numpy as np

from emobatch.errors import AudioError
from emobatch.manifests import audio
from emobatch.manifests.blocks import Samples
from emobatch.manifests.clip import Clip, read

Found = TypeVar("Found")

# Ends what is found; nothing that is found is as short.
END = b""
# Headers that are asked for at a time: a network's delay is waited for by all of them at once.
HEADERS_AT_ONCE = 32


class Task(Protocol[Found]):
    """What a decoder is asked to do; pickled for it."""

    def run(self) -> Iterator[Found]:
        """Do it, in this process.

        Returns:
            What is found, in order.
        """
        ...

    def packed(self, found: Found) -> bytes:
        """Make bytes of what is found."""
        ...

    def unpacked(self, content: bytes) -> Found:
        """Take what is found out of bytes."""
        ...


@dataclass(frozen=True)
class Decode:
    """Decode a clip: gives what :func:`emobatch.manifests.clip.read` does.

    Attributes:
        clip: of a file here.
        most_seconds: of audio that may be decoded of it.
    """

    clip: Clip
    most_seconds: float

    def __str__(self) -> str:
        """Name the file."""
        return self.clip.path

    def run(self) -> Iterator[Samples]:
        """Decode it."""
        return read(self.clip, self.most_seconds)

    def packed(self, found: Samples) -> bytes:
        """Make bytes of a window."""
        return found.tobytes()

    def unpacked(self, content: bytes) -> Samples:
        """Make a window of bytes."""
        return np.frombuffer(content, np.float32).copy()  # to be written to, as any other


@dataclass(frozen=True)
class Measure:
    """Read by their headers how long files are: gives seconds, or why one can't be read.

    Attributes:
        clips: of files here.
    """

    clips: tuple[Clip, ...]

    def __str__(self) -> str:
        """Name the files."""
        return f"headers of {len(self.clips)} files"

    def run(self) -> Iterator[float | str]:
        """Read the headers, side by side."""
        if len(self.clips) == 1:
            yield _seconds(self.clips[0])
            return
        with ThreadPoolExecutor(min(HEADERS_AT_ONCE, len(self.clips))) as pool:
            yield from pool.map(_seconds, self.clips)

    def packed(self, found: float | str) -> bytes:
        """Make bytes of seconds, or of a cause."""
        return json.dumps(found).encode()

    def unpacked(self, content: bytes) -> float | str:
        """Make seconds, or a cause, of bytes."""
        found: float | str = json.loads(content)
        return found


def serve(line: Connection) -> None:
    """Do what is asked, one thing after the other.

    Args:
        line: gives tasks, and takes what is found as bytes; then :data:`END`, and what went
            wrong, None where nothing did.
    """
    line.send(None)  # ready
    while True:
        task = line.recv()
        cause = None
        try:
            for found in task.run():
                line.send_bytes(task.packed(found))
        except (BrokenPipeError, ConnectionError):
            raise
        except Exception as error:
            cause = _said(error)
        line.send_bytes(END)
        line.send(cause)


def _seconds(clip: Clip) -> float | str:
    try:
        return audio.length(clip.located())
    except Exception as error:  # whatever a library raises
        return str(_said(error))


def _said(error: Exception) -> AudioError:
    # Whatever a library raises may not be one that can be sent.
    if isinstance(error, AudioError):
        return error
    return AudioError(" ".join(str(error).split()) or type(error).__name__)
