"""`emobatch apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.options import output_option, scores_argument, where_option


@click.command()
@scores_argument
@click.option(
    "-t",
    "--thresholds",
    required=True,
    type=click.Path(path_type=Path),
    help="Thresholds file, from `emobatch calibrate`.",
)
@output_option
@where_option
@click.option(
    "--force",
    is_flag=True,
    help="Apply thresholds fitted on scores of other models, and to tables of several runs.",
)
def apply(scores: tuple[str, ...], thresholds: Path, output: Path | None, **options: Any) -> None:
    """Decide the final emotion of every row of SCORES.

    SCORES are score tables or globs of them; without any, CSV on standard input. Writes their
    columns and then what the method decides: emotion and decided_by, for selection also flagged and
    mapped_emotion.
    """
    from emobatch.fusion.apply import apply as run

    run(scores, thresholds, output, **options)
