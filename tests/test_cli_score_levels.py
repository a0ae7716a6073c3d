"""`emobatch score` with two speech models: neutral or emotional, and which emotion."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from checkpoints import save_speech
from click.testing import CliRunner, Result
from refusals import refusal
from sounds import save, tone

from emobatch.cli.main import main

Cli = Callable[..., Result]
COLUMNS = ["speech_angry", "speech_happy", "speech_neutral", "speech_sad"]
ROWS = (
    *(("0.wav", "angry"), ("1.wav", "happy"), ("2.wav", "neutral"), ("3.wav", "sad")),
    ("long.wav", "neutral"),
)


@pytest.fixture(scope="module")
def levels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both levels, another second one, and first ones whose labels say otherwise or nothing."""
    folder = tmp_path_factory.mktemp("levels")
    emotions = ("sad", "Happiness", "ang")
    return {
        "first": save_speech(folder / "first", labels=("emotional", "neu")),
        "second": save_speech(folder / "second", labels=emotions),
        "other": save_speech(folder / "other", family="hubert", labels=emotions),
        "spelled": save_speech(folder / "spelled", labels=("Non-Neutral", "Neutrality")),
        "unnamed": save_speech(folder / "unnamed", labels=("LABEL_0", "LABEL_1")),
        "four": save_speech(folder / "four"),
        "two": save_speech(folder / "two", labels=("sad", "ang")),
    }


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds of several lengths, and one of two windows that differ."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    save(folder / "0.wav", tone(1.0))
    save(folder / "1.wav", tone(0.7, hertz=2000))
    save(folder / "2.wav", rng.normal(0, 0.1, 16_000))
    save(folder / "3.wav", 0.5 * np.sign(np.sin(np.arange(20_000) / 30)))
    hum = 0.1 * np.sin(np.arange(30 * 16_000) / 20)
    save(folder / "long.wav", np.concatenate([hum, rng.normal(0, 0.2, 8 * 16_000)]))
    rows = "".join(f"{path},{label},it was so good\n" for path, label in ROWS)
    (folder / "m.csv").write_text("path,label,transcript\n" + rows)
    return folder / "m.csv"


def both(levels: dict[str, Path], second: str = "second") -> list[str]:
    return [f"--speech-model={levels['first']}", f"--emotional-model={levels[second]}"]


def scored(manifest: Path, target: Path, *options: str) -> pl.DataFrame:
    command = ["score", str(manifest), "-o", str(target), "--models=demo", *options]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.stderr
    return pl.read_parquet(target)


@pytest.fixture(scope="module")
def table(
    manifest: Path, levels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The score table of both levels, with the demo's text branch."""
    target = tmp_path_factory.mktemp("table") / "s.parquet"
    scored(manifest, target, *both(levels))
    return target


def test_probabilities_are_the_product_of_what_either_says_alone(
    cli: Cli, manifest: Path, levels: dict[str, Path], table: Path, tmp_path: Path
) -> None:
    first = scored(
        *(manifest, tmp_path / "1.parquet", f"--speech-model={levels['first']}"),
        *("--classes=neutral,emotional", "--text=none"),
    )
    second = scored(
        *(manifest, tmp_path / "2.parquet", f"--speech-model={levels['second']}"),
        *("--classes=angry,happy,sad", "--text=none"),
    )
    found = pl.read_parquet(table)
    given = found.select(COLUMNS).to_numpy()
    wanted = second.select("speech_angry", "speech_happy", "speech_sad").to_numpy()
    wanted = wanted * first["speech_emotional"].to_numpy()[:, None]
    wanted = np.insert(wanted, 2, first["speech_neutral"].to_numpy(), axis=1)
    np.testing.assert_allclose(given, wanted, atol=1e-5)
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-12)
    # Far more than the tolerance; how much depends on the voices that hiss at random.
    assert given.std(axis=0).min() > 1e-4
    names = [COLUMNS[place].removeprefix("speech_") for place in given.argmax(axis=1)]
    assert found["speech_emotion"].to_list() == names
    entropy = -(given * np.log(given)).sum(axis=1)
    np.testing.assert_allclose(found["entropy"], entropy, atol=1e-12)
    # Each row alone, as `verify` scores it.
    assert cli("verify", table, "--root", manifest.parent).exit_code == 0


