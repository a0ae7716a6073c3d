"""Features of sound: one row in, one row out, as the formulas have them."""

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
from hypothesis import given
from hypothesis import strategies as st

from emobatch.features.handcrafted import autocorrelation, centre_clipped, energy, pause
from emobatch.features.process import process
from emobatch.features.registry import FEATURE_SETS
from emobatch.manifests.blocks import Sound
from emobatch.manifests.clip import Clip
from emobatch.scoring.utterances import Utterance

Cli = Callable[..., Result]
RATE = 16_000
COUNTS = {"egemaps": 88, "gemaps": 62, "mfcc": 39, "handcrafted": 8}


def tone(frequency: float, seconds: float = 1.0, size: float = 0.5) -> np.ndarray:
    at = np.arange(int(seconds * RATE)) / RATE
    steps = [size / n * np.sin(2 * np.pi * n * frequency * at) for n in range(1, 6)]
    noise = np.random.default_rng(0).normal(scale=1e-3, size=len(at))
    return (np.sum(steps, axis=0) / 3 + noise).astype(np.float32)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A manifest of two tones, a broken file, and a segment of the first tone."""
    folder = tmp_path / "audio"
    folder.mkdir()
    soundfile.write(folder / "low.wav", tone(110), RATE, subtype="FLOAT")
    soundfile.write(folder / "high.wav", tone(220), RATE, subtype="FLOAT")
    (folder / "broken.wav").write_bytes(b"RIFF not a sound")
    file = tmp_path / "m.csv"
    file.write_text(
        "path,start,end,page\naudio/low.wav,,,007\naudio/broken.wav,,,008\n"
        "audio/high.wav,,,009\naudio/low.wav,0.25,0.75,010\n"
    )
    return file


def computed(cli: Cli, source: Path, *options: object, sets: str = "handcrafted") -> pl.DataFrame:
    target = source.with_name("features.parquet")
    result = cli("features", source, "--set", sets, "-o", target, "--restart", *options)
    assert result.exit_code == 0, result.stderr
    return pl.read_parquet(target)


def test_one_row_in_one_row_out(cli: Cli, clips: Path) -> None:
    rows = computed(cli, clips, "--max-error-rate", 0.5)
    assert rows["page"].to_list() == ["007", "008", "009", "010"]
    assert rows["features_error"].is_null().to_list() == [True, False, True, True]
    assert rows["features_error"][1].startswith("audio: can't be decoded")
    columns = [name for name in rows.columns if name.startswith("handcrafted_")]
    assert len(columns) == 8
    assert rows.select(columns).null_count().row(0) == (1,) * 8
    cut = soundfile.read(clips.parent / "audio/low.wav", dtype="float32")[0][4000:12000]
    soundfile.write(clips.parent / "audio/cut.wav", cut, RATE, subtype="FLOAT")
    alone = clips.with_name("alone.csv")
    alone.write_text("path\naudio/cut.wav\n")
    assert computed(cli, alone).select(columns).equals(rows[3:].select(columns))


def test_too_many_failures_end_with_status_3_and_a_whole_table(cli: Cli, clips: Path) -> None:
    result = cli("features", clips, "--set", "handcrafted")
    assert result.exit_code == 3 and "column 'features_error'" in result.stderr
    table = pl.read_csv(io.StringIO(result.stdout), schema_overrides={"page": pl.String})
    file = computed(cli, clips, "--max-error-rate", 0.5)
    assert table["page"].equals(file["page"])
    for rows in (table, file):
        assert rows["handcrafted_pause"].drop_nulls().to_list() == [0.0] * 3
    long = cli("features", clips, "--set", "handcrafted", "--max-seconds", 0.6)
    assert "longer than 0.6 s" in long.stdout and long.exit_code == 3


def test_the_table_is_a_manifest_wherever_it_is(cli: Cli, clips: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    target = other / "features.csv"
    done = cli("features", clips, "--set", "handcrafted", "--max-error-rate", 1, "-o", target)
    assert done.exit_code == 0, done.stderr
    again = cli("features", target, "--set", "handcrafted")
    assert again.exit_code == 1 and "columns that emobatch itself writes" in again.stderr
    rest = pl.read_csv(target, infer_schema=False)
    rest.drop([name for name in rest.columns if "_" in name]).write_csv(target)
    assert computed(cli, target, "--max-error-rate", 0.5)["features_error"].null_count() == 3


@pytest.mark.parametrize("name", COUNTS)
def test_sets_have_their_features(name: str) -> None:
    features = FEATURE_SETS[name]()
    assert len(features.columns) == len(set(features.columns)) == COUNTS[name]
    low, high = (features.values(tone(frequency)) for frequency in (110, 220))
    assert len(low) == COUNTS[name] and np.isfinite(low).all()
    found = dict(zip(features.features, zip(low, high, strict=True), strict=True))
    if name.endswith("gemaps"):  # semitones from 27.5 Hz
        pitch = found["F0semitoneFrom27.5Hz_sma3nz_amean"]
        assert pitch == pytest.approx((24, 36), abs=0.3)
    if name == "mfcc":  # twice as loud: 6 dB more in each of 128 bands, and nothing else
        louder = features.values(2 * tone(110))
        expected = 20 * np.log10(2) * np.sqrt(128)
        assert louder[0] - low[0] == pytest.approx(expected, rel=1e-3)
        assert louder[1:] == pytest.approx(low[1:], abs=0.05)


def test_hand_crafted_features_are_those_of_the_paper() -> None:
    import librosa

    signal = np.concatenate([tone(150), np.zeros(RATE // 2, np.float32), tone(90, size=0.2)])
    found = FEATURE_SETS["handcrafted"]().values(signal)
    rms = librosa.feature.rms(y=signal.astype(np.float64))[0]
    level = 0.45 * np.mean(np.abs(signal.astype(np.float64)))
    clipped = [
        s - level if s >= level else s + level if s <= -level else 0.0 for s in signal.astype(float)
    ]
    pitch = librosa.autocorrelate(np.array(clipped))
    expected = [
        *(np.abs(signal).mean(), signal.std(), rms.mean(), rms.std()),
        np.mean([value <= 0.4 * rms.mean() for value in rms]),
        1000 * librosa.effects.hpss(signal)[0].mean(),
        *(1000 * pitch.max() / len(pitch), pitch.std()),
    ]
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


signals = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=200).map(np.array)


@given(signals)
def test_formulas(signal: np.ndarray) -> None:
    whole = np.correlate(signal, signal, mode="full")[len(signal) - 1 :]
    assert autocorrelation(signal) == pytest.approx(whole, abs=1e-9)
    level = 0.45 * np.abs(signal).mean()
    clipped = centre_clipped(signal)
    assert np.abs(np.abs(signal) - np.abs(clipped)).max() <= level + 1e-12
    assert (clipped[np.abs(signal) < level] == 0).all()
    padded = np.concatenate([np.zeros(1024), signal, np.zeros(1024)])
    starts = range(0, len(signal) + 1, 512)
    by_hand = [np.sqrt(np.mean(padded[at : at + 2048] ** 2)) for at in starts]
    assert energy(signal) == pytest.approx(by_hand)


@given(signals, st.floats(0.01, 100))
def test_pauses_don_t_depend_on_loudness(signal: np.ndarray, scale: float) -> None:
    energies = np.round(np.abs(signal), 3)
    share = pause(2.0 ** np.round(np.log2(scale)) * energies)
    assert share == pause(energies) and 0 <= share <= 1


def test_any_function_over_any_audio() -> None:
    levels = ((8_000, 0.1), (RATE * 70, 0.2), (100, 0.3), (8_000, 0.4), (RATE * 40, 0.1))
    sounds = [np.full(count, value, np.float32) for count, value in levels]
    sounds[-1][-1] = np.nan  # found in the second window, when the first is there
    utterances = [
        Utterance(Clip(str(n), Path(str(n)), None, None, None, sound=Sound(sound, RATE)), str(n))
        for n, sound in enumerate(sounds)
    ]

    def longest(samples: np.ndarray) -> int:
        if samples[0] > 0.35:
            raise ValueError("too loud")
        return len(samples)

    found = list(process(utterances, longest))
    assert [value for _, value in found] == [8_000, RATE * 70, None, None, None]
    errors = [utterance.error or "" for utterance, _ in found]
    assert errors[:2] == ["", ""]
    assert "too short" in errors[2] and errors[3] == "features: too loud"
    assert "NaN" in errors[4]


def test_a_missing_library_is_named(cli: Cli, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    result = cli("features", clips, "--set", "egemaps")
    assert result.exit_code == 1
    assert "needs opensmile" in result.stderr and "emobatch[features]" in result.stderr
    unknown = cli("features", clips, "--set", "egemap")
    assert unknown.exit_code == 2 and "egemaps" in unknown.stderr


def test_the_licence_is_said(cli: Cli, clips: Path) -> None:
    result = cli("features", clips, "--set", "gemaps", "--max-error-rate", 1)
    assert result.exit_code == 0, result.stderr
    assert "audEERING Research License" in result.stderr
    table = pl.read_csv(io.StringIO(result.stdout))
    assert sum(name.startswith("gemaps_") for name in table.columns) == 62
