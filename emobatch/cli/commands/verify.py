"""`emobatch verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.echo import say_json
from emobatch.cli.options.devices import table_device_options
from emobatch.cli.options.models import offline_option, table_model_options
from emobatch.cli.options.remote import PathOrAddress, access_of, remote_options
from emobatch.cli.options.results import json_option


@click.command()
@click.argument("scores")
@click.option("--sample", default=50, show_default=True, type=click.IntRange(min=1), metavar="ROWS")
@click.option("--seed", default=0, show_default=True, help="Another seed takes other rows.")
@click.option(
    "--tolerance",
    default=1e-5,
    show_default=True,
    type=click.FloatRange(min=0),
    help="By how much probabilities may differ. Half precision needs more than the default.",
)
@click.option(
    "--root",
    type=PathOrAddress(path_type=Path, file_okay=False, exists=True),
    metavar="DIRECTORY",
    help="Folder that paths are relative to, or its address. Default: the table's own.",
)
@remote_options
@table_model_options
@table_device_options
@offline_option
@json_option
def verify(scores: str, as_json: bool, **options: Any) -> None:
    """Score a sample of the rows of SCORES again, one at a time, and compare.

    SCORES is a table that `score -o` wrote; it says which models and options to take. Fails if
    those models have other weights by now, and names every value that differs: figures by more
    than the tolerance, texts at all. Rows with status `error` are not looked at.
    """
    from dataclasses import asdict

    from emobatch.cli import console
    from emobatch.cli.progress import Bar
    from emobatch.scoring.verify import verify as run

    access = access_of(options)
    with Bar() as progress:
        result = run(scores, progress=progress, access=access, **options)
    if as_json:
        say_json(asdict(result))
    else:
        console.show_verification(result)
    result.refuse_differences()
