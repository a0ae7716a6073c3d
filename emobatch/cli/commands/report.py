"""`emobatch report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.options.tables import (
    label_column_option,
    label_map_option,
    sentiment_map_option,
    trained_on_option,
    where_option,
)


@click.command()
@click.argument("final", nargs=-1, metavar="[FINAL]...")
@click.option(
    "-t",
    "--thresholds",
    type=click.Path(path_type=Path),
    help="Thresholds file that FINAL was decided with; without it, what was fitted is left out.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Page to write (.html).",
)
@click.option(
    "--control",
    is_flag=True,
    help="Show what is gained with text shuffled among the labelled rows, which chance explains.",
)
@where_option
@label_column_option
@label_map_option
@trained_on_option
@sentiment_map_option
@click.option(
    "--audio",
    is_flag=True,
    help="Let the changed rows be heard: the first 10 s of each as MP3 in the page, 20 MB in all.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder that the paths of --audio are relative to. Default: FINAL's own.",
)
def report(final: tuple[str, ...], thresholds: Path | None, output: Path, **options: Any) -> None:
    """Write one HTML page about FINAL: figures, what was fitted, and the rows that changed.

    FINAL are tables that `apply` wrote, or globs of them; without any, CSV on standard input. Of
    arousal, valence and dominance those of `score` have a page as well. It needs no network and no
    other file. Parts that need labels are left out where there are none.
    """
    from emobatch.reporting.report import report as run

    run(final, output, thresholds_file=thresholds, **options)
