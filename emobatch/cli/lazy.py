"""Commands that are imported when they are asked for, so that the list of them is there at once."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module

import click

from emobatch.cli.commands import NAMES
from emobatch.cli.commands.summaries import SUMMARIES
from emobatch.cli.verbosity import with_verbosity

PACKAGE = "emobatch.cli.commands"
# No first sentence is longer than this many characters.
WHOLE = 10_000


class Commands(MutableMapping[str, click.Command]):
    """All commands by name, in order; each is imported when it is first looked up."""

    def __init__(self) -> None:
        """Know their names."""
        self._loaded: dict[str, click.Command | None] = dict.fromkeys(NAMES)

    def __getitem__(self, name: str) -> click.Command:
        """Import a command."""
        command = self._loaded[name]
        if command is None:
            command = with_verbosity(getattr(import_module(f"{PACKAGE}.{name}"), name))
            self._loaded[name] = command
        return command

    def __setitem__(self, name: str, command: click.Command) -> None:
        """Add a command, as click does."""
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        """Take a command away."""
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Names, in order."""
        return iter(self._loaded)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._loaded)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a command."""
        return name in self._loaded


def summary(command: click.Command) -> str:
    """The first sentence of a command's help.

    Args:
        command: any.

    Returns:
        What stands in ``SUMMARIES``.

    Examples:
        >>> summary(click.Command("sing", help="Sing a song. It may be long."))
        'Sing a song.'
    """
    return command.get_short_help_str(WHOLE)


def listed() -> click.Group:
    """The commands as a list of them shows them, and no more.

    Returns:
        A group that has names and summaries; its commands do nothing.
    """
    return click.Group(
        commands=[click.Command(name, help=text) for name, text in SUMMARIES.items()]
    )
