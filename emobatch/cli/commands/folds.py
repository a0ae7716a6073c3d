"""`emobatch folds`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.options.results import output_option
from emobatch.cli.options.sources import form_option
from emobatch.cli.parts import Part
from emobatch.splits.schemes import SCHEMES


@click.command()
@click.argument("manifest")
@form_option
@click.option(
    "--scheme",
    required=True,
    type=Part(SCHEMES),
    help="What tests: a speaker, the session's other one validating (iemocap10); a session, "
    "20% of the rest validating (msp-improv6); the last session's female speaker, its male one "
    "validating; a tenth of each label, the next one validating; one of a column, the next "
    "validating; or speakers and scripts that are both new.",
)
@click.option(
    "--fold",
    type=click.IntRange(min=1),
    metavar="K",
    help="Write only the Kth fold's rows, for `score` with its checkpoint.",
)
@click.option(
    "--groups",
    type=click.IntRange(min=2),
    metavar="N",
    help="Deal speakers, sessions, scripts into N groups that test together.  "
    "[default: each alone; speaker+script: 5]",
)
@click.option("--seed", default=0, show_default=True, help="Of what is drawn at random.")
@output_option
def folds(manifest: str, output: Path | None, **options: Any) -> None:
    """Add columns `fold` and `split` (train, val, test) to MANIFEST.

    MANIFEST is any table, or what `emobatch manifest` reads; `-` is CSV on standard input. Writes
    its rows once for each fold. With speaker+script, training rows that have a speaker or a script
    of test are left out of that fold; standard error says how many.
    """
    from emobatch.splits.folds import folds as run

    run(manifest, output, **options)
