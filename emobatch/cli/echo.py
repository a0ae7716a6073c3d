"""Lines that commands print, in which no value of a table or an option does anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from emobatch.errors import OutputError, first_line
from emobatch.tables.visible import visible, visible_json


@contextmanager
def printing(*, err: bool = False) -> Iterator[None]:
    """Say of what can't be printed where it can't.

    Args:
        err: whether it goes to standard error, else to standard output.

    Yields:
        Nothing.

    Raises:
        OutputError: in place of the system's errors, but that nobody reads on.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # whoever reads has had enough: nobody's fault
    except OSError as error:
        stream = "standard error" if err else "standard output"
        raise OutputError(
            f"{stream}: {first_line(error)}; make room, or print elsewhere"
        ) from error


def say(line: str, *, err: bool = False) -> None:
    """Print a line.

    Args:
        line: whatever values are in it, it stays one line.
        err: whether it goes to standard error, else to standard output.
    """
    with printing(err=err):
        click.echo(visible(line), err=err)


def say_json(document: Any) -> None:
    """Print a JSON object on one line.

    Args:
        document: what it says.
    """
    import json  # help has no need of it

    with printing():
        click.echo(visible_json(json.dumps(document, ensure_ascii=False)))
