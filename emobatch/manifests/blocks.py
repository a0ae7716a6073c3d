"""What is heard, in blocks of mono samples as it is read: of a file, or of an array.

Files that libsndfile can't read go through FFmpeg.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from emobatch.errors import AudioError
from emobatch.manifests import containers
from emobatch.manifests.archives import Part

Samples = NDArray[np.float32]

BLOCK_FRAMES = 1 << 16
# What audio of speech has, with room to spare.
LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000
MOST_CHANNELS = 64
# A header that doesn't know its file's length has libsndfile say more than that.
MOST_FRAMES = 1 << 60


@dataclass(frozen=True)
class Sound:
    """Samples that are in memory.

    Attributes:
        samples: (samples,) or (samples, channels), full scale ±1; integers by their own scale.
        rate: in Hz.
    """

    samples: NDArray[Any]
    rate: int


def of_array(sound: Sound, most: float) -> Iterator[tuple[int, Samples]]:
    """Cut samples that are in memory into blocks.

    Args:
        sound: the samples.
        most: seconds that there may be.

    Yields:
        The rate in Hz, and (samples,) float32, mono.

    Raises:
        AudioError: if they are of an odd shape, or too many.
    """
    samples = sound.samples
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "fi":
        raise AudioError(
            f"an array of shape {samples.shape} of {samples.dtype}; give (samples,) or "
            "(samples, channels) of float32, full scale ±1, or of int16 or int32"
        )
    samples = samples[:, None] if samples.ndim == 1 else samples
    _check_shape(sound.rate, samples.shape[1])
    _check_length(len(samples), sound.rate, most)
    for first in range(0, len(samples), BLOCK_FRAMES):
        block = samples[first : first + BLOCK_FRAMES]
        if block.dtype.kind == "i":
            block = block / np.float32(-float(np.iinfo(block.dtype).min))
        yield sound.rate, block.astype(np.float32).mean(axis=1)


def sound_file(file: Path | Part) -> soundfile.SoundFile:
    """Open a file with libsndfile.

    Args:
        file: an audio file, or part of an archive.

    Returns:
        The file.

    Raises:
        soundfile.SoundFileError: if it can't be read that way.
        TypeError: if its name is one that soundfile takes for headerless samples.
    """
    # Bytes: not every name is UTF-8.
    return soundfile.SoundFile(file.open() if isinstance(file, Part) else os.fsencode(file))


def opened(file: Path | Part) -> BufferedReader:
    """Open a file.

    Args:
        file: any, or part of an archive.

    Returns:
        The file, at its beginning.
    """
    return file.open() if isinstance(file, Part) else file.open("rb")


def of_file(
    file: Path | Part, start: float, end: float | None, most: float
) -> Iterator[tuple[int, Samples]]:
    """Decode a file, or a segment of it.

    Args:
        file: an audio file, or part of an archive.
        start: seconds into it at which the segment begins.
        end: seconds into it at which the segment ends, None for the file's end.
        most: seconds that may be decoded.

    Yields:
        The rate in Hz, and (samples,) float32, mono.

    Raises:
        AudioError: if there is no audio in it, of an odd shape, or too much.
    """
    try:
        sound = sound_file(file)
    except (soundfile.SoundFileError, TypeError):
        yield from _decode_with_ffmpeg(file, start, end, most)
        return
    with sound:
        if sound.subtype.startswith("MPEG") or sound.frames > MOST_FRAMES:
            # soundfile seeks after each block, and libsndfile then loses the bits that an MPEG
            # frame has in the frames before it: audible gaps at each block's beginning. In a
            # stream whose header doesn't know how long it is it can't seek at all.
            yield from _decode_with_ffmpeg(file, start, end, most)
            return
        _check_shape(sound.samplerate, sound.channels)
        first = min(round(start * sound.samplerate), sound.frames)
        sound.seek(first)
        there = sound.frames - first
        wanted = there if end is None else min(there, round(end * sound.samplerate) - first)
        _check_length(wanted, sound.samplerate, most)  # before hours of it are scored
        while wanted > 0:
            block = sound.read(min(wanted, BLOCK_FRAMES), dtype="float32", always_2d=True)
            if not len(block):
                return
            wanted -= len(block)
            yield sound.samplerate, block.mean(axis=1)


def _check_shape(rate: int, channels: int) -> None:
    # A header may say anything. Of a rate of 1 Hz a small file would become hours of samples.
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise AudioError(
            f"a sample rate of {rate} Hz; {LOWEST_RATE} to {HIGHEST_RATE} Hz are read, so mend the "
            "file's header"
        )
    if channels > MOST_CHANNELS:
        raise AudioError(f"{channels} channels; mix it down to {MOST_CHANNELS} at most")


def _check_length(frames: int, rate: int, most: float) -> None:
    if frames > most * rate:
        raise AudioError(
            f"longer than {most:g} s, which --max-seconds allows; cut it, or allow more"
        )


def _decode_with_ffmpeg(
    file: Path | Part, start: float, end: float | None, most: float
) -> Iterator[tuple[int, Samples]]:
    # A segment is cut out of the file decoded from its beginning: after a seek, timestamps and
    # the first samples depend on the format, and a segment would not be the file's own samples.
    with opened(file) as handle, containers.opened(handle) as container:
        if not container.streams.audio:
            raise AudioError("no audio in this file")
        stream = container.streams.audio[0]
        stream.codec_context.options = containers.CODEC_OPTIONS
        _check_shape(stream.rate, stream.channels)
        to_float = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        position = 0
        for frame in container.decode(stream):
            for piece in to_float.resample(frame):
                block = piece.to_ndarray().mean(axis=0, dtype=np.float32)
                low = max(0, round(start * piece.sample_rate) - position)
                high = None if end is None else round(end * piece.sample_rate) - position
                if high is not None and high <= 0:
                    return
                position += len(block)
                _check_length(position, piece.sample_rate, most)
                yield piece.sample_rate, block[low:high]
