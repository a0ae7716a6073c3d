"""Utterances decoded by worker threads, ahead of the models and in order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from emobatch import audio
from emobatch.audio import Samples
from emobatch.errors import AudioError
from emobatch.pipeline import in_order
from emobatch.utterances import Utterance, Window

# Decoders leave Python's lock alone most of the time; more than a few starve the models of cores.
WORKERS = min(4, os.cpu_count() or 1)
# Files that are decoded ahead, and windows of each: at most 60 MB.
FILES_AHEAD = 4 * WORKERS
WINDOWS_AHEAD = 2


@dataclass
class Beginning:
    """A file decoded as far as its first windows.

    Attributes:
        utterance: whose file it is.
        rest: windows to come, decoded when they are asked for.
        windows: those that are.
        error: what went wrong meanwhile.
    """

    utterance: Utterance
    rest: Iterator[Samples]
    windows: list[Samples] = field(default_factory=list)
    error: AudioError | None = None


def decode(utterances: Iterable[Utterance]) -> Iterator[Window]:
    """Decode utterances, each once for both branches.

    Args:
        utterances: marked as decoded, or failed, on the way.

    Yields:
        Their windows in order.
    """
    for beginning in in_order(_begin, utterances, WORKERS, FILES_AHEAD):
        yield from _windows(beginning)


def _begin(utterance: Utterance) -> Beginning:
    clip = utterance.clip
    found = Beginning(utterance, rest=audio.read_windows(clip.file, clip.start, clip.end))
    try:
        for window in islice(found.rest, WINDOWS_AHEAD):
            found.windows.append(window)
    except AudioError as error:
        found.error = error
    return found


def _windows(found: Beginning) -> Iterator[Window]:
    utterance = found.utterance
    try:
        for samples in found.windows:
            utterance.windows_left += 1
            yield Window(utterance, samples)
        if found.error is not None:
            raise found.error
        for samples in found.rest:
            utterance.windows_left += 1
            yield Window(utterance, samples)
    except AudioError as error:
        utterance.fail("audio", error)
    utterance.decoded = True
