"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

scores_argument = click.argument("scores", nargs=-1, metavar="[SCORES]...")
output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write; its extension names the format. Without it, standard output.",
)
where_option = click.option(
    "--where", metavar="SQL", help="Keep rows for which this holds, as in \"split != 'test'\"."
)
label_column_option = click.option(
    "--label-column",
    default="label",
    show_default=True,
    metavar="COLUMN",
    help="Column that holds the labels.",
)
label_map_option = click.option(
    "--label-map",
    multiple=True,
    metavar="NAME=CLASS",
    help="Read label NAME as CLASS; CLASS none drops it. Repeatable, or separated by commas.",
)
protocol_option = click.option(
    "--protocol",
    type=click.Choice(["released", "paper"]),
    default="released",
    show_default=True,
    help="Thresholds from each predicted class's errors (released) or each label's rows (paper).",
)
