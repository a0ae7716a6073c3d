"""Decoders of audio: each is given a file that was encoded a moment ago."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from emobatch.errors import AudioError, ExaminationError
from emobatch.manifests.audio import SAMPLE_RATE
from emobatch.manifests.clip import Clip
from emobatch.manifests.decoders import Decoders
from emobatch.manifests.orders import CONVERT, windows

RATE = 44_100
HERTZ = 440.0
# Codecs pad, and cut off, some milliseconds.
SECONDS, LEEWAY = 1.0, 0.1
# By libsndfile, and by FFmpeg with its codec.
SOUNDFILE_FORMATS = ("wav", "flac", "ogg", "mp3")
FFMPEG_FORMATS = {"m4a": "aac"}


def decode_all() -> str:
    """Whether files of the usual formats come out as they went in."""
    decoded, wrong = [], []
    with Decoders(1) as decoders:  # so that one that crashes is a finding, too
        for name in (*SOUNDFILE_FORMATS, *FFMPEG_FORMATS):
            try:
                _decode(name, decoders)
                decoded.append(name)
            except (AudioError, OSError, ValueError, RuntimeError) as error:
                # That is what to do about a file; here a library is at fault.
                wrong.append(f"{name}: {str(error).removesuffix(CONVERT)}")
    if wrong:
        raise ExaminationError(
            f"{'; '.join(wrong)}; reinstall the decoders: "
            "pip install --force-reinstall soundfile av soxr"
        )
    return f"{', '.join(decoded)} decoded"


def _decode(name: str, decoders: Decoders) -> None:
    time = np.arange(round(SECONDS * RATE)) / RATE
    wave = (0.5 * np.sin(2 * np.pi * HERTZ * time)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"tone.{name}"
        if name in FFMPEG_FORMATS:
            _encode_with_ffmpeg(file, wave, FFMPEG_FORMATS[name])
        else:
            soundfile.write(file, wave, RATE)
        clip = Clip(file.name, file, None, None, None)
        samples = np.concatenate([*windows(decoders, clip)])
    loudest = np.abs(np.fft.rfft(samples)).argmax() * SAMPLE_RATE / len(samples)
    if abs(len(samples) / SAMPLE_RATE - SECONDS) > LEEWAY or abs(loudest - HERTZ) > 1 / LEEWAY:
        raise AudioError("decoded to another sound than was encoded")


def _encode_with_ffmpeg(file: Path, wave: NDArray[np.float32], codec: str) -> None:
    with av.open(str(file), "w") as container:
        stream: Any = container.add_stream(codec, rate=RATE, layout="mono")
        fifo = av.AudioFifo()
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = RATE
        fifo.write(frame)
        while (piece := fifo.read(stream.codec_context.frame_size, partial=True)) is not None:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
