"""Prosody: against what was synthesised, and by the command."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from click.testing import Result
from espeak import RATE, VOICES, speak

from emobatch.models.prosody import figures, measure

Cli = Callable[..., Result]
SECOND = np.arange(16_000) / 16_000


def voice(hertz: np.ndarray | float, seconds: float = 1.0) -> np.ndarray:
    """Seven harmonics, falling as those of a voice do."""
    rate = np.broadcast_to(np.asarray(hertz, float), int(16_000 * seconds))
    phase = 2 * np.pi * np.cumsum(rate) / 16_000
    return np.float32(sum(0.2 / k * np.sin(k * phase) for k in range(1, 8)))


@pytest.mark.parametrize("hertz", [75.0, 120.0, 210.0, 330.0, 480.0])
def test_pitch_is_that_of_what_was_synthesised(hertz: float) -> None:
    found = figures([measure(voice(hertz))])
    assert found["pitch_median"] == pytest.approx(hertz, rel=0.01)
    assert found["pitch_range"] == pytest.approx(0, abs=0.2)
    assert found["voiced"] > 0.95


def test_a_range_is_in_semitones() -> None:
    """Half of it at 150 Hz, half an octave higher: the 5th and 95th percentile are an octave."""
    found = figures([measure(np.concatenate([voice(150.0), voice(300.0)]))])
    assert found["pitch_range"] == pytest.approx(12, abs=0.1)


@pytest.mark.parametrize("peak", [1.0, 0.5, 0.01])
def test_loudness_is_that_of_the_samples(peak: float) -> None:
    sine = np.float32(peak * np.sin(2 * np.pi * 250 * SECOND))
    found = figures([measure(sine)])
    wanted = 20 * np.log10(peak / np.sqrt(2))
    assert found["loudness"] == pytest.approx(wanted, abs=1e-4)
    assert found["loudness_range"] == pytest.approx(0, abs=0.1)


def test_a_range_of_loudness_is_in_decibels() -> None:
    sine = np.sin(2 * np.pi * 250 * SECOND)
    found = figures([measure(np.float32(np.concatenate([0.5 * sine, 0.05 * sine])))])
    assert found["loudness_range"] == pytest.approx(20, abs=0.1)
    assert found["pause_share"] == 0


def test_silence_is_a_pause_and_nothing_else() -> None:
    clip = np.concatenate([voice(200.0), np.zeros(16_000, np.float32), voice(200.0)])
    found = figures([measure(clip)])
    assert found["pause_share"] == pytest.approx(1 / 3, abs=0.02)
    assert found["voiced"] == pytest.approx(2 / 3, abs=0.03)
    silent = figures([measure(np.zeros(16_000, np.float32))])
    assert silent["pitch_median"] is None and silent["loudness_range"] is None
    assert (silent["loudness"], silent["voiced"], silent["pause_share"]) == (-100, 0, 1)


@pytest.mark.parametrize("samples", [1, 7, 399, 400, 401])
def test_the_shortest_clips_have_figures(samples: int) -> None:
    found = figures([measure(np.full(samples, 0.5, np.float32))])
    assert found["loudness"] == pytest.approx(20 * np.log10(0.5), abs=1e-6)


def test_windows_of_a_clip_are_summed_up() -> None:
    low, high = measure(voice(150.0, 2.0)), measure(voice(300.0, 1.0))
    found = figures([low, high])
    assert found["pitch_median"] == pytest.approx(150, rel=0.01), "two thirds of it are low"
    power = (low.energy + high.energy) / 48_000
    assert found["loudness"] == pytest.approx(10 * np.log10(power), abs=1e-9)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    for number, name in enumerate(VOICES[:3]):
        soundfile.write(tmp_path / f"{number}.wav", speak("what a day", name), RATE)
    rows = "0.wav,what a day\n1.wav,\n2.wav,one two three four\nnone.wav,\n"
    (tmp_path / "m.csv").write_text("path,transcript\n" + rows)
    return tmp_path / "m.csv"


def test_the_table_has_its_columns(cli: Cli, manifest: Path) -> None:
    target = manifest.with_name("s.csv")
    options = ("--models=demo", "--max-error-rate=1", "-o", target)
    result = cli("score", manifest, "--prosody", *options)
    assert result.exit_code == 0, result.stderr
    rows = pl.read_csv(target)
    at = rows.columns.index("varentropy")
    assert rows.columns[at + 1 : at + 8] == [
        *("pitch_median", "pitch_range", "loudness", "loudness_range"),
        *("voiced", "speaking_rate", "pause_share"),
    ]
    good = rows.head(3)
    assert good["pitch_median"].is_between(60, 400).all()
    seconds = rows["duration"].to_list()
    assert good["speaking_rate"][0] == pytest.approx(3 / seconds[0])
    assert good["speaking_rate"][2] == pytest.approx(4 / seconds[2])
    assert rows.row(3, named=True)["loudness"] is None
    assert cli("verify", target).exit_code == 0
    rows.with_columns(pl.col("loudness") + 1).write_csv(target)
    assert ": loudness is " in cli("verify", target).stdout


def test_without_it_nothing_is_measured(cli: Cli, manifest: Path) -> None:
    result = cli("score", manifest, "--models=demo", "--max-error-rate=1")
    assert "loudness" not in pl.read_csv(io.StringIO(result.stdout)).columns


def test_without_the_library_it_says_which_extra(
    cli: Cli, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyworld", None)
    result = cli("score", manifest, "--models=demo", "--prosody")
    assert result.exit_code == 1
    assert "pip install 'emobatch[prosody]'" in result.stderr.splitlines()[-1]
