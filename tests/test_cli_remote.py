"""Commands whose manifests or audio aren't on this machine give what they give of files here."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import web_server
from click.testing import Result
from forked import Forked
from sounds import save, tone
from test_archives import archive
from web_server import Web

Cli = Callable[..., Result]
pytest.importorskip("aiohttp")


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """A server of what is in `set`: twelve clips, and manifests of them."""
    folder = tmp_path / "set"
    folder.mkdir()
    names = [f"clip {n}.wav" for n in range(12)]
    for n, name in enumerate(names):
        save(folder / name, tone(0.3 + n / 20, hertz=200 + 20 * n))
    archive(folder / "all.tar", {name: (folder / name).read_bytes() for name in names})
    rows = pl.DataFrame({"path": names})
    rows.write_csv(folder / "m.csv")
    with web_server.serving() as server:
        for file in folder.iterdir():
            server.files[f"/set/{file.name}"] = file.read_bytes()
        whole = rows.with_columns(path=pl.lit(f"{server.address}/set/") + pl.col("path"))
        whole.write_csv(tmp_path / "addresses.csv")
        yield server


@pytest.fixture
def options(models: dict[str, Path]) -> list[str]:
    return [f"--speech-model={models['speech']}", "--text=none", "--device=cpu"]


def scored(cli: Cli, source: object, target: Path, *options: str) -> pl.DataFrame:
    result = cli("score", source, "-o", target, *options)
    assert result.exit_code == 0, result.stderr
    return pl.read_parquet(target).drop("path", "id")


def test_audio_anywhere_scores_alike(
    cli: Cli, web: Web, tmp_path: Path, options: list[str]
) -> None:
    here = scored(cli, tmp_path / "set/m.csv", tmp_path / "here.parquet", *options)
    assert here["status"].to_list() == ["ok"] * 12
    sources = {
        "home": (f"{web.address}/set/m.csv",),
        "rows": (tmp_path / "addresses.csv", "--allow-remote", f"--cache={tmp_path / 'kept'}"),
        "root": (tmp_path / "set/m.csv", f"--root={web.address}/set"),
        "tar": (tmp_path / "set/all.tar",),
        "tar-there": (f"{web.address}/set/all.tar",),
    }
    for name, (source, *more) in sources.items():
        there = scored(cli, source, tmp_path / f"{name}.parquet", *options, *more)
        assert there.equals(here), name
    assert web.fetched("/set/all.tar") == 2  # for its index, and for its audio
    verified = cli("verify", tmp_path / "rows.parquet", "--allow-remote", "--sample=2")
    assert verified.exit_code == 0, verified.output


def test_addresses_that_are_not_allowed_are_refused(
    cli: Cli, web: Web, tmp_path: Path, options: list[str]
) -> None:
    refused = cli("score", tmp_path / "addresses.csv", *options)
    assert refused.exit_code == 1
    assert "12 of 12 paths are addresses" in refused.stderr and "--allow-remote" in refused.stderr
    rows = pl.read_csv(tmp_path / "addresses.csv").head(1)
    mixed = pl.concat([pl.DataFrame({"path": ["set/clip 0.wav"]}), rows])
    mixed.write_csv(tmp_path / "mixed.csv")
    some = cli("score", tmp_path / "mixed.csv", *options, "--max-error-rate=1")
    assert some.exit_code == 0
    errors = pl.read_csv(some.stdout.encode())["error"].to_list()
    says = "audio: isn't on this machine, and is fetched only with --allow-remote: "
    assert errors == [None, says + rows["path"][0]]
    assert web.requests == []


def test_how_much_there_is_is_said_without_fetching(
    cli: Cli, web: Web, tmp_path: Path, options: list[str]
) -> None:
    web.files.pop("/set/clip 3.wav")
    done = cli("score", tmp_path / "addresses.csv", "--allow-remote", *options)
    assert "note: 12 rows\n" in done.stderr
    assert done.stdout.count("audio: no such file: ") == 1
    assert all(web.fetched(f"/set/clip {n}.wav") == 1 for n in range(12) if n != 3)


def test_a_killed_run_goes_on_with_what_is_kept(
    web: Web, tmp_path: Path, models: dict[str, Path], cli: Cli, options: list[str]
) -> None:
    rows = pl.read_csv(tmp_path / "addresses.csv")
    many = pl.concat(
        [rows.with_columns(id=pl.format("{}-{}", pl.lit(n), "path")) for n in range(8)]
    )
    many.write_csv(tmp_path / "many.csv")
    web.held.add("/set/clip 11.wav")  # so that no chunk but the first can be whole
    command = ["score", str(tmp_path / "many.csv"), "--allow-remote", *options]
    command += [f"--cache={tmp_path / 'kept'}", "-o", str(tmp_path / "scores.parquet")]
    with Forked(tmp_path / "said", *command) as run:
        assert web.begun.wait(300)
        while len([*(tmp_path / "kept").glob("emobatch-*.wav")]) < 11:  # all but the one held
            assert run.poll() is None, run.said
            time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
    assert not (tmp_path / "scores.parquet").exists()
    assert [*(tmp_path / "kept").glob("*.part")]
    web.held.clear()
    web.release.set()
    again = cli(*command)
    assert again.exit_code == 0, again.stderr
    assert not [*(tmp_path / "kept").glob("*.part")]
    once = cli(*command[:-1], tmp_path / "once.parquet")
    assert once.exit_code == 0
    one, other = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("scores", "once"))
    assert one.equals(other)
    assert one["status"].to_list() == ["ok"] * 96
    # What had come before the kill wasn't asked for again.
    assert web.fetched("/set/clip 0.wav") == 1


def test_a_manifest_is_made_of_what_is_elsewhere(cli: Cli, web: Web, tmp_path: Path) -> None:
    made = cli("manifest", f"{web.address}/set/m.csv", "-o", tmp_path / "made.csv")
    assert made.exit_code == 0, made.stderr
    paths = pl.read_csv(tmp_path / "made.csv")["path"].to_list()
    assert paths[1] == f"{web.address}/set/clip%201.wav"
    made = cli("manifest", f"{web.address}/set/all.tar", "-o", tmp_path / "tar.csv")
    assert made.exit_code == 0, made.stderr
    paths = pl.read_csv(tmp_path / "tar.csv")["path"].to_list()
    assert paths[1] == f"{web.address}/set/all.tar!clip 1.wav"


def test_a_plan_measures_what_is_elsewhere_and_says_so(
    cli: Cli, web: Web, tmp_path: Path, options: list[str]
) -> None:
    command = ("plan", f"{web.address}/set/m.csv", "--no-sample", "--shards=2", *options)
    done = cli(*command, "-o", tmp_path / "planned.csv")
    assert done.exit_code == 0, done.stderr
    assert "12 files fetched to see how long they are" in done.stderr
    assert f"score it with --root {web.address}/set" in done.stderr
    planned = pl.read_csv(tmp_path / "planned.csv")
    assert planned["duration"][11] == pytest.approx(0.85)


@pytest.mark.parametrize("target", ["s3://bucket/scores.parquet", "gs://bucket/a/scores.csv"])
def test_no_table_is_written_to_an_address(
    cli: Cli, tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("path\na.wav\n")
    refused = cli("manifest", "m.csv", "-o", target)
    assert refused.exit_code == 1
    assert f"{target}: is an address" in refused.stderr and "mount" in refused.stderr
    assert [*tmp_path.iterdir()] == [tmp_path / "m.csv"]


def test_sizes_are_read_as_people_write_them(cli: Cli, tmp_path: Path) -> None:
    for size in ("0", "ten", "5 PB"):
        refused = cli("score", "m.csv", f"--cache-size={size}")
        assert refused.exit_code == 2 and "give a size as in 500MB" in refused.stderr
