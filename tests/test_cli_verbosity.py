"""`-q`, `-v` and `--log-file`, before and after any command's name; completion of a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from samples import csv, score_rows
from sounds import save, tone

from emobatch import __version__
from emobatch.cli.main import main

Cli = Callable[..., Result]
pytestmark = pytest.mark.usefixtures("unresampled")
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} "


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A clip that is there and one that is not."""
    save(tmp_path / "a.wav", tone(0.5))
    (tmp_path / "m.csv").write_text("path\na.wav\nmissing\x1b[31m.wav\n")
    return tmp_path / "m.csv"


def score(manifest: Path) -> list[object]:
    target = manifest.with_name("s.csv")
    return ["score", manifest, "-o", target, "--models=demo", "--max-error-rate=1", "--restart"]


@pytest.mark.parametrize("name", list(main.commands))
def test_every_command_takes_them(cli: Cli, name: str) -> None:
    text = cli(name, "--help").stdout
    assert all(option in text for option in ("-q, --quiet", "-v, --verbose", "--log-file FILE"))


def test_quiet_says_nothing_and_verbose_more(cli: Cli, manifest: Path) -> None:
    usual = cli(*score(manifest)).stderr
    assert "toys" in usual and "row 'missing" not in usual
    for quiet in (["-q", *score(manifest)], [*score(manifest), "--quiet"]):
        done = cli(*quiet)
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    more = cli(*score(manifest), "-v").stderr
    assert len(more.splitlines()) > len(usual.splitlines())
    assert r"missing\x1b[31m.wav" in more and "\x1b" not in more
    assert cli("-v", *score(manifest)).stderr.count("\n") == more.count("\n")


def test_quiet_leaves_errors_and_results(cli: Cli, tmp_path: Path) -> None:
    done = cli("score", tmp_path / "none.csv", "-q")
    assert done.exit_code == 1 and done.stderr.startswith("Error: ")
    rows = csv(score_rows(200))
    loud, quiet = cli("calibrate", input=rows), cli("calibrate", "-q", input=rows)
    assert loud.stderr and not quiet.stderr
    assert loud.stdout == quiet.stdout


def test_the_log_file_has_all_notes_with_the_time(cli: Cli, manifest: Path, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("before\n")
    assert cli(*score(manifest), "-q", "--log-file", log).stderr == ""
    before, *lines = log.read_text(encoding="utf-8").splitlines()
    assert before == "before"
    assert all(re.match(STAMP, line) for line in lines)
    said = [re.sub(STAMP, "", line) for line in lines]
    assert any("toys" in line for line in said)
    assert any(r"missing\x1b[31m.wav" in line for line in said)
    assert cli("--log-file", log, "score", tmp_path / "none.csv", "-q").exit_code == 1
    last = log.read_text(encoding="utf-8").splitlines()[-1]
    assert re.fullmatch(STAMP + r"Error: .*none\.csv: no such file or folder", last)


@pytest.mark.parametrize("first", [True, False])
def test_a_log_file_that_cant_be_written_is_one_line_before_any_work(
    cli: Cli, manifest: Path, tmp_path: Path, first: bool
) -> None:
    option = ["--log-file", tmp_path / "none" / "run.log"]
    done = cli(*option, *score(manifest)) if first else cli(*score(manifest), *option)
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert "give --log-file a file that can be written" in done.stderr
    assert not manifest.with_name("s.csv").exists()


def test_a_log_file_on_a_full_disk_ends_no_run(cli: Cli, manifest: Path) -> None:
    done = cli(*score(manifest), "--log-file", "/dev/full")
    assert done.exit_code == 0
    assert done.stderr.count("nothing more is kept there") == 1


def test_less_and_more_exclude_each_other(cli: Cli) -> None:
    for arguments in (["-q", "models", "-v"], ["models", "-v", "-q"], ["-q", "-v", "models"]):
        done = cli(*arguments)
        assert done.exit_code == 2 and "give one of them" in done.stderr


def test_version_has_a_short_name(cli: Cli) -> None:
    assert cli("-V").stdout == f"emobatch, version {__version__}\n"


def test_bash_completes_commands_and_options_at_once() -> None:
    def complete(*words: str) -> tuple[set[str], str]:
        settings = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
        code = (
            "import sys; from emobatch.cli.main import main\n"
            "try: main(prog_name='emobatch')\n"
            "except SystemExit: pass\n"
            "print({'torch', 'polars'} & {*sys.modules}, file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **settings, "_EMOBATCH_COMPLETE": "bash_complete"},
            capture_output=True,
            text=True,
        )
        assert done.stderr == "set()\n"
        return {line.split(",")[1] for line in done.stdout.splitlines()}, done.stdout

    assert complete("emobatch", "ca")[0] == {"calibrate"}
    assert {"--max-error-rate", "--max-seconds"} <= complete("emobatch", "score", "--max")[0]
