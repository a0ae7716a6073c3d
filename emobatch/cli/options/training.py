"""Options that `train speech` and `train text` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from emobatch.cli.options.models import offline_option
from emobatch.cli.options.sources import (
    cutting_options,
    form_option,
    path_column_option,
    root_option,
    speaker_column_option,
)
from emobatch.cli.options.together import together
from emobatch.cli.parts import Names
from emobatch.models.names import AUTO, DEVICES
from emobatch.tasks import choose
from emobatch.tasks.spellings import ATTRIBUTES
from emobatch.training.losses import BALANCED, EVEN
from emobatch.training.losses.registry import LOSSES
from emobatch.training.options import (
    BY_ATTRIBUTES,
    BY_CATEGORIES,
    FREEZES,
    PRECISIONS,
    SPEECH,
)


def training_options(branch: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options that both branches have, in the order of their help.

    Args:
        branch: ``speech`` or ``text``.

    Returns:
        A decorator.
    """
    freezes = FREEZES[branch]
    return together(
        click.option(
            "--base",
            required=True,
            metavar="MODEL",
            help="Checkpoint that it begins with: a hub name or a folder; demo is the demo's.",
        ),
        click.option(
            "-o",
            "--output",
            "target",
            required=True,
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Folder of the checkpoint.",
        ),
        root_option,
        form_option,
        cutting_options,
        path_column_option,
        speaker_column_option,
        click.option(
            "--label-column", metavar="COLUMN", help="Column of labels.  [default: label]"
        ),
        click.option(
            "--fold", metavar="K", help="Of a manifest that `folds` wrote, take the Kth fold."
        ),
        click.option(
            "--train-where", metavar="SQL", help="Rows to train on.  [default: split 'train']"
        ),
        click.option(
            "--val-where",
            metavar="SQL",
            help="Rows by which the best epoch is told.  [default: split 'val']",
        ),
        click.option(
            "--classes",
            default=choose.DEFAULT,
            show_default=True,
            metavar="CLASSES",
            help=f"What rows are sorted into: {', '.join(choose.CLASS_SETS)}, or 2 to 64 names "
            "separated by commas.",
        ),
        click.option(
            "--attributes",
            type=Names(ATTRIBUTES),
            default=(),
            metavar=",".join(ATTRIBUTES),
            help="Learn the numbers in these columns instead of classes.",
        ),
        click.option(
            "--label-map",
            multiple=True,
            metavar="NAME=CLASS",
            help="Read label NAME as CLASS; CLASS none drops it. Repeatable, or separated by "
            "commas.",
        ),
        click.option(
            "--freeze",
            type=click.Choice(freezes),
            default=freezes[0] if branch == SPEECH else "none",
            show_default=True,
            help="What of the base stays as it is.",
        ),
        click.option(
            "--loss",
            type=click.Choice([*LOSSES]),
            help="What is made small.  [default: cross-entropy; ccc with --attributes]",
        ),
        click.option(
            "--class-weights",
            type=click.Choice([BALANCED, EVEN]),
            help="balanced: a class counts the more the rarer it is.  [default: balanced with "
            "--loss focal, else none]",
        ),
        click.option(
            "--gamma",
            type=click.FloatRange(min=0),
            default=2.0,
            show_default=True,
            help="Of the focal loss: how little counts what is right already.",
        ),
        click.option(
            "--epochs",
            type=click.IntRange(min=1),
            default=10,
            show_default=True,
            help="Passes over the rows, at most.",
        ),
        click.option(
            "--patience",
            type=click.IntRange(min=1),
            metavar="EPOCHS",
            help="End after so many epochs without a better one.",
        ),
        click.option(
            "--best-by",
            type=click.Choice([*BY_CATEGORIES, *BY_ATTRIBUTES]),
            help="Figure by which the best epoch is told.  [default: UA; CCC with --attributes]",
        ),
        click.option(
            "--learning-rate",
            type=click.FloatRange(min=0, min_open=True),
            default=1e-5,
            show_default=True,
            help="The highest, of AdamW.",
        ),
        click.option(
            "--warmup",
            type=click.FloatRange(0, 1, max_open=True),
            default=0.1,
            show_default=True,
            metavar="SHARE",
            help="Share of all steps in which the learning rate rises; then it falls to 0.",
        ),
        click.option(
            "--weight-decay",
            type=click.FloatRange(min=0),
            default=0.01,
            show_default=True,
        ),
        click.option(
            "--clip",
            type=click.FloatRange(min=0),
            default=1.0,
            show_default=True,
            metavar="NORM",
            help="Norm that gradients are cut down to; 0 leaves them.",
        ),
        click.option(
            "--accumulate",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            metavar="BATCHES",
            help="Batches to a step.",
        ),
        click.option("--seed", default=0, show_default=True, help="Of all that is drawn."),
        click.option(
            "--device",
            type=click.Choice([AUTO, *DEVICES]),
            default=AUTO,
            show_default=True,
            help="Where it is trained.",
        ),
        click.option(
            "--precision",
            type=click.Choice(PRECISIONS),
            default=AUTO,
            show_default=True,
            help="auto: mixed precision on a GPU, single elsewhere.",
        ),
        offline_option,
        click.option(
            "--save-every",
            type=click.FloatRange(min=0),
            default=600.0,
            show_default=True,
            metavar="SECONDS",
            help="Save within an epoch after so long: what a kill without a warning can cost.",
        ),
        click.option(
            "--restart", is_flag=True, help="Throw away what an earlier run saved or finished."
        ),
    )
