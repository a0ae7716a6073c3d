"""`emobatch train speech` and `emobatch train text`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from emobatch.cli.arguments import OneManifest
from emobatch.cli.options import form_option, offline_option, root_option
from emobatch.cli.signals import Signals
from emobatch.cli.verbosity import with_verbosity
from emobatch.models.names import AUTO, CLEANING_STEPS, DEVICES, NO_STEPS
from emobatch.tasks import choose
from emobatch.training.losses import BALANCED, EVEN
from emobatch.training.losses.registry import LOSSES
from emobatch.training.options import (
    ATTRIBUTES,
    BY_ATTRIBUTES,
    BY_CATEGORIES,
    FREEZES,
    HEADS,
    LINEAR,
    OF_BASE,
    OF_TRAIN,
    PRECISIONS,
    SPEECH,
    TEXT,
)


class Names(click.ParamType[Any]):
    """Some of a few names, separated by commas."""

    name = "names"

    def __init__(self, known: tuple[str, ...]) -> None:
        """Take names.

        Args:
            known: those that there are.
        """
        self._known = known

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Check a value.

        Args:
            value: as typed, or a default.
            param: the option.
            ctx: of the command.

        Returns:
            The names in the order given.

        Raises:
            click.BadParameter: if one is unknown.
        """
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in value.split(","))
        for name in names:
            if name not in self._known:
                self.fail(f"{name!r} is none of {', '.join(self._known)}", param, ctx)
        return names


def _options(branch: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options of both branches, in the order of their help."""
    freezes = FREEZES[branch]
    made = (
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
            "--label-column", metavar="COLUMN", help="Column of labels.  [default: label]"
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
            "--restart", is_flag=True, help="Throw away what an earlier run saved or finished."
        ),
    )

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(made):
            command = option(command)
        return command

    return decorate


@click.group()
def train() -> None:
    """Fine-tune a speech or a text model on the rows of a manifest.

    The result is a folder that `score` takes as --speech-model or --text-model. Work is saved as
    it goes, and an interrupted run goes on where it was when the same command is given again.
    """


@click.command(cls=OneManifest)
@click.argument("manifest")
@_options(SPEECH)
@click.option(
    "--head",
    type=click.Choice(HEADS),
    default=LINEAR,
    show_default=True,
    help="linear: transformers' own, a plain checkpoint; attentive: attentive statistics pooling.",
)
@click.option(
    "--attention-l2",
    type=click.FloatRange(min=0),
    default=1e-4,
    show_default=True,
    help="What the squares of an attentive head's matrix count beside the loss.",
)
@click.option(
    "--normalise",
    type=click.Choice([OF_BASE, OF_TRAIN]),
    default=OF_BASE,
    show_default=True,
    help="Input as the base has it, or by mean and deviation of the audio that is trained on.",
)
@click.option(
    "--batch-seconds",
    "batch",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Padded audio to a batch.",
)
@click.option(
    "--crop-seconds",
    "crop",
    type=click.FloatRange(min=0.025),
    default=30.0,
    show_default=True,
    help="Of a longer clip a step hears so much, from a place drawn at random.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep decoded audio there (0.23 GB an hour), for each epoch and other trainings.",
)
def speech(manifest: str, target: Path, restart: bool, **options: Any) -> None:
    """Fine-tune a wav2vec 2.0, HuBERT or WavLM checkpoint on the audio of MANIFEST.

    MANIFEST is what `score` takes, with columns `label` and `split`, as `folds` writes them.
    """
    _run(SPEECH, manifest, target, restart, options)


@click.command(cls=OneManifest)
@click.argument("manifest")
@_options(TEXT)
@click.option(
    "--scores",
    metavar="TABLE",
    help="Score table whose transcripts are taken.  [default: the manifest's column transcript]",
)
@click.option(
    "--clean",
    default=NO_STEPS,
    show_default=True,
    metavar="STEPS",
    help=f"Steps that transcripts go through: some of {', '.join(CLEANING_STEPS)}. Give `score` "
    "the same.",
)
@click.option(
    "--language",
    default="en",
    show_default=True,
    help="Language of the transcripts, for these steps.",
)
@click.option(
    "--max-tokens",
    "crop",
    type=click.IntRange(min=3),
    default=128,
    show_default=True,
    help="What is longer is cut off, by `score` as well.",
)
@click.option(
    "--batch-tokens",
    "batch",
    type=click.IntRange(min=1),
    default=2048,
    show_default=True,
    help="Padded tokens to a batch.",
)
def text(manifest: str, target: Path, restart: bool, clean: str, **options: Any) -> None:
    """Fine-tune a text model on what is said in the rows of MANIFEST."""
    from emobatch.models.choice import parse_steps

    _run(TEXT, manifest, target, restart, {**options, "clean": parse_steps(clean)})


def _run(branch: str, manifest: str, target: Path, restart: bool, options: dict[str, Any]) -> None:
    from dataclasses import fields

    from emobatch.cli.training_bar import TrainingBar
    from emobatch.manifests.columns import ManifestColumns
    from emobatch.training.options import Options
    from emobatch.training.train import Rows, never
    from emobatch.training.train import train as run

    given = {field.name: options.pop(field.name) for field in fields(Rows) if field.name in options}
    columns = ManifestColumns(None, None, None, options.pop("label_column"))
    signals = click.get_current_context().find_object(Signals)
    patient = nullcontext(never) if signals is None else signals.asking()
    with TrainingBar() as progress, patient as stop:
        run(
            Rows(manifest, columns=columns, **given),
            target,
            Options(branch, **options),
            restart=restart,
            progress=progress,
            stop=stop,
        )


for _command in (speech, text):
    train.add_command(with_verbosity(_command))
