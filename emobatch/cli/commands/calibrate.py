"""`emobatch calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.options import (
    label_column_option,
    label_map_option,
    output_option,
    protocol_option,
    scores_argument,
    where_option,
)


@click.command()
@scores_argument
@output_option
@where_option
@protocol_option
@click.option(
    "--bootstrap",
    type=click.IntRange(min=0),
    metavar="N",
    help="Resamples that say how firm the choice is; 0 for none.  "
    "[default: 200, for up to 50,000 rows]",
)
@label_column_option
@label_map_option
@click.option("--force", is_flag=True, help="Read tables of several runs that differ as one.")
def calibrate(scores: tuple[str, ...], output: Path | None, **options: Any) -> None:
    """Fit thresholds, mapping and exclusions on the labelled rows of SCORES.

    SCORES are score tables or globs of them; without any, CSV on standard input. Writes a
    thresholds file (TOML), and to standard error what was found and how firm that is.
    """
    from emobatch.cli.console import show_calibration
    from emobatch.cli.views.firmness import show_firmness
    from emobatch.fusion.calibrate import calibrate as run

    found = run(scores, output, **options)
    show_calibration(found)
    show_firmness(found.thresholds)