@pytest.mark.parametrize(
    ("first", "options"),
    [("spelled", ()), ("unnamed", ("--label-map=LABEL_0=non-neutral,label_1=neutral",))],
)
def test_labels_of_the_first_level_are_spelled_or_mapped(
    cli: Cli,
    manifest: Path,
    levels: dict[str, Path],
    table: Path,
    tmp_path: Path,
    first: str,
    options: tuple[str, ...],
) -> None:
    models = [f"--speech-model={levels[first]}", f"--emotional-model={levels['second']}"]
    target = tmp_path / "s.parquet"
    found = scored(manifest, target, *models, "--text=none", *options)
    wanted = pl.read_parquet(table).select(COLUMNS)
    np.testing.assert_allclose(found.select(COLUMNS), wanted, atol=1e-5)
    assert cli("verify", target, "--root", manifest.parent).exit_code == 0


REFUSED = {
    "a first level without neutral": (
        *("two", "second", ()),
        ("two: with --emotional-model", "neutral and emotional; this one's are sad, ang;"),
    ),
    "a first level of emotions": ("four", "second", (), ("--label-map neu=neutral,sad=emotional",)),
    "a map that leaves none neutral": (
        *("first", "second", ("--label-map=neu=emotional",)),
        ("first: with --emotional-model", "--label-map"),
    ),
    "a map onto a class": (
        *("unnamed", "second", ("--label-map=LABEL_0=angry",)),
        ("'LABEL_0=angry' is not NAME=CLASS; CLASS is one of neutral, emotional or none",),
    ),
    "a second level with neutral": (
        *("first", "four", ()),
        ("four: the labels of --emotional-model", "have neutral", "trained without it"),
    ),
    "a second level that lacks a class": (
        *("first", "two", ()),
        ("two: the labels of --emotional-model (sad, ang) are not angry, happy, sad;",),
    ),
    "a second level without names": (
        *("first", "unnamed", ()),
        ("(LABEL_0, LABEL_1) are not angry, happy, sad; name them so under id2label",),
    ),
    "no speech branch": (
        *(None, "second", ("--speech=none",)),
        ("--emotional-model is for the branch that --speech none leaves out",),
    ),
    "classes without neutral": (
        *("first", "second", ("--classes=angry,happy,sad",)),
        ("--emotional-model: none of the classes angry, happy, sad is neutral",),
    ),
    "classes of the first level": (
        *("first", "second", ("--classes=checkpoint",)),
        ("--classes checkpoint", "with --emotional-model; name the classes"),
    ),
    "a toy that there isn't": ("first", "demo", (), ("demo: has no emotional model",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_two_levels_is_refused(
    cli: Cli, manifest: Path, levels: dict[str, Path], name: str
) -> None:
    first, second, options, said = REFUSED[name]
    models = [f"--emotional-model={levels.get(second, second)}"]
    models += [] if first is None else [f"--speech-model={levels[first]}"]
    models += [] if "--speech=none" in options else ["--text=none"]
    message = refusal(cli("score", manifest, *models, *options))
    for words in said:
        assert words in message


def test_the_table_says_which_two_models_it_is_of(
    cli: Cli, manifest: Path, levels: dict[str, Path], table: Path
) -> None:
    made = json.loads(pl.read_parquet_metadata(table)["emobatch"])["models"]
    assert {*made} == {"speech", "emotional", "asr", "text"}
    listed = json.loads(cli("models", "--models=demo", "--json", *both(levels)).stdout)
    for branch, level in (("speech", "first"), ("emotional", "second")):
        assert made[branch]["name"] == str(levels[level])
        for key in ("digest", "settings"):
            assert made[branch][key].startswith("sha256:")
            assert listed[branch][key] == made[branch][key]
    assert made["speech"]["digest"] != made["emotional"]["digest"]
    options = ("-o", table, "--text=none")
    assert "--emotional-model (was " in refusal(
        cli("score", manifest, *options, *both(levels, "other"))
    )
    again = cli("verify", table, f"--emotional-model={levels['other']}", "--root", manifest.parent)
    assert "give --emotional-model those" in refusal(again)


def test_saved_work_is_not_gone_on_with_by_another_second_level(
    cli: Cli, manifest: Path, levels: dict[str, Path], tmp_path: Path
) -> None:
    target = tmp_path / "s.parquet"
    bad = tmp_path / "m.csv"
    bad.write_text(manifest.read_text() + "gone.wav,sad,\n")
    options = ["--text=none", "--root", manifest.parent, "-o", target]
    assert cli("score", bad, *options, *both(levels), "--max-error-rate=1").exit_code == 0
    for models in (both(levels, "other"), [f"--speech-model={levels['four']}"]):
        result = cli("score", bad, *options, *models, "--retry-errors")
        assert "--emotional-model" in refusal(result)


def test_tables_and_thresholds_of_another_second_level_are_refused(
    cli: Cli, manifest: Path, levels: dict[str, Path], tmp_path: Path
) -> None:
    fitted, two, other, one = (tmp_path / name for name in ("h.toml", "2.csv", "o.csv", "1.csv"))
    first = f"--speech-model={levels['four']}"
    common = (first, "--text=none", "--label-map=ang=emotional,hap=emotional,sad=emotional")
    for target, second in ((two, "second"), (other, "other")):
        model = f"--emotional-model={levels[second]}"
        assert cli("score", manifest, "-o", target, *common, model).exit_code == 0
    assert cli("score", manifest, "-o", one, first, "--text=none").exit_code == 0
    assert cli("calibrate", two, "--method=speech", "-o", fitted).exit_code == 0
    second = f"{levels['second']} (sha256:"
    for table, made in ((other, f"{levels['other']} (sha256:"), (one, "none is not")):
        assert "models" in refusal(cli("calibrate", two, table, "--method=speech"))
        message = refusal(cli("apply", table, "-t", fitted))
        assert f"emotional model {made}" in message
        assert second in message
    model = f"--emotional-model={levels['second']}"
    message = refusal(cli("verify", one, model, "--root", manifest.parent))
    assert "made without --emotional-model" in message


def test_hierarchy_reads_what_the_first_level_calls_neutral(
    cli: Cli, table: Path, tmp_path: Path
) -> None:
    fitted, final = tmp_path / "h.toml", tmp_path / "f.parquet"
    options = ("--method=hierarchy", "--threshold=none")
    assert cli("calibrate", table, *options, "-o", fitted).exit_code == 0
    assert cli("apply", table, "-t", fitted, "-o", final).exit_code == 0
    rows = pl.read_parquet(final)
    neutral = rows["speech_neutral"] >= 0.5
    assert 0 < neutral.sum() < len(rows)
    assert rows["flagged"].to_list() == neutral.to_list()
    emotional = rows.filter(~neutral)
    columns = [name for name in COLUMNS if name != "speech_neutral"]
    best = emotional.select(columns).to_numpy().argmax(axis=1)
    names = [columns[place].removeprefix("speech_") for place in best]
    assert emotional["emotion"].to_list() == names
    assert {*emotional["decided_by"]} == {"speech"}
    assert {*rows.filter(neutral)["decided_by"]} == {"text"}


def test_doctor_tries_both_levels(cli: Cli, levels: dict[str, Path], tmp_path: Path) -> None:
    common = ["doctor", "--device=cpu", "--models=demo", "--text=none"]
    good = cli(*common, *both(levels))
    assert good.exit_code == 0
    assert "pass  emotional model: " in good.stdout
    assert "pass  speech scores: " in good.stdout
    bad = cli(*common, *both(levels, "four"))
    assert "FAIL  speech scores: " in bad.stdout
    gone = cli(*common, *both({**levels, "second": tmp_path / "gone"}))
    assert "FAIL  emotional model: " in gone.stdout
    assert "speech scores" not in gone.stdout
