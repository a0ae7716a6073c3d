"""What is mistaken for a manifest is named for what it is, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from sounds import save, tone

Cli = Callable[..., Result]
# Nothing is loaded or fetched before the manifest is looked at.
NO_MODELS = ("--speech-model", "./none")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of clips, two of them with names that a shell would take apart."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my clips"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.wav", "b, c.wav", "it's.wav", "sub/d.wav"):
        save(folder / name, tone(0.3))
    (folder / "notes.txt").write_text("not audio")
    return tmp_path


def refused(cli: Cli, source: object, input: str | bytes | None = None) -> str:
    done = cli("score", source, *NO_MODELS, input=input)
    assert done.exit_code == 1 and done.stdout == ""
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    return done.stderr


BYTES = {
    "spaces": (b" path ,label\na.wav,sad\n", "column ' path ' is not 'path'"),
    "spaces in quotes": (b'"path ",label\na.wav,sad\n', "column 'path ' is not 'path'"),
    "spaces elsewhere": (b"path, label\na.wav,sad\n", "column ' label' is not 'label'"),
    "no path": (b"filename,label\na.wav,sad\n", "if 'filename' is it, give --path-column filename"),
    "capitals": (b"Path,label\na.wav,sad\n", "if 'Path' is it, give --path-column Path"),
    "no header": (b"x/a.wav,sad\nx/b.wav,angry\n", "its first line names files, no columns"),
    "too many fields": (
        b'path,label\n"a, b.wav",sad\n\n"c\nd.wav",sad,\n',
        "line 4 has more fields (3) than there are columns (2); put quotes around",
    ),
}


@pytest.mark.parametrize("name", BYTES)
def test_a_table_that_isnt_a_manifest(cli: Cli, here: Path, name: str) -> None:
    content, message = BYTES[name]
    (here / "m.csv").write_bytes(content)
    assert f"m.csv: {message}" in refused(cli, "m.csv") or message in refused(cli, "m.csv")
    if name != "too many fields":
        assert message.split(";")[0] in refused(cli, "-", input=content)


def test_json_lines_in_utf_16_are_read(cli: Cli, here: Path) -> None:
    (here / "m.jsonl").write_bytes('{"path": "a.wav"}\n'.encode("utf-16"))
    assert cli("manifest", "m.jsonl").stdout == "path,id\na.wav,a.wav\n"


@pytest.mark.parametrize(
    ("source", "clips"),
    [
        ("my clips", ["a.wav", "b, c.wav", "it's.wav", "sub/d.wav"]),
        ("my clips/*.wav", ["a.wav", "b, c.wav", "it's.wav"]),
        ("my clips/it's.wav", ["it's.wav"]),
    ],
)
def test_audio_is_a_manifest_of_its_own(
    cli: Cli, here: Path, source: str, clips: list[str]
) -> None:
    made = cli("score", source, "--models=demo", "--text=none")
    assert made.exit_code == 0, made.stderr
    rows = pl.read_csv(made.stdout.encode())
    assert rows["path"].to_list() == clips
    assert rows["status"].unique().to_list() == ["ok"]


def test_what_a_shell_makes_of_a_pattern(cli: Cli) -> None:
    done = cli("score", "a.wav", "b.wav", "c.wav", "-o", "s.csv")
    assert done.exit_code == 2
    assert "MANIFEST is one source, and several were given" in done.stderr
    assert "put the pattern in quotes" in done.stderr


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ftp://example.org/m.csv", "is an address of a kind that isn't read"),
        ("azure://bucket/m.csv", "is an address of a kind that isn't read"),
        ("~/m.csv", "begins with ~, which only a shell replaces"),
        (r"C:\data\m.csv", "is a path as Windows writes it"),
        (r"data\m.csv", "is a path as Windows writes it"),
        ("m.xlsx", "is a spreadsheet; save it in"),
        ("m.csv", "no such file or folder"),
    ],
)
def test_a_source_that_is_no_file_here(cli: Cli, source: str, message: str) -> None:
    assert f"{source}: {message}" in refused(cli, source)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("~/clips/a.wav", "begin with ~, which only a shell replaces"),
        ("~me/a.wav", "begin with ~"),
        ("https://example.org/a.wav", "are addresses of files that aren't on this machine"),
        ("ftp://example.org/a.wav", "are addresses of a kind that isn't read"),
        (r"C:\clips\a.wav", "begin with a drive's letter, as on Windows"),
        ("D:/clips/a.wav", "begin with a drive's letter"),
        (r"clips\a.wav", "have backslashes, as on Windows"),
    ],
)
def test_paths_that_name_no_file_here(cli: Cli, here: Path, path: str, message: str) -> None:
    (here / "m.csv").write_text(f"path,id\n{path},1\n{path},2\n")
    assert f"m.csv: 2 of 2 paths {message}" in refused(cli, "m.csv")
    (here / "m.csv").write_text(f"path\nmy clips/a.wav\n{path}\n")
    some = cli("score", "m.csv", "--models=demo", "--max-error-rate=1")
    assert some.exit_code == 0
    assert f"note: 1 of 2 paths {message}" in some.stderr and "(line 3: " in some.stderr


def test_a_name_may_look_foreign_and_be_there(cli: Cli, here: Path) -> None:
    save(here / r"a\b.wav", tone(0.3))
    (here / "m.csv").write_text("path\na\\b.wav\n")
    done = cli("score", "m.csv", "--models=demo")
    assert done.exit_code == 0 and "backslashes" not in done.stderr
