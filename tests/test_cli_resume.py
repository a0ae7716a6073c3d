"""What a run goes on with: its own table and its own saved work, and nothing that only looks it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from sounds import save, tone

Cli = Callable[..., Result]
DEMO = ("--models", "demo", "--text", "none", "--max-error-rate", "1")
SOMEBODY = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def refusal(result: Result) -> str:
    """What is wrong, in one line after the note that the demo's models are toys."""
    assert result.exit_code == 1 and result.stdout == ""
    note, *_, error = result.stderr.splitlines()
    assert note.startswith("note: the demo's models") and error.startswith("Error: ")
    return error


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of a manifest of which two files are missing."""
    from click.testing import CliRunner

    from emobatch.cli.main import main

    folder = tmp_path_factory.mktemp("whole")
    for number in (0, 2, 4):
        save(folder / f"{number}.wav", tone(0.3 + number / 10, hertz=200 + 90 * number))
    said = ['hello, "you"', "", "well", "", "two\nlines"]
    rows = "".join(
        f'{n}.wav,{9 - n},"{text.replace(chr(34), 2 * chr(34))}"\n' for n, text in enumerate(said)
    )
    (folder / "m.csv").write_text("path,id,note\n" + rows)
    for extension in ("csv", "tsv", "parquet", "jsonl"):
        target = folder / f"s.{extension}"
        arguments = ["score", str(folder / "m.csv"), "-o", str(target), *DEMO]
        assert CliRunner().invoke(main, arguments).exit_code == 0
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def rewrite(table: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change a table as a user would who keeps what is stored with it."""
    if table.suffix == ".parquet":
        made = pl.read_parquet_metadata(table)
        made.pop("ARROW:schema", None)
        change(pl.read_parquet(table)).write_parquet(table, metadata=made)
        return
    if table.suffix == ".jsonl":
        change(pl.read_ndjson(table)).write_ndjson(table)
        return
    separator = "\t" if table.suffix == ".tsv" else ","
    rows = pl.read_csv(table, separator=separator, infer_schema=False)
    change(rows).write_csv(table, separator=separator)


def other_score(rows: pl.DataFrame) -> pl.DataFrame:
    first = pl.int_range(pl.len()) == 0
    value = pl.lit(0.25).cast(rows.schema["entropy"])
    return rows.with_columns(entropy=pl.when(first).then(value).otherwise("entropy"))


