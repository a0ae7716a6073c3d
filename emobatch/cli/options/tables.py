"""Options of tables that have scores, and of their labels."""

from __future__ import annotations

import click

scores_argument = click.argument("scores", nargs=-1, metavar="[SCORES]...")
where_option = click.option(
    "--where", metavar="SQL", help="Keep rows for which this holds, as in \"split != 'test'\"."
)
label_column_option = click.option(
    "--label-column",
    metavar="COLUMN",
    help="Column that holds the labels.  [default: the one that `score` was told of, else label]",
)
label_map_option = click.option(
    "--label-map",
    multiple=True,
    metavar="NAME=CLASS",
    help="Read label NAME as CLASS; CLASS none drops it. Repeatable, or separated by commas.",
)
table_classes_option = click.option(
    "--classes",
    metavar="CLASSES",
    help="Classes of a table that doesn't say: four, eight, or names separated by commas.",
)
sentiment_map_option = click.option(
    "--sentiment-map",
    multiple=True,
    metavar="CLASS=SENTIMENT",
    help="Which sentiment CLASS stands for: negative, neutral, positive or none. Repeatable.",
)
trained_on_option = click.option(
    "--trained-on",
    type=click.Choice(["none", "train", "train+val"]),
    help="Splits that the speech model was trained on, if you know.",
)
