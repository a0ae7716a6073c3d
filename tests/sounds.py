"""Audio files in many formats, for tests."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile

# Extension to codec, for formats that libsndfile doesn't write.
FFMPEG_CODECS = {".m4a": "aac", ".webm": "libopus", ".aac": "aac"}


def tone(seconds: float, rate: int = 16_000, channels: int = 1, hertz: float = 440) -> np.ndarray:
    """A swelling sine, (samples,) or (samples, channels) float32; channels differ in loudness."""
    time = np.arange(round(seconds * rate)) / rate
    wave = (0.5 * np.sin(2 * np.pi * hertz * time) * np.linspace(0.2, 1, len(time))).astype("f4")
    return wave if channels == 1 else wave[:, None] / np.arange(1, channels + 1, dtype="f4")


def save(file: Path, samples: np.ndarray, rate: int = 16_000, subtype: str | None = None) -> Path:
    """Write samples in the format that the extension names."""
    if file.suffix == ".opus":
        soundfile.write(file, samples, rate, format="OGG", subtype="OPUS")
    elif file.suffix in FFMPEG_CODECS:
        _save_with_ffmpeg(file, samples, rate)
    else:
        soundfile.write(file, samples, rate, subtype=subtype)
    return file


def _save_with_ffmpeg(file: Path, samples: np.ndarray, rate: int) -> None:
    planes = np.ascontiguousarray(np.atleast_2d(samples.T), dtype=np.float32)
    layout = "mono" if len(planes) == 1 else "stereo"
    with av.open(str(file), "w") as container:
        stream = container.add_stream(FFMPEG_CODECS[file.suffix], rate=rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = rate
        fifo = av.AudioFifo()
        fifo.write(frame)
        size = stream.codec_context.frame_size or 1024
        while (piece := fifo.read(size, partial=True)) is not None:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
