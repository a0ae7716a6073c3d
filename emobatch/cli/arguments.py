"""Arguments of which a command takes one, where a shell made many of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emobatch.manifests.segments.cutting import Cutting

# How click begins to say so.
TOO_MANY = "Got unexpected extra argument"


class OneManifest(click.Command):
    """A command that takes one manifest, and says what to do with the files of a pattern."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the command line.

        Args:
            ctx: of the command.
            args: what was typed.

        Returns:
            What is left of it.

        Raises:
            click.UsageError: if it makes no sense.
        """
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if not error.message.startswith(TOO_MANY):
                raise
            raise click.UsageError(
                "MANIFEST is one source, and several were given, as a shell makes of a pattern; "
                "put the pattern in quotes, as in 'clips/*.wav'",
                ctx,
            ) from error


def cutting_of(segments: Path | None, by: str | None) -> Cutting | None:
    """Say how recordings are cut.

    Args:
        segments: the value of ``--segments``.
        by: the value of ``--segment``.

    Returns:
        How, None if they aren't.

    Raises:
        click.UsageError: if both are given.
    """
    if segments is not None and by is not None:
        raise click.UsageError("--segments and --segment both cut recordings; give one of them")
    if segments is None and by is None:
        return None
    from emobatch.manifests.segments.cutting import Cutting

    return Cutting(segments, by)
