"""How much is said on standard error, and where else: options that every command takes."""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, TypeVar

import click

from emobatch.errors import OutputError, first_line

Command = TypeVar("Command", bound=click.Command)

# By which the hub's library is told to show no bars of its own.
NO_BARS_SETTING = "HF_HUB_DISABLE_PROGRESS_BARS"

# Where the options stand in click's ``meta``, which a command shares with the group before it.
QUIET, VERBOSE, LOG_FILE = (f"{__name__}.{name}" for name in ("quiet", "verbose", "log_file"))


def is_quiet() -> bool:
    """Whether nothing but errors is to be said, by the command that is running."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


def options() -> list[click.Option]:
    """Make the options anew, as each command has its own.

    Returns:
        ``-q``, ``-v`` and ``--log-file``; what they say is in the ``meta`` of click's context.
    """
    return [
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            expose_value=False,
            callback=_take(QUIET),
            help="Say nothing on standard error but errors.",
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            expose_value=False,
            callback=_take(VERBOSE),
            help="Say more on standard error: what was found, how long it took, which rows failed.",
        ),
        click.Option(
            ["--log-file"],
            type=click.Path(path_type=Path),
            expose_value=False,
            callback=_take(LOG_FILE),
            metavar="FILE",
            help="Add all that -v would say, with the time, to FILE.",
        ),
    ]


def check_log_file(meta: MutableMapping[str, Any]) -> None:
    """Refuse a file that can't be written, before hours of work are to be noted there.

    Args:
        meta: of click's context.

    Raises:
        OutputError: if it can't.
    """
    file: Path | None = meta.get(LOG_FILE)
    if file is None:
        return
    try:
        with file.open("a"):
            pass
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in a name
        del meta[LOG_FILE]  # that it can't be written isn't to be noted there
        raise OutputError(
            f"{file}: {first_line(error)}; give --log-file a file that can be written"
        ) from error


def with_verbosity(command: Command) -> Command:
    """Give a command the options, after its own and before its help.

    Args:
        command: any.

    Returns:
        The same command.
    """
    if not any(parameter.name == "log_file" for parameter in command.params):
        command.params.extend(options())
    return command


def _take(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def take(context: click.Context, option: click.Parameter, value: Any) -> None:
        if not value:
            return
        context.meta[key] = value
        if context.meta.get(QUIET) and context.meta.get(VERBOSE):
            raise click.UsageError("-q says less and -v says more; give one of them")
        if key == QUIET:
            os.environ[NO_BARS_SETTING] = "1"
        if context.parent is not None:  # before a command, its errors are nobody's to print yet
            check_log_file(context.meta)

    return take
