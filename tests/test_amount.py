"""How much audio a manifest has, said before anything slow begins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import crashing
import pytest
from sounds import save, tone

from emobatch.manifests import audio, manifest
from emobatch.manifests.amount import Amount, amount
from emobatch.manifests.decoders import Decoders

Of = Callable[..., Amount]
DECODERS = True


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    with Decoders(1, crashing.ENTRY) as decoders:
        yield decoders


@pytest.fixture
def of(decoders: Decoders, tmp_path: Path) -> Of:
    """How much audio a manifest of this text has."""

    def found(text: str, **options: float) -> Amount:
        (tmp_path / "m.csv").write_text(text)
        return amount(manifest.read(str(tmp_path / "m.csv")), decoders, **options)  # type: ignore[arg-type]

    return found


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "mp3", "m4a", "webm"])
def test_headers_say_how_long_files_are(tmp_path: Path, extension: str) -> None:
    rate = 48_000 if extension == "webm" else 16_000
    save(tmp_path / f"a.{extension}", tone(1.5, rate=rate), rate)
    assert audio.length(tmp_path / f"a.{extension}") == pytest.approx(1.5, abs=0.1)


def test_every_file_of_a_short_manifest_counts(of: Of, tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.wav", tone(1.0 + number))
    found = of("path,start\n0.wav,\n1.wav,0.5\n2.wav,\n")
    assert (found.seconds, found.measured, found.is_exact) == (5.5, 3, True)
    assert str(found) == "3 rows, 5.5 s of audio"


def test_of_many_files_some_are_looked_at(of: Of, tmp_path: Path) -> None:
    for number in range(10):
        save(tmp_path / f"{number}.wav", tone(1.0 if number % 2 else 2.0))
    text = "path,id\n" + "".join(f"{number % 10}.wav,{number}\n" for number in range(1000))
    found = of(text, most_files=111)
    assert found.measured == 111 and not found.is_exact
    assert found.seconds == pytest.approx(1500, rel=0.02)
    assert str(found) == "1000 rows, about 25 min of audio (by the headers of 111 files)"


def test_segments_need_no_file(of: Of, tmp_path: Path) -> None:
    found = of("path,start,end\nnone.wav,1,3\nnone.wav,,7200\n")
    assert str(found) == "2 rows, 2.0 h of audio" and found.asked == 0
    save(tmp_path / "a.wav", tone(4.0))
    assert of("path,start,end\na.wav,1,3\na.wav,3,\n").seconds == 3.0


def test_broken_files_end_nothing_and_the_first_is_named(of: Of, tmp_path: Path) -> None:
    save(tmp_path / "a.wav", tone(2.0))
    (tmp_path / "b.wav").write_bytes(b"RIFF but nothing else")
    os.mkfifo(tmp_path / "c.wav")
    found = of("path\na.wav\nb.wav\nc.wav\nd.wav\n")
    assert (found.measured, found.asked, found.seconds) == (1, 4, 8.0)
    assert str(of("path\nd.wav\n")) == (
        "1 row; of 1 file looked at none can be read, the first: no such file: d.wav"
    )


def test_a_file_that_hangs_or_ends_its_decoder_holds_nothing_up(of: Of, tmp_path: Path) -> None:
    for name in ("a", "crash", "b", "stuck", "c"):
        save(tmp_path / f"{name}.wav", tone(2.0))
    found = of("path\na.wav\ncrash.wav\nb.wav\n", within=60.0)
    assert (found.seconds, found.measured) == (6.0, 2)
    assert (
        found.trouble == "its decoder ended with SIGABRT; convert the file to another format: "
        "crash.wav"
    )
    found = of("path\na.wav\nstuck.wav\nc.wav\n", within=2.0)
    assert (found.seconds, found.measured) == (6.0, 1)
