"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from emobatch.cli.parts import NumberOrWord
from emobatch.fusion.methods import OPTIONS, Option
from emobatch.manifests.readers.registry import READERS
from emobatch.models.names import (
    ATTRIBUTE,
    AUTO,
    BRANCHES,
    DEVICES,
    EMOTIONAL,
    LEFT_OUT,
    MODEL_SETS,
    PRECISIONS,
    PUBLISHED,
    TEXT_ATTRIBUTE,
    WITH_MODEL,
)
from emobatch.tasks import choose

Command = TypeVar("Command", bound=Callable[..., Any])


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _go_offline(context: click.Context, option: click.Parameter, offline: bool) -> bool:
    from emobatch.models import hub

    if offline:
        hub.go_offline()
    return offline


def _kind(option: Option) -> click.ParamType[Any]:
    if option.metavar:
        return click.STRING
    if option.numbers:
        return NumberOrWord(option.numbers, option.choices)
    return click.Choice(option.choices)


def _names(defaults: Mapping[str, str]) -> tuple[Callable[[Command], Command], ...]:
    what = {
        "speech": "Audio classifier: a hub name or a folder.",
        EMOTIONAL: "Second audio classifier, trained without neutral: says which emotion, where "
        "--speech-model only says neutral or emotional.",
        "asr": "Whisper in CTranslate2's format: a size, a hub name or a folder.",
        "text": "Text classifier of sentiments or of the classes: a hub name or a folder.",
    }
    others = {"text": ["--sentiment-model"]}
    return tuple(
        click.option(
            f"--{branch}-model",
            *others.get(branch, []),
            f"{branch}_model",
            metavar="MODEL",
            help=f"{text}  [default: {defaults[branch]}]",
        )
        for branch, text in what.items()
    )


def _attributes(default: str) -> tuple[Callable[[Command], Command], ...]:
    what = {
        ATTRIBUTE: "Speech model of arousal, valence or dominance: a hub name or a folder; the one "
        "of --speech-model is run once. Repeatable, for different attributes.",
        TEXT_ATTRIBUTE: "The same of text, for the transcript.",
    }
    return tuple(
        click.option(
            f"--{kind}-model",
            multiple=True,
            metavar="MODEL",
            help=f"{text}  [default: {default}]",
        )
        for kind, text in what.items()
    )


def _devices(default: str | None) -> tuple[Callable[[Command], Command], ...]:
    said = "" if default else "  [default: the table's]"
    return (
        click.option(
            "--device",
            type=click.Choice([AUTO, *DEVICES]),
            default=default,
            show_default=True,
            help=f"Where models run; in half precision on a GPU.{said}",
        ),
        click.option(
            "--precision",
            type=click.Choice([*PRECISIONS]),
            default=default,
            show_default=True,
            help="Of all models; int8 is for Whisper alone. auto: half on a GPU, single on the "
            f"CPU.{said}",
        ),
    )


