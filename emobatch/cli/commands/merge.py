"""`emobatch merge`."""

from __future__ import annotations

from pathlib import Path

import click

from emobatch.cli.options.results import output_option


@click.command()
@click.argument("shards", nargs=-1, required=True)
@output_option
def merge(shards: tuple[str, ...], output: Path | None) -> None:
    """Join the tables that `score --shard` wrote into one, in the manifest's order.

    SHARDS are files or globs of them. Fails, naming them, if shards are missing or doubled.
    """
    from emobatch.manifests.merge import merge as run

    run(shards, output)
