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
from emobatch.cli import main

COMMANDS = Path(__file__).parents[1] / "docs" / "commands.md"
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
