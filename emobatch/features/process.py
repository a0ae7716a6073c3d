"""Any function over any audio: decoded ahead and in order, and what fails costs its own clip."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from emobatch.manifests.blocks import Samples
from emobatch.manifests.decoders import PATIENCE, Decoders
from emobatch.models.names import MOST_SECONDS
from emobatch.scoring.decoding import decode
from emobatch.scoring.utterances import Utterance

Found = TypeVar("Found")
STAGE = "features"


def process(
    utterances: Iterable[Utterance],
    function: Callable[[Samples], Found],
    *,
    most_seconds: float = MOST_SECONDS,
    time_limit: float = PATIENCE,
    decoders: Decoders | None = None,
) -> Iterator[tuple[Utterance, Found | None]]:
    """Apply a function to each clip's samples.

    Args:
        utterances: clips.
        function: given (samples,) float32, mono, 16 kHz: all of a clip.
        most_seconds: of audio that may be decoded of a clip.
        time_limit: seconds to wait for more of a file.
        decoders: processes that decode, None to decode in this one.

    Yields:
        Each clip in order, with what the function gave; None where it could not be read or the
        function failed, and then its ``error`` says why.

    Examples:
        >>> from pathlib import Path
        >>> from emobatch.manifests.blocks import Sound
        >>> from emobatch.manifests.clip import Clip
        >>> sound = Sound(np.full(16_000, 0.5, np.float32), 16_000)
        >>> clip = Clip("a", Path("a"), None, None, None, sound=sound)
        >>> [(_, loudness)] = process([Utterance(clip, "a")], lambda samples: samples.max())
        >>> float(loudness)
        0.5
    """
    waiting: deque[tuple[Utterance, list[Samples]]] = deque()

    def ordered() -> Iterator[Utterance]:
        for utterance in utterances:
            waiting.append((utterance, []))
            yield utterance

    for window in decode(ordered(), time_limit, most_seconds, decoders):
        # Clips come one after the other: those before this one are through.
        while waiting[0][0] is not window.utterance:
            yield _applied(*waiting.popleft(), function)
        waiting[0][1].append(window.samples)
    while waiting:
        yield _applied(*waiting.popleft(), function)


def _applied(
    utterance: Utterance, windows: list[Samples], function: Callable[[Samples], Found]
) -> tuple[Utterance, Found | None]:
    if utterance.error is not None:
        return utterance, None
    try:
        return utterance, function(np.concatenate(windows))
    except Exception as error:  # whatever a library makes of odd samples
        utterance.fail(STAGE, error)
        return utterance, None
