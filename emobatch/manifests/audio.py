"""Audio files to samples: any format, rate and number of channels to 16 kHz mono float32.

A file is decoded and resampled in blocks and handed on in windows, so that one of six hours takes
no more memory than one of half a minute. Files that libsndfile can't read go through FFmpeg.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from emobatch.errors import AudioError
from emobatch.manifests import containers

Samples = NDArray[np.float32]

SAMPLE_RATE = 16_000
WINDOW_SECONDS = 30
BLOCK_FRAMES = 1 << 16
# What audio of speech has, with room to spare.
LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000
MOST_CHANNELS = 64
# One frame of a wav2vec2-family model: its convolutions see 400 samples (25 ms) at a time.
FEWEST_SAMPLES = 400
# A header that doesn't know its file's length has libsndfile say more than that.
MOST_FRAMES = 1 << 60


def read_windows(
    file: Path, start: float | None = None, end: float | None = None, most: float = math.inf
) -> Iterator[Samples]:
    """Decode a file, or a segment of it, window by window.

    Args:
        file: an audio file of any format that libsndfile or FFmpeg reads.
        start: seconds into the file at which the segment begins.
        end: seconds into the file at which it ends; what the file lacks of it is left out.
        most: seconds that may be decoded. What precedes a segment counts where it has to be
            decoded as well, which is so in files that FFmpeg reads.

    Yields:
        (samples,) float32, mono, 16 kHz, full scale ±1: windows of 30 s, the last one shorter.
        A remainder of under 25 ms after a full window is left out.

    Raises:
        AudioError: if the file is missing, broken, too short or too long, or holds NaN or infinite
            samples.

    Examples:
        >>> for window in read_windows(Path("clip.flac"), start=1.5):  # doctest: +SKIP
        ...     print(len(window) / SAMPLE_RATE)
    """
    seen = 0
    with _explained():
        _check_file(file)
        for window in _windows(_resampled(_decode(file, start or 0.0, end, most))):
            seen += len(window)
            if not np.isfinite(window).all():
                raise AudioError("NaN or infinite samples")
            if len(window) >= FEWEST_SAMPLES:
                yield window
    if seen == 0 and start:
        raise AudioError(f"the segment begins at {start:g} s, where the file has ended")
    if seen < FEWEST_SAMPLES:
        raise AudioError(f"too short: {seen} samples at 16 kHz, {FEWEST_SAMPLES} are needed")


def length(file: Path) -> float:
    """Read how long a file is, by its header: what is decoded of it may differ.

    Args:
        file: an audio file.

    Returns:
        Seconds.

    Raises:
        AudioError: if the file is missing or broken, or doesn't say.
    """
    with _explained():
        _check_file(file)
        try:
            with soundfile.SoundFile(os.fsencode(file)) as sound:
                if sound.frames <= MOST_FRAMES:
                    return float(sound.frames / sound.samplerate)
        except (soundfile.SoundFileError, TypeError):
            pass  # FFmpeg may know
        with file.open("rb") as handle, containers.opened(handle) as container:
            if container.duration is None:
                raise AudioError("its header doesn't say how long it is")
            return float(container.duration / av.time_base)


def _check_file(file: Path) -> None:
    mode = file.stat()
    if S_ISDIR(mode.st_mode):
        raise AudioError("is a folder")
    if not S_ISREG(mode.st_mode):
        # Opening a pipe would wait for a writer that may never come.
        raise AudioError("is not a regular file")
    if mode.st_size == 0:
        raise AudioError("empty file")


def _decode(
    file: Path, start: float, end: float | None, most: float
) -> Iterator[tuple[int, Samples]]:
    # Blocks of mono samples with their rate in Hz.
    try:
        sound = soundfile.SoundFile(os.fsencode(file))  # bytes: not every name is UTF-8
    except (soundfile.SoundFileError, TypeError):
        # TypeError: a name that soundfile takes for headerless samples.
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
    file: Path, start: float, end: float | None, most: float
) -> Iterator[tuple[int, Samples]]:
    # A segment is cut out of the file decoded from its beginning: after a seek, timestamps and
    # the first samples depend on the format, and a segment would not be the file's own samples.
    with file.open("rb") as handle, containers.opened(handle) as container:
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


def _resampled(blocks: Iterable[tuple[int, Samples]]) -> Iterator[Samples]:
    stream: soxr.ResampleStream | None = None
    for rate, block in blocks:
        if rate == SAMPLE_RATE:
            yield block
            continue
        if stream is None:
            stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        yield stream.resample_chunk(np.ascontiguousarray(block))
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _windows(blocks: Iterable[Samples]) -> Iterator[Samples]:
    size = WINDOW_SECONDS * SAMPLE_RATE
    waiting: list[Samples] = []
    count = 0
    for block in blocks:
        waiting.append(block)
        count += len(block)
        while count >= size:
            joined = np.concatenate(waiting)
            yield joined[:size]
            waiting, count = [joined[size:]], count - size
    if count:
        yield np.concatenate(waiting)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise AudioError("no such file") from error
    except PermissionError as error:
        raise AudioError("no permission to read") from error
    except (OSError, ValueError, ArithmeticError, soundfile.SoundFileError) as error:
        # FFmpeg's errors are OSError or ValueError; so is a NUL byte in a name.
        cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise AudioError(f"can't be decoded: {cause.strip().rstrip('.')}") from error
