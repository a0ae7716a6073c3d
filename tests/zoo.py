"""Audio files as they should not be, as one manifest: `python tests/zoo.py FOLDER`, then score it.

Each row has what is to come of it: `ok`, or words of its error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import soundfile
from sounds import FFMPEG_CODECS, save, tone

OK = "ok"
RATES = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)
SUBTYPES = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
FORMATS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".au", ".caf", *FFMPEG_CODECS)
Row = tuple[str, float | None, float | None, str]


def build(folder: Path, hours: float = 0.02) -> Path:
    """Write the files and their manifest; the longest of them lasts so many hours."""
    rows = [
        row
        for kind in (_sound, _broken, _no_files, _names, _segments)
        for row in kind(folder)
    ]  # fmt: skip
    rows.append(_long(folder, hours))
    manifest = folder / "manifest.csv"
    table = pl.DataFrame(rows, schema=["path", "start", "end", "expected"], orient="row")
    table = table.with_columns(id=pl.format("{}-{}", pl.int_range(pl.len()), "expected"))
    table.write_csv(manifest)
    return manifest


def _sound(folder: Path) -> Iterator[Row]:
    for rate in RATES:
        yield _row(save(folder / f"rate{rate}.wav", tone(0.5, rate), rate))
    for subtype in SUBTYPES:
        yield _row(save(folder / f"{subtype}.wav", tone(0.5), subtype=subtype))
    for extension in FORMATS:
        yield _row(save(folder / f"format{extension}", tone(0.5, 48_000), 48_000))
    for channels in (2, 6, 8):
        yield _row(save(folder / f"channels{channels}.wav", tone(0.5, channels=channels)))
    samples = {
        "zeros": np.zeros(16_000),
        "quiet": tone(1.0) * 1e-4,
        "constant": np.full(16_000, 0.5),
        "clipped": np.sign(np.random.default_rng(0).normal(size=16_000)),
        "loud": 40 * tone(1.0),
    }
    for name, wave in samples.items():
        yield _row(save(folder / f"{name}.wav", wave.astype("f4"), subtype="FLOAT"))
    for name, value in {"nan": np.nan, "infinite": np.inf}.items():
        wave = tone(1.0)
        wave[5_000] = value
        yield _row(save(folder / f"{name}.wav", wave, subtype="FLOAT"), "NaN or infinite")


def _broken(folder: Path) -> Iterator[Row]:
    whole = save(folder / "whole.wav", tone(1.0)).read_bytes()
    flac = save(folder / "whole.flac", tone(1.0)).read_bytes()
    mp3 = save(folder / "whole.mp3", tone(1.0)).read_bytes()
    contents = {
        "empty.wav": (b"", "empty file"),
        "header_only.wav": (whole[:44], "too short"),
        "header_half.wav": (whole[:20], "can't be decoded"),
        "data_half.wav": (whole[: len(whole) // 2], OK),
        "data_odd.wav": (whole[:-1], OK),
        "data_half.flac": (flac[: len(flac) // 2], None),
        "data_half.mp3": (mp3[: len(mp3) // 2], OK),
        "text.wav": (b"this is not a sound\n" * 50, "can't be decoded"),
        "json.wav": (b'{"path": "a.wav"}', "can't be decoded"),
        "image.wav": (b"\x89PNG\r\n\x1a\n" + bytes(200), "isn't read"),
        "zeros_not_riff.wav": (bytes(4_000), "can't be decoded"),
        "wrong_extension.mp3": (whole, OK),
        "no_extension": (whole, OK),
        "wrong_extension.raw": (whole, OK),
    }
    for name, (content, expected) in contents.items():
        (folder / name).write_bytes(content)
        yield name, None, None, expected or "any"
    for count in (0, 1, 24, 399):
        yield _row(save(folder / f"samples{count}.wav", tone(1.0)[:count]), "too short")
    yield _row(save(folder / "samples400.wav", tone(1.0)[:400]))


def _no_files(folder: Path) -> Iterator[Row]:
    (folder / "folder.wav").mkdir()
    (folder / "dangling.wav").symlink_to(folder / "nowhere.wav")
    (folder / "circle.wav").symlink_to(folder / "circle.wav")
    (folder / "good_link.wav").symlink_to(folder / "whole.wav")
    os.mkfifo(folder / "fifo.wav")
    yield "folder.wav", None, None, "is a folder"
    yield "dangling.wav", None, None, "no such file"
    yield "circle.wav", None, None, "audio: "
    yield "good_link.wav", None, None, OK
    yield "fifo.wav", None, None, "not a regular file"
    yield "/dev/zero", None, None, "not a regular file"
    yield "missing.wav", None, None, "no such file"
    yield "missing/folder.wav", None, None, "no such file"
    yield "x" * 300 + ".wav", None, None, "audio: "
    if os.geteuid() != 0:  # whom nothing is forbidden
        locked = save(folder / "locked.wav", tone(0.5))
        locked.chmod(0)
        yield _row(locked, "no permission")


def _names(folder: Path) -> Iterator[Row]:
    plain = (
        "two words",
        "#hash",
        "%41",
        " lead",
        "-dash",
        "=sum",
        "[glob]*",
        "back\\slash",
        "tab\t",
    )
    quoted = ("comma,", 'quo"te', "apo'strophe", "new\nline")
    names = (*plain, *quoted, "smile 😀", "ünïcode", "e\u0301")
    for name in names:
        yield _row(save(folder / f"{name}.wav", tone(0.5)))
    odd = os.fsencode(folder) + b"/latin\xe9.wav"
    Path(os.fsdecode(odd)).write_bytes((folder / "whole.wav").read_bytes())
    yield "latin\N{REPLACEMENT CHARACTER}.wav", None, None, OK


def _segments(folder: Path) -> Iterator[Row]:
    yield "whole.wav", 0.2, 0.8, OK
    yield "whole.mp3", 0.2, 0.8, OK
    yield "whole.wav", 0.5, 99.0, OK
    yield "whole.wav", 5.0, 6.0, "where the file has ended"
    yield "whole.mp3", 5.0, 6.0, "where the file has ended"
    yield "whole.wav", 0.5, 0.51, "too short"
    yield "whole.wav", 1e12, None, "where the file has ended"


def _long(folder: Path, hours: float) -> Row:
    with soundfile.SoundFile(folder / "long.flac", "w", 16_000, 1) as file:
        for _ in range(round(hours * 60)):
            file.write(tone(60.0))
    return "long.flac", None, None, OK


def _row(file: Path, expected: str = OK) -> Row:
    return file.name, None, None, expected


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{build(target, hours=float(sys.argv[2]) if sys.argv[2:] else 6)}\n")
