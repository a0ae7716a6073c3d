"""`folds` and `leakage` of manifests elsewhere, and in archives: what they give of tables here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import web_server
from click.testing import Result
from refusals import refusal
from test_archives import archive
from web_server import Web

Cli = Callable[..., Result]
pytest.importorskip("aiohttp")

ROWS = pl.DataFrame(
    {
        "path": [f"clip {n}.wav" for n in range(6)],
        "speaker": list("aabbcc"),
        "split": ["train", "train", "train", "train", "test", "test"],
        "transcript": ["so it goes on and on"] * 2 + ["no", "yes", "no", "so it goes on and on"],
    }
)
FOLDS = ROWS.drop("split")


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server.serving() as server:
        server.files = {
            "/set/m.csv": ROWS.write_csv().encode(),
            "/set/folds.csv": FOLDS.write_csv().encode(),
            "/set/folds.jsonl": FOLDS.write_ndjson().encode(),
            "/set/nemo.json": FOLDS.rename({"path": "audio_filepath"}).write_ndjson().encode(),
        }
        yield server


def folds(cli: Cli, source: object, target: Path) -> pl.DataFrame:
    done = cli("folds", source, "--scheme", "speaker", "-o", target)
    assert done.exit_code == 0, done.stderr
    return pl.read_csv(target)


@pytest.mark.parametrize("name", ["folds.csv", "folds.jsonl", "nemo.json"])
def test_folds_of_a_manifest_elsewhere_name_whole_addresses(
    cli: Cli, web: Web, tmp_path: Path, name: str
) -> None:
    FOLDS.write_csv(tmp_path / "here.csv")
    here = folds(cli, tmp_path / "here.csv", tmp_path / "folds.csv")
    there = folds(cli, f"{web.address}/set/{name}", tmp_path / "there.csv")
    same = ["speaker", "transcript", "fold", "split"]
    assert there.select(same).equals(here.select(same))
    address = f"{web.address}/set/clip%200.wav"
    assert here["path"][0] == "clip 0.wav" and there["path"][0] == address
    assert {line.rpartition(".")[2] for line in web.requests} == {name.rpartition(".")[2]}, (
        "no audio was asked for"
    )


def test_folds_carry_addresses_as_they_are(cli: Cli, web: Web, tmp_path: Path) -> None:
    table = FOLDS.with_columns(path=pl.lit("s3://bucket/") + pl.col("path"))
    table.write_csv(tmp_path / "m.csv")
    found = folds(cli, tmp_path / "m.csv", tmp_path / "folds.csv")
    assert found["path"].unique().sort().equals(table["path"].sort())
    assert web.requests == []


def leaks(cli: Cli, source: object, *options: str) -> list[dict[str, object]]:
    done = cli("leakage", source, "--json", *options)
    assert done.exit_code == 0, done.stderr
    return list(json.loads(done.stdout)["shared"])


def test_leakage_of_a_manifest_elsewhere(cli: Cli, web: Web, tmp_path: Path) -> None:
    ROWS.write_csv(tmp_path / "m.csv")
    here = leaks(cli, tmp_path / "m.csv")
    assert [leak["kind"] for leak in here] == ["transcript"]
    assert leaks(cli, f"{web.address}/set/m.csv") == here
    assert web.fetched("/set/m.csv") == 1
    message = refusal(cli("leakage", f"{web.address}/set/m.csv", "--audio"))
    assert message.endswith("compares files on this machine, and its paths are addresses")


def test_what_is_wrong_elsewhere_has_its_address_and_line(
    cli: Cli, web: Web, tmp_path: Path
) -> None:
    web.files["/set/bad.csv"] = b'path,speaker,note\na.wav,x,"1\n2"\nb.wav,,\n'
    for name, line in (("bad.csv", 4), ("bad.jsonl", 3)):
        web.files["/set/bad.jsonl"] = b'{"path": "a", "speaker": "x"}\n\n{"path": "b"}\n'
        source = f"{web.address}/set/{name}"
        done = cli("folds", source, "--scheme", "speaker", "-o", tmp_path / "f.csv")
        assert refusal(done) == f"{source}: line {line}: no speaker; give it one, or drop the row"
    web.files["/set/bad.csv"] = b'path,note,start\na.wav,"1\n2",\nb.wav,,-1\n'
    message = refusal(cli("manifest", f"{web.address}/set/bad.csv"))
    assert message.startswith(
        f"{web.address}/set/bad.csv: line 4: start is negative (-1.0 to None)"
    )
    message = refusal(cli("leakage", f"{web.address}/set/none.csv"))
    assert message.startswith(f"{web.address}/set/none.csv: ")


def members(contents: list[bytes]) -> dict[str, bytes]:
    found = {}
    for n, (speaker, content) in enumerate(zip("aabbcc", contents, strict=True)):
        said = {"speaker": speaker, "split": "test" if n > 3 else "train"}
        found |= {f"{n}.wav": content, f"{n}.json": json.dumps(said).encode()}
    return found


@pytest.mark.parametrize("is_there", [False, True])
def test_an_archive_is_divided_and_audited(
    cli: Cli, web: Web, tmp_path: Path, is_there: bool
) -> None:
    file = archive(tmp_path / "s.tar", members([b"%d" % n for n in range(6)]))
    web.files["/set/s.tar"] = file.read_bytes()
    source = f"{web.address}/set/s.tar" if is_there else str(file)
    assert leaks(cli, source) == []
    done = cli("folds", source, "--scheme", "speaker", "-o", tmp_path / "f.csv")
    assert "has a column 'split' already" in refusal_of(done)
    archive(file, {name: text for name, text in members([b"x"] * 6).items() if "wav" in name})
    web.files["/set/s.tar"] = file.read_bytes()
    done = cli("folds", source, "--scheme", "random-80-10-10", "-o", tmp_path / "f.csv")
    assert "no column 'label'" in refusal_of(done)


def refusal_of(done: Result) -> str:
    """Its last line: before it stands what the source was taken for."""
    assert done.exit_code == 1 and done.stdout == ""
    return done.stderr.splitlines()[-1]


def test_files_of_equal_content_are_found_in_archives(
    cli: Cli, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contents = [b"one", b"two", b"three", b"four!", b"three", b"other"]
    file = archive(tmp_path / "s.tar", members(contents))
    (leak,) = leaks(cli, file, "--audio", "--column", "speaker")
    assert (leak["kind"], leak["value"], leak["like"]) == (
        *("audio", f"{tmp_path}/s.tar!4.wav", f"{tmp_path}/s.tar!2.wav"),
    )
    made = cli("manifest", file, "-o", tmp_path / "m.csv")
    assert made.exit_code == 0
    rows = pl.read_csv(tmp_path / "m.csv")
    more = rows.tail(1).with_columns(path=pl.lit("s.tar!none.wav"), id=pl.lit("none"))
    address = more.with_columns(path=pl.lit("https://x.example/a.wav"), id=pl.lit("x"))
    (tmp_path / "three.wav").write_bytes(b"three")
    beside = more.with_columns(path=pl.lit("three.wav"), id=pl.lit("three"))
    pl.concat([rows, more, address, beside]).write_csv(tmp_path / "m.csv")
    found = leaks(cli, tmp_path / "m.csv", "--audio", "--column", "speaker")
    assert [(leak["value"], leak["test_rows"]) for leak in found] == [("s.tar!4.wav", 2)]
    assert f"note: 1 of 9 audio files are not in {tmp_path}" in caplog.messages
    assert "note: 1 of 9 audio files are addresses, left out" in caplog.messages
