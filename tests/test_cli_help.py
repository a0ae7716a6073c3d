"""Help is there at once, and the documentation's copy of it is true."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from cogapp import Cog

from emobatch import __version__
from emobatch.cli.main import main

ROOT = Path(__file__).parents[1]
COMMANDS = ROOT / "docs" / "commands.md"
FOLDER = ROOT / "emobatch" / "cli" / "commands"
SUMMARIES = FOLDER / "summaries.py"
HEAVY = (
    *("torch", "transformers", "ctranslate2", "faster_whisper"),
    *("polars", "numpy", "rich", "scipy", "matplotlib", "jinja2"),
)


@pytest.mark.parametrize("command", [[], *([name] for name in main.commands)], ids=str)
def test_help_imports_nothing_heavy(command: list[str]) -> None:
    code = (
        "import sys, click\n"
        "from emobatch.cli.main import main\n"
        f"try: main({[*command, '--help']!r})\n"
        "except SystemExit as end: status = end.code\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "print(status, loaded, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "0 []\n"
    assert done.stdout.startswith("Usage: ")


def test_the_list_of_commands_imports_none_of_them() -> None:
    code = (
        "import sys\n"
        "from emobatch.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "loaded = {name for name in sys.modules if name.startswith('emobatch.cli.commands.')}\n"
        "loaded |= {'logging', 'json', 'dataclasses'} & set(sys.modules)\n"
        "print(loaded - {'emobatch.cli.commands.summaries'}, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "set()\n"


def test_the_list_of_commands_says_what_their_help_says(cli: Callable[..., Result]) -> None:
    assert Cog().main(["cog", "--check", str(SUMMARIES)]) == 0, f"run `cog -r {SUMMARIES}`"
    lines = [line.split(maxsplit=1) for line in cli("--help").stdout.splitlines()]
    for name, command in main.commands.items():
        beginning = command.get_short_help_str(20).removesuffix("...")
        assert any(line[0] == name and line[1].startswith(beginning) for line in lines if line)


def test_every_module_of_a_command_is_a_command() -> None:
    modules = {file.stem for file in FOLDER.glob("*.py")} - {"__init__", SUMMARIES.stem}
    assert modules == set(main.commands)


def test_the_help_texts_are_documented_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    checked = Cog().main(["cog", "--check", str(COMMANDS)])
    assert checked == 0, "run `cog -r docs/commands.md`"


def test_every_command_has_a_section() -> None:
    text = COMMANDS.read_text(encoding="utf-8")
    for name in main.commands:
        assert f"\n## emobatch {name}\n" in text


def test_version(cli: Callable[..., Result]) -> None:
    assert cli("--version").stdout == f"emobatch, version {__version__}\n"


def test_an_unknown_command_is_status_2(cli: Callable[..., Result]) -> None:
    assert cli("scroe").exit_code == 2
