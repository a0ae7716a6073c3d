"""Options of what is read of models beside classes: the scale of attributes, and embeddings."""

from __future__ import annotations

import click

from emobatch.cli.options.together import together
from emobatch.models.names import EMBEDDING_TYPES, MEAN, POOLINGS

attribute_range_option = click.option(
    "--attribute-range",
    metavar="LOW:HIGH",
    help="Scale that 0 and 1 of attribute models are mapped onto, as 1:7.  [default: as they are]",
)
embedding_options = together(
    click.option(
        "--embeddings",
        is_flag=True,
        help="Add hidden states of the speech and the text model, pooled to one array for a row; "
        "Parquet only.",
    ),
    click.option(
        "--layer",
        type=click.IntRange(min=0),
        metavar="N",
        help="Layer after which hidden states are taken; 0 is before the first.  [default: what "
        "comes out of the last]",
    ),
    click.option(
        "--pooling",
        type=click.Choice(POOLINGS),
        default=MEAN,
        show_default=True,
        help="What of all frames or tokens is kept: their mean, or with standard deviation.",
    ),
    click.option(
        "--embedding-type",
        type=click.Choice(EMBEDDING_TYPES),
        default=EMBEDDING_TYPES[0],
        show_default=True,
        help="Type of an embedding's numbers.",
    ),
    click.option(
        "--asr-embeddings", is_flag=True, help="With --embeddings, those of Whisper's encoder too."
    ),
)
