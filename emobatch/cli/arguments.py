"""Arguments of which a command takes one, where a shell made many of it."""

from __future__ import annotations

import click

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
