"""What `score` refuses before it begins, and what of a file is decoded at most."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from click.testing import Result
from sounds import save, tone

from emobatch.errors import AudioError
from emobatch.manifests.audio import read_windows

Cli = Callable[..., Result]
DEMO = ("--models", "demo", "--text", "none")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    save(tmp_path / "a.wav", tone(0.5))
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    return tmp_path / "m.csv"


@pytest.mark.parametrize("option", ["--decode-timeout", "--max-seconds", "--batch-seconds"])
@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "-inf"])
def test_seconds_that_are_none_are_refused(
    cli: Cli, manifest: Path, option: str, seconds: str
) -> None:
    result = cli("score", manifest, *DEMO, f"{option}={seconds}")
    assert result.exit_code == 1
    assert f"Error: {option} {seconds}: give a number above 0" in result.stderr


@pytest.mark.parametrize("seconds", ["1e10", "1e300", "1000001"])
def test_what_cant_be_waited_for_is_refused_with_the_range(
    cli: Cli, manifest: Path, seconds: str
) -> None:
    """The queue that is waited for takes no more than a system's longest timeout."""
    target = manifest.with_name("s.csv")
    result = cli("score", manifest, "-o", target, *DEMO, f"--decode-timeout={seconds}")
    assert result.exit_code == 1
    assert "give a number above 0 and at most 1000000\n" in result.stderr
    assert not target.exists()
    assert cli("score", manifest, "-o", target, *DEMO, "--decode-timeout=1e6").exit_code == 0


NO_PLACE = {
    "duration": (pl.Series([datetime.timedelta(seconds=1)]), (".csv", ".tsv")),
    "bytes": (pl.Series([b"x"]), (".csv", ".tsv", ".jsonl")),
    "list": (pl.Series([[1, 2]]), (".csv", ".tsv")),
    "struct": (pl.Series([{"a": 1}]), (".csv", ".tsv")),
    "array": (pl.Series([[1.0]], dtype=pl.Array(pl.Float32, 1)), (".csv", ".tsv")),
    "list of bytes": (pl.Series([[b"x"]]), (".csv", ".tsv", ".jsonl")),
    "struct of bytes": (pl.Series([{"a": [b"x"]}]), (".csv", ".tsv", ".jsonl")),
}
REFUSED = [
    (kind, extension) for kind, (_, extensions) in NO_PLACE.items() for extension in extensions
]


@pytest.mark.parametrize(("kind", "extension"), REFUSED)
def test_columns_without_a_place_are_refused_before_anything_is_scored(
    cli: Cli, manifest: Path, monkeypatch: pytest.MonkeyPatch, kind: str, extension: str
) -> None:
    source, target = manifest.with_name("m.parquet"), manifest.with_name(f"s{extension}")
    pl.DataFrame({"path": ["a.wav"], "odd": NO_PLACE[kind][0]}).write_parquet(source)
    monkeypatch.setattr("emobatch.scorers.loaded.load", lambda *_: pytest.fail("models loaded"))
    for restart in ([], ["--restart"]):
        result = cli("score", source, "-o", target, *DEMO, *restart)
        assert result.exit_code == 1
        assert "no place for column 'odd'" in result.stderr and "write .parquet" in result.stderr
        assert not list(manifest.parent.glob("s*"))


def test_an_earlier_table_outlives_a_refused_restart(cli: Cli, manifest: Path) -> None:
    target = manifest.with_name("s.csv")
    assert cli("score", manifest, "-o", target, *DEMO).exit_code == 0
    before = target.read_bytes()
    source = manifest.with_name("m.parquet")
    pl.DataFrame({"path": ["a.wav"], "odd": NO_PLACE["duration"][0]}).write_parquet(source)
    assert cli("score", source, "-o", target, *DEMO, "--restart").exit_code == 1
    assert target.read_bytes() == before


