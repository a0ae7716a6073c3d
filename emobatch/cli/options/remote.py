"""Options of files that aren't on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emobatch.cli.options.together import together
from emobatch.errors import StorageError
from emobatch.storage.address import SCHEMES, Address, Place, is_address

if TYPE_CHECKING:
    from emobatch.storage.access import Access

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


class Size(click.ParamType[int]):
    """A number of bytes: ``500MB``, ``20GB``; ``GiB`` for powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it.

        Args:
            value: what was typed.
            param: the option.
            ctx: of the command.

        Returns:
            Bytes.
        """
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *([kmgt]?)(i?)b?", value.strip().lower())
        if not found or not float(found[1]):
            self.fail(f"{value!r}: give a size as in 500MB, 20GB or 1TB", param, ctx)
        unit = UNITS[found[2]]
        if found[3]:
            unit = 1024 ** list(UNITS).index(found[2])
        return int(float(found[1]) * unit)


class PathOrAddress(click.Path):
    """A file or a folder of this machine, or the address of one elsewhere."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it.

        Args:
            value: what was typed.
            param: the option.
            ctx: of the command.

        Returns:
            A path or an address.
        """
        if isinstance(value, str) and is_address(value):
            try:
                return Address.parse(value)
            except StorageError as error:
                self.fail(str(error), param, ctx)
        return value if isinstance(value, Place) else super().convert(value, param, ctx)


table_option = click.option(
    "-o",
    "--output",
    type=PathOrAddress(path_type=Path),
    help="File to write; its extension names the format. An address (s3, gs) has saved work beside "
    "it too. Without it, standard output.",
)
place_option = click.option(
    "--root",
    type=PathOrAddress(path_type=Path, file_okay=False, exists=True),
    metavar="DIRECTORY",
    help="Folder that paths are relative to, or its address. Default: the manifest's own.",
)
remote_options = together(
    click.option(
        "--allow-remote",
        is_flag=True,
        help="Fetch files that rows name by an address: "
        f"{', '.join(f'{scheme}://' for scheme in SCHEMES)}. Rows of a manifest that is at one "
        "may name them without.",
    ),
    click.option(
        "--cache",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="FOLDER",
        help="Keep fetched files there, for other jobs and later runs.  [default: a temporary "
        "folder]",
    ),
    click.option(
        "--cache-size",
        type=Size(),
        default="10GB",
        show_default=True,
        metavar="SIZE",
        help="Of all fetched files that are kept; those used least recently go first.",
    ),
)


def access_of(options: dict[str, Any]) -> Access:
    """Take what may be fetched out of a command's options.

    Args:
        options: of the command; those of :func:`remote_options` are taken out.

    Returns:
        What may be.
    """
    from emobatch.storage.access import Access

    allowed, cache = options.pop("allow_remote"), options.pop("cache")
    return Access(
        allowed=allowed,
        cache=None if cache is None else cache.absolute(),
        cache_bytes=options.pop("cache_size"),
    )
