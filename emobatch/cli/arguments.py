"""The manifest that a command takes, and how it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emobatch.cli.options.remote import access_of

if TYPE_CHECKING:
    from emobatch.manifests.reading import Reading
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


def reading_of(options: dict[str, Any]) -> Reading:
    """Take how a manifest is read out of a command's options.

    Args:
        options: of the command, which may have any of these; they are taken out.

    Returns:
        How it is read.

    Raises:
        click.UsageError: if recordings are to be cut in two ways.
    """
    from dataclasses import fields

    from emobatch.manifests.columns import ManifestColumns
    from emobatch.manifests.reading import AS_IT_IS, Reading

    columns = {
        field.name: options.pop(f"{field.name}_column", None) for field in fields(ManifestColumns)
    }
    return Reading(
        root=options.pop("root", None),
        form=options.pop("form", None),
        pattern=options.pop("pattern", None),
        columns=ManifestColumns(**columns),
        cutting=_cutting(options.pop("segments", None), options.pop("cut_by", None)),
        confine=options.pop("confine", False),
        access=access_of(options) if "allow_remote" in options else AS_IT_IS.access,
    )


def _cutting(segments: Path | None, by: str | None) -> Cutting | None:
    if segments is not None and by is not None:
        raise click.UsageError("--segments and --segment both cut recordings; give one of them")
    if segments is None and by is None:
        return None
    from emobatch.manifests.segments.cutting import Cutting

    return Cutting(segments, by)