def other_text(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(cleaned_text=pl.lit("changed"))


CHANGES: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "sorted": lambda rows: rows.sort("id"),
    "cut": lambda rows: rows.head(3),
    "other ids": lambda rows: rows.with_columns(id=pl.col("id") + "x"),
    "a row twice": lambda rows: pl.concat([rows.head(4), rows.head(1)]),
    "a score": other_score,
    "a text": other_text,
    "a column less": lambda rows: rows.drop("varentropy"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("extension", ["csv", "parquet", "jsonl"])
def test_a_table_that_was_changed_is_not_gone_on_with(
    cli: Cli, folder: Path, extension: str, change: str
) -> None:
    table = folder / f"s.{extension}"
    rewrite(table, CHANGES[change])
    before = table.read_bytes()
    save(folder / "1.wav", tone(0.7))
    for more in ([], ["--retry-errors"]):
        message = refusal(cli("score", folder / "m.csv", "-o", table, *DEMO, *more))
        assert "was changed since it was written" in message and "--restart" in message
    assert table.read_bytes() == before
    assert not list(folder.glob("*.parts"))


def test_a_text_table_whose_middle_was_edited_shows_too(cli: Cli, folder: Path) -> None:
    """Its ends and its length, by which it is known at once, are the same."""
    table, beside = folder / "s.csv", folder / "s.csv.meta.json"
    rewrite(table, other_text)
    made = json.loads(beside.read_text())
    from emobatch.tables import stored

    beside.write_text(json.dumps({**made, "content": stored.fingerprint(table)}))
    message = refusal(cli("score", folder / "m.csv", "-o", table, *DEMO))
    assert "other values in cleaned_text" in message


@pytest.mark.parametrize("extension", ["csv", "tsv", "parquet", "jsonl"])
def test_the_failed_rows_are_scored_again_and_no_others(
    cli: Cli, folder: Path, extension: str
) -> None:
    table = folder / f"s.{extension}"
    save(folder / "3.wav", tone(1.5))
    command = ("score", folder / "m.csv", "-o", table, *DEMO, "--retry-errors")
    assert cli(*command).exit_code == 0
    rows = read(table)
    assert rows["id"].to_list() == ["9", "8", "7", "6", "5"]
    assert rows["status"].to_list() == ["ok", "error", "ok", "ok", "ok"]
    assert rows["error"].is_null().to_list() == [True, False, True, True, True]
    assert rows["duration"].cast(pl.Float64)[3] == 1.5
    # What came of it is whole in its turn.
    assert cli(*command).exit_code == 0
    assert cli("score", folder / "m.csv", "-o", table, *DEMO).exit_code == 0


def read(table: Path) -> pl.DataFrame:
    if table.suffix == ".parquet":
        return pl.read_parquet(table)
    if table.suffix == ".jsonl":
        return pl.read_ndjson(table)
    separator = "\t" if table.suffix == ".tsv" else ","
    return pl.read_csv(table, separator=separator, infer_schema=False)


def test_a_table_of_before_is_gone_on_with(cli: Cli, folder: Path) -> None:
    """It says nothing of its rows, nor of its models' settings."""
    table = folder / "s.parquet"
    made = json.loads(pl.read_parquet_metadata(table)["emobatch"])
    del made["table"]
    for model in made["models"].values():
        del model["settings"]
    pl.read_parquet(table).write_parquet(table, metadata={"emobatch": json.dumps(made)})
    command = ("score", folder / "m.csv", "-o", table, *DEMO, "--retry-errors")
    save(folder / "3.wav", tone(1.5))
    rewrite(table, lambda rows: rows.sort("id"))
    assert "its rows aren't the manifest's, in order" in refusal(cli(*command))
    rewrite(table, lambda rows: rows.sort("id", descending=True))
    assert cli(*command).exit_code == 0
    assert pl.read_parquet(table)["status"][3] == "ok"
    made["models"]["speech"]["digest"] = "sha256:0"
    pl.read_parquet(table).write_parquet(table, metadata={"emobatch": json.dumps(made)})
    assert "models.speech.digest" in refusal(cli(*command))


@pytest.fixture
def parts(cli: Cli, folder: Path) -> Path:
    """The saved work of a run that was killed after its only chunk."""
    table = folder / "s.parquet"
    made = json.loads(pl.read_parquet_metadata(table)["emobatch"])
    chunk = folder / "s.parquet.parts" / f"{0:012d}.parquet"
    chunk.parent.mkdir()
    pl.read_parquet(table).with_columns(cleaned_text=pl.lit("saved")).write_parquet(chunk)
    run = {key: value for key, value in made.items() if key != "table"}
    (chunk.parent / "run.json").write_text(json.dumps(run))
    (chunk.parent / "lock").touch()
    table.unlink()
    return chunk.parent


def test_saved_work_of_ones_own_is_gone_on_with(cli: Cli, folder: Path, parts: Path) -> None:
    # What a killed run was writing is rubbish.
    for file in (parts / ".000000000064.parquet.x1.tmp", folder / ".s.parquet.x2.tmp"):
        file.write_bytes(b"PAR1")
    assert cli("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO).exit_code == 0
    assert not list(folder.rglob("*.tmp"))
    rows = pl.read_parquet(folder / "s.parquet")
    assert rows["cleaned_text"].unique().to_list() == ["saved"]
    assert not parts.exists()


def test_a_chunk_that_is_lost_or_put_there_shows(cli: Cli, folder: Path, parts: Path) -> None:
    (chunk,) = parts.glob("0*.parquet")
    pl.read_parquet(chunk).head(4).write_parquet(chunk)
    message = refusal(cli("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO))
    assert "its rows aren't the manifest's" in message and "--restart" in message
    assert not (folder / "s.parquet").exists()


@pytest.mark.parametrize("name", ["lock", "run.json", "whole", "000000000000.parquet", "."])
def test_saved_work_that_is_a_link_is_refused(
    cli: Cli, folder: Path, parts: Path, name: str
) -> None:
    """A link named `lock` had the file emptied that it leads to."""
    link = parts / name
    mine = folder / "mine"
    if link.exists():
        link.resolve().rename(mine)
    else:
        mine.write_text("precious")
    Path(os.path.normpath(link)).symlink_to(mine)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for restart in ([], ["--restart"]):
        result = cli("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO, *restart)
        assert "is a link" in refusal(result)
    assert before == {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["lock", "run.json"])
def test_a_link_that_leads_nowhere_is_not_written_through(
    cli: Cli, folder: Path, name: str
) -> None:
    parts = folder / "new.csv.parts"
    parts.mkdir()
    (parts / name).symlink_to(folder / "made")
    message = refusal(cli("score", folder / "m.csv", "-o", folder / "new.csv", *DEMO))
    assert "is a link" in message
    assert not (folder / "made").exists()


@as_root
@pytest.mark.parametrize("name", ["lock", "run.json", "000000000000.parquet", "."])
def test_saved_work_of_another_user_is_refused(
    cli: Cli, folder: Path, parts: Path, name: str
) -> None:
    os.chown(parts / name, SOMEBODY, -1)
    message = refusal(cli("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO))
    assert "belongs to another user" in message
    assert not (folder / "s.parquet").exists()


def test_new_files_have_the_users_mode(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import polars as pl;"
        "from emobatch.scoring.parts import Parts;"
        "parts = Parts.open(Path(sys.argv[1]), {}, restart=False);"
        "parts.add(0, pl.DataFrame({'id': ['a']}))"
    )
    target = folder / "new.csv"
    subprocess.run([sys.executable, "-c", script, target], check=True, umask=0o027)
    parts = folder / "new.csv.parts"
    modes = {file.name: file.stat().st_mode & 0o777 for file in [parts, *parts.iterdir()]}
    assert modes.pop("new.csv.parts") == 0o750
    assert len(modes) == 3 and set(modes.values()) == {0o640}


SHARED = """
import io, os, sys
from pathlib import Path
import polars as pl
from emobatch.errors import ResumeError
from emobatch.scoring.parts import Parts
pl.DataFrame({"id": ["a"]}).write_parquet(io.BytesIO())
os.setuid(int(sys.argv[2]))  # only now, for the interpreter may be root's own
try:
    with Parts.open(Path(sys.argv[1]), {}, restart=True) as parts:
        parts.add(0, pl.DataFrame({"id": ["a"]}))
        parts.clear()
except ResumeError as error:
    print(error)
"""


@as_root
@pytest.mark.parametrize("planted", [".parts", ".parts/run.json", ".parts/lock"])
def test_in_a_folder_that_all_may_write_to_anothers_work_is_refused(planted: str) -> None:
    # Not below pytest's own folder, which nobody else may enter.
    with tempfile.TemporaryDirectory() as name:
        shared = Path(name)
        shared.chmod(0o1777)
        target = shared / "s.csv"
        parts = shared / "s.csv.parts"
        parts.mkdir()
        if planted != ".parts":
            os.chown(parts, SOMEBODY, -1)
            (parts / planted.rpartition("/")[2]).write_text("{}")
        for path in (parts, *parts.iterdir()):
            path.chmod(0o777)  # so that nothing but whose it is stands in the way
        before = sorted(shared.rglob("*"))
        command = [sys.executable, "-c", SHARED, str(target), str(SOMEBODY)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "belongs to another user" in done.stdout
        assert sorted(shared.rglob("*")) == before


@as_root
def test_in_a_folder_that_all_may_write_to_ones_own_work_is_saved_and_cleared() -> None:
    with tempfile.TemporaryDirectory() as name:
        shared = Path(name)
        shared.chmod(0o1777)
        # What looks like an unfinished write, and can't be removed.
        (shared / ".s.csv.abc.tmp").write_text("another's")
        command = [sys.executable, "-c", SHARED, str(shared / "s.csv"), str(SOMEBODY)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert [file.name for file in shared.iterdir()] == [".s.csv.abc.tmp"]


def test_a_folder_that_looks_like_an_unfinished_write_is_no_matter(cli: Cli, folder: Path) -> None:
    (folder / ".new.csv.abc.tmp").mkdir()
    result = cli("score", folder / "m.csv", "-o", folder / "new.csv", *DEMO)
    assert result.exit_code == 0, result.stderr
    assert not (folder / "new.csv.parts").exists()


RACE = """
import os, sys, time
from pathlib import Path
from emobatch.errors import ResumeError
from emobatch.scoring.parts import Parts
target, beside, held = Path(sys.argv[1]), Path(sys.argv[2]), 0
(beside / str(os.getpid())).touch()
while len([*beside.iterdir()]) < 3:
    time.sleep(0.01)  # all have imported what they need
until = time.monotonic() + 0.3
while time.monotonic() < until:
    try:
        with Parts.open(target, {}, restart=False):
            # Fails where somebody else holds the folder as well.
            os.close(os.open(target.with_suffix(".held"), os.O_CREAT | os.O_EXCL))
            os.unlink(target.with_suffix(".held"))
            held += 1
    except ResumeError as error:
        if "another run is writing there" not in str(error):
            raise
print(held)
"""


def test_two_runs_never_hold_the_same_folder(tmp_path: Path) -> None:
    folder, beside = tmp_path / "runs", tmp_path / "started"
    folder.mkdir()
    beside.mkdir()
    command = [sys.executable, "-c", RACE, str(folder / "s.csv"), str(beside)]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for run in runs:
        said, wrong = run.communicate(timeout=600)
        assert run.returncode == 0, wrong
        assert int(said) > 10
    assert list(folder.iterdir()) == []


def test_a_run_begun_with_restart_goes_on_without_it(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table that it is to replace was taken for whole, and its saved work dropped."""
    from emobatch.scoring.parts import Parts

    save(tmp_path / "a.wav", tone(0.3))
    lines = [f"a.wav,{number},said\n" for number in range(128)]  # two chunks
    (tmp_path / "m.csv").write_text("path,id,transcript\n" + "".join(lines))
    target = tmp_path / "s.csv"
    command = ("score", tmp_path / "m.csv", "-o", target, *DEMO)
    assert cli(*command).exit_code == 0
    before, add = target.stat().st_ino, Parts.add

    def add_and_stop(self: Parts, first: int, frame: pl.DataFrame) -> None:
        add(self, first, frame)
        raise KeyboardInterrupt("interrupted by SIGTERM")

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "add", add_and_stop)
        stopped = cli(*command, "--restart")
    assert stopped.exit_code == 75
    assert "the same command without --restart goes on" in stopped.stderr
    parts = target.with_name("s.csv.parts")
    assert [*parts.glob("[0-9]*.parquet")]
    again = cli(*command)
    assert again.exit_code == 0 and "64 of 128 rows are saved" in again.stderr
    assert target.stat().st_ino != before and not parts.exists()
    assert len(pl.read_csv(target)) == len(lines)


def test_the_saved_work_is_of_the_manifest_as_it_was(cli: Cli, folder: Path, parts: Path) -> None:
    text = (folder / "m.csv").read_text()
    (folder / "m.csv").write_text(text.replace("well", "ill"))
    message = refusal(cli("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO))
    assert "a run that differs in manifest; " in message


def test_a_chunk_with_any_failed_row_is_scored_again_when_told(
    cli: Cli, folder: Path, parts: Path
) -> None:
    save(folder / "3.wav", tone(1.5))
    command = ("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO, "--retry-errors")
    assert cli(*command).exit_code == 0
    assert read(folder / "s.parquet")["status"].to_list() == ["ok", "error", "ok", "ok", "ok"]


def test_a_chunk_is_there_whole_or_not_at_all(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(frame: pl.DataFrame, file: Path) -> None:
        Path(file).write_bytes(b"PAR1 and no more")
        raise OSError(28, "No space left on device")

    target = folder / "new.csv"
    command = ("score", folder / "m.csv", "-o", target, *DEMO)
    with monkeypatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", write_half)
        assert "No space left on device" in refusal(cli(*command))
    assert not list(folder.glob("new.csv.parts/*.parquet"))
    assert cli(*command).exit_code == 0


def test_what_is_left_of_a_run_that_ended_is_rubbish(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It was killed after its table was written, and before its chunks were removed."""
    from emobatch.models.choice import Choice
    from emobatch.scoring.parts import Parts
    from emobatch.scoring.score import score

    def die(self: Parts) -> None:
        raise KeyboardInterrupt("killed")

    target = folder / "new.parquet"
    command = ("score", folder / "m.csv", "-o", target, *DEMO)
    with monkeypatch.context() as patch:
        patch.setattr(Parts, "clear", die)
        with pytest.raises(KeyboardInterrupt, match="killed"):
            score(str(folder / "m.csv"), target, Choice(models="demo", text="none"))
    assert list(folder.glob("new.parquet.parts/0*.parquet"))
    written = target.stat().st_mtime_ns
    assert cli(*command).exit_code == 0
    assert "is whole, nothing to do" in caplog.text
    assert target.stat().st_mtime_ns == written
    assert not list(folder.glob("*.parts"))


def test_chunks_of_other_failed_rows_are_thrown_away(cli: Cli, folder: Path) -> None:
    table = folder / "s.parquet"
    made = json.loads(pl.read_parquet_metadata(table)["emobatch"])
    left = folder / "s.parquet.parts"
    left.mkdir()
    pl.read_parquet(table).head(1).write_parquet(left / f"{0:012d}.parquet")
    run = {key: value for key, value in made.items() if key != "table"}
    (left / "run.json").write_text(json.dumps({**run, "retry": "of other rows"}))
    save(folder / "3.wav", tone(1.5))
    command = ("score", folder / "m.csv", "-o", table, *DEMO, "--retry-errors")
    assert cli(*command).exit_code == 0
    assert read(table)["status"].to_list() == ["ok", "error", "ok", "ok", "ok"]


def test_a_final_table_is_none_to_go_on_with(cli: Cli, folder: Path) -> None:
    table = folder / "s.parquet"
    made = json.loads(pl.read_parquet_metadata(table)["emobatch"])
    final = {"emobatch": json.dumps({**made, "thresholds": {"file": "a.toml"}})}
    pl.read_parquet(table).write_parquet(table, metadata=final)
    message = refusal(cli("score", folder / "m.csv", "-o", table, *DEMO))
    assert "it is a final table" in message


@pytest.mark.parametrize("name", ["run.json", "0" * 12 + ".parquet"])
def test_damaged_saved_work_says_so(cli: Cli, folder: Path, parts: Path, name: str) -> None:
    (parts / name).write_bytes(b"{ PAR1 no more")
    message = refusal(cli("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO))
    assert "damaged" in message and "begin anew with --restart" in message


def test_what_is_neither_a_folder_nor_a_file_is_in_the_way(cli: Cli, folder: Path) -> None:
    os.mkfifo(folder / "new.csv.parts")
    message = refusal(cli("score", folder / "m.csv", "-o", folder / "new.csv", *DEMO))
    assert "new.csv.parts: is in the way and not emobatch's; move it elsewhere" in message


def test_a_link_that_is_planted_as_a_run_goes_on_is_not_written_through(tmp_path: Path) -> None:
    from emobatch.errors import ResumeError
    from emobatch.scoring.parts import Parts

    with Parts.open(tmp_path / "s.csv", {"manifest": "x"}, restart=False) as parts:
        (parts.folder / f"{0:012d}.parquet").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ResumeError, match="is a link, which saved work never is"):
            parts.add(0, pl.DataFrame({"id": ["a"]}))
        (parts.folder / f"{0:012d}.parquet").unlink()
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_that_is_refused_holds_nothing(cli: Cli, folder: Path, parts: Path) -> None:
    command = ("score", folder / "m.csv", "-o", folder / "s.parquet", *DEMO)
    assert "--beam-size (was 1)" in refusal(cli(*command, "--beam-size", 2))
    assert cli(*command).exit_code == 0


def test_where_no_row_failed_there_is_nothing_to_score_again(
    cli: Cli, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("1.wav", "3.wav"):
        save(folder / name, tone(0.5))
    command = ("score", folder / "m.csv", "-o", folder / "s.csv", *DEMO, "--retry-errors")
    assert cli(*command).exit_code == 0
    written = (folder / "s.csv").stat().st_mtime_ns
    caplog.clear()
    assert cli(*command).exit_code == 0
    (said,) = [each for each in caplog.messages if "whole" in each]
    assert said == f"note: {folder / 's.csv'} is whole, nothing to do"
    assert (folder / "s.csv").stat().st_mtime_ns == written


def test_what_the_user_chose_is_noted_and_not_what_the_device_made_of_it(
    cli: Cli, folder: Path
) -> None:
    """What is free on a device may differ when a run goes on."""
    target = folder / "new.parquet"
    command = ("score", folder / "m.csv", "-o", target, *DEMO)
    assert cli(*command, "--clean", " lowercase , numbers").exit_code == 0
    options = json.loads(pl.read_parquet_metadata(target)["emobatch"])["options"]
    assert (options["batch_seconds"], options["clean"]) == (None, "lowercase,numbers")
    again = cli(*command, "--clean=lowercase,numbers", "--batch-seconds=7")
    assert "differs in --batch-seconds (was its default); " in refusal(again)