@pytest.mark.parametrize("extension", [".wav", ".flac", ".mp3", ".m4a"])
def test_files_that_are_too_long_fail_alone(cli: Cli, tmp_path: Path, extension: str) -> None:
    save(tmp_path / f"long{extension}", tone(5.0))
    save(tmp_path / f"short{extension}", tone(1.5))
    rows = [("long", "", ""), ("short", "", ""), ("long", "1", "2"), ("long", "0.5", "")]
    lines = [f"{name}{extension},{n},{start},{end}\n" for n, (name, start, end) in enumerate(rows)]
    (tmp_path / "m.csv").write_text("path,id,start,end\n" + "".join(lines))
    target = tmp_path / "s.parquet"
    command = ("score", tmp_path / "m.csv", "-o", target, *DEMO)
    assert cli(*command, "--max-seconds", 2.5, "--max-error-rate", 0.5).exit_code == 0
    rows = pl.read_parquet(target)
    assert rows["status"].to_list() == ["error", "ok", "ok", "error"]
    assert rows["error"][0].startswith("audio: longer than 2.5 s, which --max-seconds allows")
    # More may be allowed afterwards.
    assert cli(*command, "--retry-errors", "--max-seconds", 10).exit_code == 0
    assert pl.read_parquet(target)["status"].unique().to_list() == ["ok"]
    # What was decoded once is decoded again, however long it is.
    assert cli("verify", target).exit_code == 0


def test_twelve_hours_are_the_most_unless_told(cli: Cli, tmp_path: Path) -> None:
    """Thirteen hours of silence are a file of a megabyte."""
    hour = np.zeros(3600 * 1000, np.int16)
    for hours in (12, 13):
        with soundfile.SoundFile(tmp_path / f"{hours}.flac", "w", 1000, 1) as file:
            for _ in range(hours):
                file.write(hour)
    (tmp_path / "m.csv").write_text("path\n13.flac\n")
    result = cli("score", tmp_path / "m.csv", *DEMO)
    assert "longer than 43200 s, which --max-seconds allows" in result.stdout
    told = " ".join(cli("score", "--help").stdout.split())
    assert "(12 hours)" in told and "[default: 43200.0]" in told
    with pytest.raises(AudioError, match="longer than 43200 s"):
        next(read_windows(tmp_path / "13.flac", most=43_200))
    assert next(read_windows(tmp_path / "12.flac", most=43_200)).size


def test_what_precedes_a_segment_is_bounded_where_it_is_decoded(tmp_path: Path) -> None:
    """A segment that begins a day into a file of FFmpeg's would have a day decoded for it."""
    file = save(tmp_path / "a.mp3", tone(5.0))
    with pytest.raises(AudioError, match="longer than 2 s"):
        list(read_windows(file, 4.0, 4.5, 2.0))
    assert list(read_windows(save(tmp_path / "a.wav", tone(5.0)), 4.0, 4.5, 2.0))


def test_a_header_that_doesnt_know_its_length_is_bounded_as_it_is_read(tmp_path: Path) -> None:
    file = save(tmp_path / "a.flac", tone(5.0))
    content = bytearray(file.read_bytes())
    # The lower 36 bits of these eight bytes of STREAMINFO are the number of samples; 0 is unknown.
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    file.write_bytes(content)
    assert sum(map(len, read_windows(file, most=6.0))) == 80_000
    with pytest.raises(AudioError, match="longer than 2 s"):
        list(read_windows(file, most=2.0))


@pytest.mark.parametrize(("rate", "status"), [("0.5", 0), ("0.49", 3)])
def test_as_many_errors_as_are_allowed_are_allowed(
    cli: Cli, manifest: Path, rate: str, status: int
) -> None:
    manifest.write_text("path\na.wav\nmissing.wav\n")
    assert cli("score", manifest, *DEMO, f"--max-error-rate={rate}").exit_code == status


def test_a_reader_that_has_had_enough_is_nobodys_fault() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "emobatch", "models", "--models=demo", "--json"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
