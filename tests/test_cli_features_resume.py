"""`features` goes on where it was, and only with its own work, as `score` does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from click.testing import Result

from emobatch.scoring.parts import Parts

Cli = Callable[..., Result]
SETS = ("--set", "handcrafted", "--max-error-rate", "1")


@pytest.fixture(autouse=True)
def two_rows_to_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emobatch.features.extract.CHUNK", 2)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Five rows, three chunks: two clips, a file that isn't there, and both again."""
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        noise = random.normal(0, 0.1, 3_000).astype(np.float32)
        soundfile.write(tmp_path / f"{name}.wav", noise, 16_000, subtype="FLOAT")
    lines = [f"{name}.wav,{number},007" for number, name in enumerate("a?bab")]
    (tmp_path / "m.csv").write_text("\n".join(["path,id,page", *lines, ""]))
    return tmp_path / "m.csv"


def stopped(cli: Cli, target: Path, *command: object) -> Result:
    """A run that a signal ends when it has saved a chunk."""
    add = Parts.add

    def add_and_stop(self: Parts, first: int, frame: pl.DataFrame) -> None:
        add(self, first, frame)
        raise KeyboardInterrupt("interrupted by SIGTERM")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Parts, "add", add_and_stop)
        result = cli("features", *command, "-o", target)
    assert result.exit_code == 75 and not target.exists(), result.stderr
    return result


@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_an_interrupted_run_goes_on_from_what_is_saved(
    cli: Cli, manifest: Path, extension: str
) -> None:
    whole, target = (manifest.with_name(f"{name}.{extension}") for name in ("whole", "features"))
    assert cli("features", manifest, *SETS, "-o", whole).exit_code == 0
    said = stopped(cli, target, manifest, *SETS).stderr
    assert "interrupted by SIGTERM; 2 of 5 rows are saved in" in said
    assert "the same command goes on from there" in said
    parts = manifest.with_name(f"{target.name}.parts")
    (saved,) = parts.glob("[0-9]*.parquet")
    (manifest.with_name("a.wav")).rename(manifest.with_name("moved.wav"))  # of the first chunk
    assert "4 of 5 rows" in stopped(cli, target, manifest, *SETS).stderr
    assert saved.exists() and len([*parts.glob("[0-9]*.parquet")]) == 2
    (manifest.with_name("moved.wav")).rename(manifest.with_name("a.wav"))
    again = cli("features", manifest, *SETS, "-o", target)
    assert again.exit_code == 0 and "note: 4 of 5 rows are saved in" in again.stderr
    assert not parts.exists()
    table = pl.read_parquet(target) if extension == "parquet" else pl.read_csv(target)
    assert table["features_error"].is_null().to_list() == [True, False, True, False, True]
    assert table["handcrafted_mean"].is_null().to_list() == [False, True, False, True, False]
    (fourth,) = table["features_error"].to_list()[3:4]
    assert "no such file" in fourth  # computed as the file was away, and not again


def test_the_table_is_that_of_a_run_that_nothing_ended(cli: Cli, manifest: Path) -> None:
    whole, target = (manifest.with_name(f"{name}.parquet") for name in ("whole", "features"))
    assert cli("features", manifest, *SETS, "-o", whole).exit_code == 0
    for _ in range(2):
        stopped(cli, target, manifest, *SETS)
    assert cli("features", manifest, *SETS, "-o", target).exit_code == 0
    assert target.read_bytes() == whole.read_bytes()


def test_another_run_s_work_is_refused_until_it_is_thrown_away(cli: Cli, manifest: Path) -> None:
    target = manifest.with_name("features.csv")
    stopped(cli, target, manifest, *SETS)
    elsewhere = manifest.with_name("elsewhere")
    elsewhere.mkdir()
    changed = manifest.with_name("changed.csv")
    changed.write_text(manifest.read_text().replace("b.wav,2", "a.wav,2"))
    for command, differing in (
        ((manifest, "--set", "mfcc"), "features"),
        ((changed, *SETS), "manifest"),
        ((manifest, *SETS, "--root", elsewhere), "manifest"),
    ):
        result = cli("features", *command, "-o", target)
        assert result.exit_code == 1
        assert f"holds work of a run that differs in {differing}; " in result.stderr
    assert cli("features", changed, *SETS, "-o", target, "--restart").exit_code == 0
    rows = pl.read_csv(target)
    assert rows["handcrafted_mean"][2] == rows["handcrafted_mean"][0] is not None
    said = stopped(cli, manifest.with_name("o.csv"), manifest, *SETS, "--restart").stderr
    assert "the same command without --restart goes on from there" in said


def test_a_whole_table_is_left_alone_and_a_foreign_one_refused(cli: Cli, manifest: Path) -> None:
    target = manifest.with_name("features.csv")
    command = ("features", manifest, *SETS, "-o", target)
    assert cli(*command).exit_code == 0
    before = target.stat()
    again = cli(*command)
    assert again.exit_code == 0 and "is whole, nothing to do" in again.stderr
    assert "5 rows in" in again.stderr and "1 failed" in again.stderr
    assert target.stat() == before and not target.with_name("features.csv.parts").exists()
    strict = cli("features", manifest, "--set", "handcrafted", "-o", target)
    assert strict.exit_code == 3  # of a table that was there, too
    other = cli("features", manifest, "--set", "mfcc", "-o", target)
    assert other.exit_code == 1 and "differs in features" in other.stderr
    target.write_text(target.read_text().replace("007", "008"))
    edited = cli(*command)
    assert edited.exit_code == 1 and "was changed since" in edited.stderr
    target.with_name("mine.csv").write_text("path\n")
    foreign = cli("features", manifest, *SETS, "-o", target.with_name("mine.csv"))
    assert foreign.exit_code == 1 and "doesn't say what it was made with" in foreign.stderr


def test_two_runs_don_t_write_one_table(cli: Cli, manifest: Path) -> None:
    target = manifest.with_name("features.csv")
    with Parts.open(target, {}, restart=False):
        result = cli("features", manifest, *SETS, "-o", target)
    assert result.exit_code == 75 and "another run is writing there" in result.stderr
