"""Options of models: which they are, and what they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import click

from emobatch.cli.options.together import Command, together
from emobatch.models.names import (
    ATTRIBUTE,
    BRANCHES,
    EMOTIONAL,
    LEFT_OUT,
    MODEL_SETS,
    PUBLISHED,
    TEXT_ATTRIBUTE,
    WITH_MODEL,
)
from emobatch.tasks import choose


def _go_offline(context: click.Context, option: click.Parameter, offline: bool) -> bool:
    from emobatch.models import hub

    if offline:
        hub.go_offline()
    return offline


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


model_options = together(
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
table_model_options = together(
    *_names(dict.fromkeys(BRANCHES, "the table's")), *_attributes("the table's")
)
offline_option = click.option(
    "--offline",
    is_flag=True,
    callback=_go_offline,
    help="Use only models that are on this machine.",
)
branch_options = together(
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
task_options = together(
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
