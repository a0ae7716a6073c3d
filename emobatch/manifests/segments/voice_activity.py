"""Where in a recording somebody speaks: Silero's voice activity detection.

faster-whisper brings it along. Goes through a file by blocks of ten minutes, so that one of any
length takes no more memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.blocks import Samples

# Windows of 30 s that are looked at together.
BLOCK_WINDOWS = 20
LONGEST = 30.0
# A pause of as long ends an utterance; of as much around it is kept. In milliseconds.
PAUSE, MARGIN, SHORTEST = 500, 200, 250
# What ends so near to a block's end, in samples, may go on in the next one.
NEAR_END = SAMPLE_RATE


def utterances(decoded: Iterable[Samples]) -> Iterator[tuple[float, float]]:
    """Find what is spoken in a recording.

    Args:
        decoded: its windows, (samples,) float32, mono, 16 kHz, each but the last of 30 s.

    Yields:
        Start and end of each utterance in seconds, at most 30 s of it.

    Raises:
        AudioError: if it can't be decoded.
    """
    held: list[Samples] = []
    start = 0  # of what is held, in samples into the file
    windows = iter(decoded)
    while True:
        block = [*islice(windows, BLOCK_WINDOWS)]
        if not block and not held:
            return
        samples = np.concatenate([*held, *block])
        found = _speech(samples)
        is_last = len(block) < BLOCK_WINDOWS
        kept = len(samples)
        if not is_last and found and len(samples) - found[-1][1] < NEAR_END and found[-1][0] > 0:
            kept = found.pop()[0]
        for begins, ends in found:
            first, last = (start + begins) / SAMPLE_RATE, (start + ends) / SAMPLE_RATE
            yield round(first, 3), round(min(last, first + LONGEST), 3)
        if is_last:
            return
        held, start = [samples[kept:]], start + kept


def _speech(samples: Samples) -> list[tuple[int, int]]:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        max_speech_duration_s=LONGEST,
        min_silence_duration_ms=PAUSE,
        min_speech_duration_ms=SHORTEST,
        speech_pad_ms=MARGIN,
    )
    found = get_speech_timestamps(samples, options)
    return [(int(each["start"]), int(each["end"])) for each in found]
