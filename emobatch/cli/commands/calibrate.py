"""`emobatch calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.options.fitting import fit_options
from emobatch.cli.options.results import output_option
from emobatch.cli.options.tables import (
    label_column_option,
    label_map_option,
    scores_argument,
    sentiment_map_option,
    trained_on_option,
    where_option,
)
from emobatch.cli.parts import Part
from emobatch.fusion.methods import BEST, DEFAULT, METHODS


@click.command()
@scores_argument
@output_option
@where_option
@click.option(
    "--method",
    type=Part(METHODS, others=(BEST,)),
    default=DEFAULT,
    show_default=True,
    help="How both branches are fused; best leaves speakers out, and takes the simplest method "
    "that is within a standard error of the best.",
)
@fit_options
@sentiment_map_option
@click.option(
    "--bootstrap",
    type=click.IntRange(min=0),
    metavar="N",
    help="Resamples that say how firm what was fitted is; 0 for none.  "
    "[default: 200, for up to 50,000 rows]",
)
@label_column_option
@label_map_option
@trained_on_option
@click.option("--force", is_flag=True, help="Read tables of several runs that differ as one.")
def calibrate(scores: tuple[str, ...], output: Path | None, **options: Any) -> None:
    """Fit a method of fusion on the labelled rows of SCORES.

    SCORES are score tables or globs of them; without any, CSV on standard input. Writes a
    thresholds file (TOML), and to standard error what was found and how firm that is.
    """
    from emobatch.cli.views.calibration import show_calibration
    from emobatch.fusion.calibrate import calibrate as run

    show_calibration(run(scores, output, **options))
