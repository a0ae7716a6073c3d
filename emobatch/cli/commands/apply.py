"""`emobatch apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emobatch.cli.options.results import output_option
from emobatch.cli.options.tables import scores_argument, where_option


@click.command()
@scores_argument
@click.option(
    "-t",
    "--thresholds",
    type=click.Path(path_type=Path),
    help="Thresholds file, from `emobatch calibrate`.",
)
@click.option(
    "--adapt",
    type=click.Choice(["speaker"]),
    help="Without a thresholds file or a label: the speech branch decides, each speaker's mean "
    "taken away.",
)
@click.option(
    "--context",
    type=click.Choice(["none", "dialogue"]),
    help="With --adapt: dialogue decides the rows of a speaker in a dialogue together.  "
    "[default: none]",
)
@output_option
@where_option
@click.option(
    "--force",
    is_flag=True,
    help="Apply thresholds fitted on scores of other models, and to tables of several runs.",
)
def apply(
    scores: tuple[str, ...], thresholds: Path | None, output: Path | None, **options: Any
) -> None:
    """Decide the final emotion of every row of SCORES.

    SCORES are score tables or globs of them; without any, CSV on standard input. Writes their
    columns and then what the method decides: emotion and decided_by, for selection also flagged and
    mapped_emotion, for methods that give probabilities final_CLASS.
    """
    if thresholds is None and options["adapt"] is None:
        raise click.UsageError(
            "Missing option '-t' / '--thresholds'; or decide by the speech branch with "
            "--adapt speaker"
        )
    from emobatch.fusion.apply import apply as run

    run(scores, thresholds, output, **options)
