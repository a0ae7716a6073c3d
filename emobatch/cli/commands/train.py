"""`emobatch train speech` and `emobatch train text`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from emobatch.cli.arguments import OneManifest, reading_of
from emobatch.cli.options.sources import confine_option, transcript_column_option
from emobatch.cli.options.training import training_options
from emobatch.cli.signals import Signals
from emobatch.cli.verbosity import with_verbosity
from emobatch.models.names import CLEANING_STEPS, NO_STEPS
from emobatch.training.options import HEADS, LINEAR, OF_BASE, OF_TRAIN, SPEECH, TEXT


@click.group()
def train() -> None:
    """Fine-tune a speech or a text model on the rows of a manifest.

    The result is a folder that `score` takes as --speech-model or --text-model. Work is saved as
    it goes, and an interrupted run goes on where it was when the same command is given again.
    """


@click.command(cls=OneManifest)
@click.argument("manifest")
@training_options(SPEECH)
@confine_option
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
@training_options(TEXT)
@transcript_column_option
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
    from emobatch.models.steps import parse_steps

    _run(TEXT, manifest, target, restart, {**options, "clean": parse_steps(clean)})


def _run(branch: str, manifest: str, target: Path, restart: bool, options: dict[str, Any]) -> None:
    from dataclasses import fields

    from emobatch.cli.training_bar import TrainingBar
    from emobatch.training.given import Rows
    from emobatch.training.options import Options
    from emobatch.training.progress import never
    from emobatch.training.train import train as run

    how = reading_of(options)
    given = {field.name: options.pop(field.name) for field in fields(Rows) if field.name in options}
    signals = click.get_current_context().find_object(Signals)
    patient = nullcontext(never) if signals is None else signals.asking()
    with TrainingBar() as progress, patient as stop:
        run(
            Rows(manifest, how, **given),
            target,
            Options(branch, **options),
            restart=restart,
            progress=progress,
            stop=stop,
        )


for _command in (speech, text):
    train.add_command(with_verbosity(_command))
