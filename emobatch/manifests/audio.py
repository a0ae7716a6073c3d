"""Audio files to samples: any format, rate and number of channels to 16 kHz mono float32.

A file is decoded and resampled in blocks and handed on in windows, so that one of six hours takes
no more memory than one of half a minute.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import av
import numpy as np
import soundfile
import soxr

from emobatch.errors import AudioError
from emobatch.manifests import blocks, containers
from emobatch.manifests.archives import Part
from emobatch.manifests.blocks import MOST_FRAMES, Samples, Sound

SAMPLE_RATE = 16_000
WINDOW_SECONDS = 30
# One frame of a wav2vec2-family model: its convolutions see 400 samples (25 ms) at a time.
FEWEST_SAMPLES = 400


def read_windows(
    file: Path | Part, start: float | None = None, end: float | None = None, most: float = math.inf
) -> Iterator[Samples]:
    """Decode a file, or a segment of it, window by window.

    Args:
        file: an audio file of any format that libsndfile or FFmpeg reads, or part of an archive.
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
    with explained():
        _check_file(file)
        decoded = blocks.of_file(file, start or 0.0, end, most)
        yield from _checked(_windows(_resampled(decoded)), start)


def read_samples(sound: Sound, most: float = math.inf) -> Iterator[Samples]:
    """Cut samples that are in memory into windows, as those of a file are.

    Args:
        sound: the samples.
        most: seconds that there may be.

    Yields:
        What :func:`read_windows` gives of a file of float32 with these samples.

    Raises:
        AudioError: if they are too few, too many, NaN or infinite, or of an odd shape.

    Examples:
        >>> [window] = read_samples(Sound(np.zeros(8_000, np.float32), 8_000))
        >>> window.shape, window.dtype
        ((16000,), dtype('float32'))
    """
    with explained():
        yield from _checked(_windows(_resampled(blocks.of_array(sound, most))), None)


def _checked(windows: Iterable[Samples], start: float | None) -> Iterator[Samples]:
    seen = 0
    for window in windows:
        seen += len(window)
        if not np.isfinite(window).all():
            raise AudioError("NaN or infinite samples")
        if len(window) >= FEWEST_SAMPLES:
            yield window
    if seen == 0 and start:
        raise AudioError(f"the segment begins at {start:g} s, where the file has ended")
    if seen < FEWEST_SAMPLES:
        raise AudioError(f"too short: {seen} samples at 16 kHz, {FEWEST_SAMPLES} are needed")


def length(file: Path | Part) -> float:
    """Read how long a file is, by its header: what is decoded of it may differ.

    Args:
        file: an audio file, or part of an archive.

    Returns:
        Seconds.

    Raises:
        AudioError: if the file is missing or broken, or doesn't say.
    """
    with explained():
        _check_file(file)
        try:
            with blocks.sound_file(file) as sound:
                if sound.frames <= MOST_FRAMES:
                    return float(sound.frames / sound.samplerate)
        except (soundfile.SoundFileError, TypeError):
            pass  # FFmpeg may know
        with blocks.opened(file) as handle, containers.opened(handle) as container:
            if container.duration is None:
                raise AudioError("its header doesn't say how long it is")
            return float(container.duration / av.time_base)


def _check_file(file: Path | Part) -> None:
    if isinstance(file, Part):
        if not file.size:
            raise AudioError("empty file")
        file = file.file
    mode = file.stat()
    if S_ISDIR(mode.st_mode):
        raise AudioError("is a folder")
    if not S_ISREG(mode.st_mode):
        # Opening a pipe would wait for a writer that may never come.
        raise AudioError("is not a regular file")
    if mode.st_size == 0:
        raise AudioError("empty file")


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
def explained() -> Iterator[None]:
    """Say what is wrong with a file in place of what libraries and the system say.

    Yields:
        Nothing.

    Raises:
        AudioError: in place of their errors.
    """
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
