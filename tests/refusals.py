"""What a command looks like that refuses its input."""

from __future__ import annotations

from click.testing import Result


def refusal(result: Result) -> str:
    """The one line that says what is wrong; nothing else was printed."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").rstrip()