scores_argument = click.argument("scores", nargs=-1, metavar="[SCORES]...")
output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write; its extension names the format. Without it, standard output.",
)
restart_option = click.option(
    "--restart", is_flag=True, help="Throw away what an earlier run has saved or finished."
)
where_option = click.option(
    "--where", metavar="SQL", help="Keep rows for which this holds, as in \"split != 'test'\"."
)
label_column_option = click.option(
    "--label-column",
    metavar="COLUMN",
    help="Column that holds the labels.  [default: the one that `score` was told of, else label]",
)
form_option = click.option(
    "--format",
    "form",
    type=click.Choice([*READERS]),
    help="What it is read as, whatever it looks like.",
)
source_options = _together(
    form_option,
    click.option(
        "--glob",
        "pattern",
        metavar="PATTERN",
        help="Of a folder, take the files of this pattern, as '**/*.wav'; a row for each.",
    ),
)
cutting_options = _together(
    click.option(
        "--segments",
        type=click.Path(path_type=Path),
        metavar="FILE|FOLDER",
        help="Cut recordings into the segments of these files: RTTM, SRT, CTM, TextGrid, or "
        "WhisperX's JSON.",
    ),
    click.option(
        "--segment",
        "cut_by",
        type=click.Choice(["vad"]),
        help="Cut recordings into utterances of up to 30 s, by voice activity.",
    ),
)
path_column_option = click.option(
    "--path-column", metavar="COLUMN", help="Column of the audio files.  [default: path]"
)
transcript_column_option = click.option(
    "--transcript-column",
    metavar="COLUMN",
    help="Column of what is said.  [default: transcript, where there is one]",
)
speaker_column_option = click.option(
    "--speaker-column",
    metavar="COLUMN",
    help="Column of who speaks.  [default: speaker, where there is one]",
)
column_options = _together(
    path_column_option,
    transcript_column_option,
    speaker_column_option,
    click.option(
        "--label-column",
        metavar="COLUMN",
        help="Column that later commands read labels from; it stays as it is.  [default: label]",
    ),
)
confine_option = click.option(
    "--confine", is_flag=True, help="Let rows fail whose files are outside --root, links followed."
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
fit_options = _together(
    *(
        click.option(
            f"--{option.name.replace('_', '-')}",
            option.name,
            type=_kind(option),
            metavar=option.metavar or None,
            help=f"{option.help}  [default: {option.default}]",
        )
        for option in OPTIONS
    )
)
sentiment_map_option = click.option(
    "--sentiment-map",
    multiple=True,
    metavar="CLASS=SENTIMENT",
    help="Which sentiment CLASS stands for: negative, neutral, positive or none. Repeatable.",
)
model_options = _together(
    click.option(
        "--models",
        type=click.Choice([*MODEL_SETS]),
        default=PUBLISHED,
        show_default=True,
        help="Where models that aren't named come from; demo are toys that come with the package.",
    ),
    *_names({**MODEL_SETS[PUBLISHED], EMOTIONAL: "none"}),
    *_attributes("none"),
)
table_model_options = _together(
    *_names(dict.fromkeys(BRANCHES, "the table's")), *_attributes("the table's")
)
offline_option = click.option(
    "--offline",
    is_flag=True,
    callback=_go_offline,
    help="Use only models that are on this machine.",
)
device_options = _together(*_devices(AUTO))
table_device_options = _together(*_devices(None))
branch_options = _together(
    *(
        click.option(
            f"--{side}",
            type=click.Choice([WITH_MODEL, LEFT_OUT]),
            default=WITH_MODEL,
            show_default=True,
            help=text,
        )
        for side, text in {
            "speech": "none: no speech model is run, and its columns are empty.",
            "text": "none: nothing is transcribed and no text model is run; their columns are "
            "empty.",
        }.items()
    )
)
language_option = click.option(
    "--language",
    default="en",
    show_default=True,
    help="Language spoken, as a two-letter code; auto detects it clip by clip. "
    "Transcripts are cleaned by it.",
)
transcript_language_option = click.option(
    "--transcript-language",
    metavar="CODE",
    help="Language of transcripts that the manifest gives, where its column language doesn't say.  "
    "[default: --language, unless that is auto]",
)
task_options = _together(
    click.option(
        "--classes",
        default=choose.DEFAULT,
        show_default=True,
        metavar="CLASSES",
        help=f"What rows are sorted into: {', '.join(choose.CLASS_SETS)}; {choose.CHECKPOINT}, the "
        "speech model's own labels; or 2 to 64 names separated by commas.",
    ),
    click.option(
        "--sentiment-map",
        multiple=True,
        metavar="CLASS=SENTIMENT",
        help="Sentiment that a class stands for: negative, neutral, positive or none. Repeatable, "
        "or separated by commas. Known emotions have theirs.",
    ),
    click.option(
        "--label-map",
        multiple=True,
        metavar="NAME=CLASS",
        help="Read the speech model's label NAME as CLASS; CLASS none drops it. Repeatable, or "
        "separated by commas. With --emotional-model, CLASS is neutral or emotional.",
    ),
    click.option(
        "--text-label-map",
        "--sentiment-label-map",
        "text_label_map",
        multiple=True,
        metavar="NAME=CLASS",
        help="The same for the text model's labels; CLASS may be a sentiment.",
    ),
)
trained_on_option = click.option(
    "--trained-on",
    type=click.Choice(["none", "train", "train+val"]),
    help="Splits that the speech model was trained on, if you know.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder that paths are relative to. Default: the manifest's own.",
)
worker_options = _together(
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        help="Processes that score, each with models of its own.  [default: as many as fit]",
    ),
    click.option(
        "--cpus-per-worker",
        type=click.FloatRange(min=0, min_open=True),
        help="Cores that each of them takes, for decoding too.  [default: 1]",
    ),
    click.option(
        "--gpus-per-worker",
        type=click.FloatRange(min=0),
        help="GPUs that each of them takes; 0.5 has two share one.  [default: 1 with --device "
        "cuda, else 0]",
    ),
    click.option(
        "--address",
        metavar="HOST:PORT",
        help="Ray cluster.  [default: RAY_ADDRESS, else the one on this machine, else a new one]",
    ),
)
