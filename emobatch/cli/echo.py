"""Lines that commands print, in which no value of a table or an option does anything."""

from __future__ import annotations

from typing import Any

import click

from emobatch.tables.visible import visible, visible_json


def say(line: str, *, err: bool = False) -> None:
    """Print a line.

    Args:
        line: whatever values are in it, it stays one line.
        err: whether it goes to standard error, else to standard output.
    """
    click.echo(visible(line), err=err)


def say_json(document: Any) -> None:
    """Print a JSON object on one line.

    Args:
        document: what it says.
    """
    import json  # help has no need of it

    click.echo(visible_json(json.dumps(document, ensure_ascii=False)))
