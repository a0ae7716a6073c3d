"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _go_offline(context: click.Context, option: click.Parameter, offline: bool) -> bool:
    from emobatch import hub

    if offline:
        hub.go_offline()
    return offline


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
model_options = _together(
    click.option(
        "--models",
        type=click.Choice(["published", "demo"]),
        default="published",
        show_default=True,
        help="Where models that aren't named come from; demo are toys that come with the package.",
    ),
    click.option(
        "--speech-model",
        metavar="MODEL",
        help="Audio classifier: a hub name or a folder.  [default: superb/wav2vec2-base-superb-er]",
    ),
    click.option(
        "--asr-model",
        metavar="MODEL",
        help="Whisper in CTranslate2's format: a size, a hub name or a folder.  "
        "[default: large-v3]",
    ),
    click.option(
        "--sentiment-model",
        metavar="MODEL",
        help="Text classifier: a hub name or a folder.  "
        "[default: cardiffnlp/twitter-xlm-roberta-base-sentiment]",
    ),
)
offline_option = click.option(
    "--offline",
    is_flag=True,
    callback=_go_offline,
    help="Use only models that are on this machine.",
)
device_options = _together(
    click.option(
        "--device",
        type=click.Choice(["auto", "cuda", "mps", "cpu"]),
        default="auto",
        show_default=True,
        help="Where models run; in half precision on a GPU.",
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "fp16", "bf16", "int8"]),
        default="auto",
        show_default=True,
        help="Of all models; int8 is for Whisper alone. auto: half on a GPU, single on the CPU.",
    ),
)
language_option = click.option(
    "--language",
    default="en",
    show_default=True,
    help="Language spoken, as a two-letter code; auto detects it clip by clip.",
)
label_map_options = _together(
    label_map_option,
    click.option(
        "--sentiment-label-map",
        multiple=True,
        metavar="NAME=CLASS",
        help="The same for the sentiment model's labels.",
    ),
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
