"""Decoding: any format to 16 kHz mono float32, in windows, with a cause for each refusal."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr
from sounds import save, tone

from emobatch.errors import AudioError
from emobatch.manifests.audio import read_windows

LOSSLESS = [".wav", ".flac", ".aiff", ".au", ".caf", ".w64"]
LOSSY = [".mp3", ".ogg", ".opus", ".m4a", ".webm", ".aac"]


def decoded(file: Path, start: float | None = None, end: float | None = None) -> np.ndarray:
    windows = list(read_windows(file, start, end))
    assert all(window.dtype == np.float32 and window.ndim == 1 for window in windows)
    return np.concatenate(windows)


def loudness_contour(samples: np.ndarray) -> np.ndarray:
    return np.array([np.abs(block).mean() for block in np.array_split(samples, 10)])


@pytest.mark.parametrize("extension", LOSSLESS)
def test_lossless_formats_keep_every_sample(extension: str, tmp_path: Path) -> None:
    samples = tone(1.0)
    file = save(tmp_path / f"clip{extension}", samples)
    np.testing.assert_allclose(decoded(file), samples, atol=2 / 32768)


@pytest.mark.parametrize("extension", LOSSY)
def test_lossy_formats_are_the_same_sound(extension: str, tmp_path: Path) -> None:
    # Opus and its kin resample to 48 kHz and pad; the sound is what must come through.
    file = save(tmp_path / f"clip{extension}", tone(2.0, 48_000), 48_000)
    heard = decoded(file)
    assert len(heard) == pytest.approx(32_000, abs=2_500)
    assert np.abs(np.fft.rfft(heard)).argmax() / (len(heard) / 16_000) == pytest.approx(440, abs=2)
    np.testing.assert_allclose(loudness_contour(heard), loudness_contour(tone(2.0)), atol=0.05)


@pytest.mark.parametrize(
    "subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"]
)
def test_any_sample_type(subtype: str, tmp_path: Path) -> None:
    file = save(tmp_path / "clip.wav", tone(0.5), subtype=subtype)
    np.testing.assert_allclose(decoded(file), tone(0.5), atol=0.02)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_any_rate_is_resampled_as_soxr_does_it_at_once(rate: int, tmp_path: Path) -> None:
    samples = tone(3.0, rate)
    file = save(tmp_path / "clip.wav", samples, rate, "FLOAT")
    wanted = soxr.resample(samples, rate, 16_000)
    np.testing.assert_allclose(decoded(file), wanted, atol=1e-5)


@pytest.mark.parametrize("extension", [".wav", ".m4a"])
def test_channels_are_averaged(extension: str, tmp_path: Path) -> None:
    samples = tone(1.0, 48_000, channels=2)
    stereo = decoded(save(tmp_path / f"clip{extension}", samples, 48_000))
    wanted = loudness_contour(soxr.resample(samples.mean(axis=1), 48_000, 16_000))
    np.testing.assert_allclose(loudness_contour(stereo), wanted, atol=0.02)


def test_eight_channels(tmp_path: Path) -> None:
    samples = tone(0.5, channels=8)
    file = save(tmp_path / "clip.wav", samples, subtype="FLOAT")
    np.testing.assert_allclose(decoded(file), samples.mean(axis=1), atol=1e-6)


def test_a_wrong_extension_doesnt_matter(tmp_path: Path) -> None:
    file = save(tmp_path / "clip.m4a", tone(1.0, 48_000), 48_000)
    assert len(decoded(file.rename(tmp_path / "clip.wav"))) > 15_000


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (0.5, 1.25, 8_000, 20_000),
        (None, 0.5, 0, 8_000),
        (1.5, None, 24_000, 32_000),
        (1.5, 99, 24_000, 32_000),
    ],
)
def test_segments_of_a_lossless_file(
    start: float | None, end: float | None, first: int, last: int, tmp_path: Path
) -> None:
    file = save(tmp_path / "clip.flac", tone(2.0))
    np.testing.assert_allclose(decoded(file, start, end), tone(2.0)[first:last], atol=2 / 32768)


@pytest.mark.parametrize("extension", [".m4a", ".webm", ".mp3"])
def test_segments_of_a_lossy_file(extension: str, tmp_path: Path) -> None:
    file = save(tmp_path / f"clip{extension}", tone(10.0, 48_000), 48_000)
    whole, segment = decoded(file), decoded(file, 4.0, 6.5)
    assert len(segment) == 40_000
    # The resampler's filter sees nothing before and after a segment: its ends differ, no more.
    np.testing.assert_allclose(segment[200:-200], whole[64_200:103_800], atol=1e-4)


def test_mp3_has_no_gaps_between_blocks(tmp_path: Path) -> None:
    """As it had through libsndfile, read block by block."""
    samples = tone(10.0)
    file = save(tmp_path / "clip.mp3", samples)
    at_once = soundfile.read(file, dtype="float32")[0]
    np.testing.assert_allclose(decoded(file), at_once, atol=1e-3)


def test_long_clips_come_in_windows_of_30_seconds(tmp_path: Path) -> None:
    samples = tone(75.0)
    file = save(tmp_path / "clip.wav", samples, subtype="FLOAT")
    windows = list(read_windows(file))
    assert [len(window) for window in windows] == [480_000, 480_000, 240_000]
    np.testing.assert_array_equal(np.concatenate(windows), samples)


def test_a_remainder_too_short_to_score_is_left_out(tmp_path: Path) -> None:
    file = save(tmp_path / "clip.wav", tone(30 + 399 / 16_000))
    assert [len(window) for window in read_windows(file)] == [480_000]


def test_memory_doesnt_grow_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "long.wav"
    minute = tone(60.0, 44_100, 2)
    with soundfile.SoundFile(file, "w", 44_100, 2, "PCM_16") as sound:
        for _ in range(8):  # of 31 MB at 16 kHz
            sound.write(minute)
    tracemalloc.start()
    seconds = sum(len(window) for window in read_windows(file)) / 16_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds == pytest.approx(480)
    assert peak < 20e6, f"{peak / 1e6:.0f} MB for windows of 2 MB"


def _zoo(folder: Path) -> dict[str, Path]:
    files = {
        name: folder / f"{name}.wav" for name in ("missing", "empty", "text", "header", "json")
    }
    files["empty"].write_bytes(b"")
    files["text"].write_text("not a sound")
    files["json"].write_text('{"path": "a.wav"}')
    whole = save(folder / "whole.wav", tone(1.0)).read_bytes()
    files["header"].write_bytes(whole[:20])
    files["folder"] = folder / "folder.wav"
    files["folder"].mkdir()
    files["link"] = folder / "link.wav"
    files["link"].symlink_to("nowhere")
    files["fifo"] = folder / "fifo.wav"
    os.mkfifo(files["fifo"])
    files["nothing"] = save(folder / "nothing.wav", tone(0.0))
    files["short"] = save(folder / "short.wav", tone(24 / 16_000))
    broken = tone(1.0)
    broken[100] = np.nan
    files["nan"] = save(folder / "nan.wav", broken, subtype="FLOAT")
    broken[100] = np.inf
    files["infinite"] = save(folder / "infinite.wav", broken, subtype="FLOAT")
    files["nul"] = Path("a\0b.wav")
    return files


CAUSES = {
    "missing": "no such file",
    "empty": "empty file",
    "text": "can't be decoded",
    "json": "can't be decoded",
    "header": "can't be decoded",
    "folder": "is a folder",
    "link": "no such file",
    "fifo": "not a regular file",
    "nothing": "too short: 0 samples",
    "short": "too short: 24 samples",
    "nan": "NaN or infinite",
    "infinite": "NaN or infinite",
    "nul": "can't be decoded",
}


@pytest.mark.parametrize("name", CAUSES)
def test_a_file_that_is_no_audio_says_why(name: str, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=CAUSES[name]):
        decoded(_zoo(tmp_path)[name])


@pytest.mark.parametrize("extension", [".wav", ".m4a"])
def test_a_segment_behind_the_end_says_so(extension: str, tmp_path: Path) -> None:
    file = save(tmp_path / f"clip{extension}", tone(1.0, 48_000), 48_000)
    with pytest.raises(AudioError, match=r"begins at 5 s, where the file has ended"):
        decoded(file, 5.0, 6.0)


def test_truncated_data_is_scored_as_far_as_it_goes(tmp_path: Path) -> None:
    file = save(tmp_path / "clip.wav", tone(2.0))
    file.write_bytes(file.read_bytes()[:32_044])
    assert len(decoded(file)) == 16_000


def ramp(seconds: float) -> np.ndarray:
    """Samples of which each differs from its neighbours, exact in 16 bits."""
    return (np.arange(round(seconds * 16_000)) % 60_000 - 30_000).astype(np.int16)


@pytest.mark.parametrize("extension", [".wav", ".mka"])
@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        # 16 000.6 samples begin with the next, and 16 000.4 with this one.
        (1.0000375, None, 16_001, 48_000),
        (1.000025, None, 16_000, 48_000),
        # Either end is rounded by itself, so that neighbours share no sample and miss none.
        (1.000025, 2.00004, 16_000, 32_001),
    ],
)
def test_a_segment_is_cut_at_the_nearest_samples(
    extension: str, start: float, end: float | None, first: int, last: int, tmp_path: Path
) -> None:
    file = tmp_path / f"clip{extension}"
    if extension == ".wav":
        soundfile.write(file, ramp(3.0), 16_000)
    else:  # which libsndfile doesn't read
        in_matroska(file, ramp(3.0))
    wanted = ramp(3.0)[first:last] / np.float32(32768)
    np.testing.assert_array_equal(decoded(file, start, end), wanted)


def in_matroska(file: Path, samples: np.ndarray, title: str = "", rate: int = 16_000) -> None:
    with av.open(str(file), "w", format="matroska") as container:
        container.metadata["title"] = title
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_title_that_isnt_utf_8_is_nobodys_concern(tmp_path: Path) -> None:
    file = tmp_path / "clip.mka"
    in_matroska(file, ramp(1.0), "a title of before")
    file.write_bytes(
        file.read_bytes().replace(b"of before", b"\xfc\xe4\xf6\xdf\xff\xfe\xfc\xe4\xf6")
    )
    assert len(decoded(file)) == 16_000


@pytest.mark.parametrize("seconds", [400 / 16_000, 30 + 400 / 16_000])
def test_the_shortest_that_can_be_scored_is_scored(seconds: float, tmp_path: Path) -> None:
    file = save(tmp_path / "clip.wav", tone(seconds))
    assert [len(window) for window in read_windows(file)][-1] == 400


def test_what_ffmpeg_reads_is_of_a_rate_of_speech_too(tmp_path: Path) -> None:
    in_matroska(tmp_path / "slow.mka", ramp(1.0), rate=500)
    with pytest.raises(AudioError, match="a sample rate of 500 Hz; 1000 to 1000000 Hz are read"):
        decoded(tmp_path / "slow.mka")


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "film.mkv"), "w") as container:
        stream = container.add_stream("rawvideo", rate=1, width=16, height=16, pix_fmt="yuv420p")
        picture = av.VideoFrame.from_ndarray(np.zeros((24, 16), np.uint8), format="yuv420p")
        container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with pytest.raises(AudioError, match="no audio in this file"):
        decoded(tmp_path / "film.mkv")


def test_a_name_that_isnt_utf_8_is_read(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    file.write_bytes(save(tmp_path / "cafe.wav", tone(1.0)).read_bytes())
    assert len(decoded(file)) == 16_000


def test_a_file_that_may_not_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(file: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(AudioError, match="no permission to read"):
        list(read_windows(tmp_path / "secret.wav"))


@pytest.mark.parametrize("extension", [".wav", ".mka"])
def test_as_long_as_is_allowed_is_read(extension: str, tmp_path: Path) -> None:
    file = tmp_path / f"clip{extension}"
    if extension == ".wav":
        soundfile.write(file, ramp(2.0), 16_000)
    else:
        in_matroska(file, ramp(2.0))
    assert sum(map(len, read_windows(file, most=2.0))) == 32_000
    # What a segment's end asks for beyond the file's end is not there to be decoded.
    assert sum(map(len, read_windows(file, 1.0, 99.0, most=2.0))) == 16_000
