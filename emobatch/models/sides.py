"""Runs of one branch only: what the other one's options then mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emobatch.errors import OptionError
from emobatch.models.names import (
    AUTO,
    EMBEDDING_TYPES,
    LEFT_OUT,
    MEAN,
    POOLINGS,
    SIDES,
    WITH_MODEL,
)
from emobatch.tasks.choose import CHECKPOINT
from emobatch.tasks.spellings import LEVELS
from emobatch.tasks.task import Task

# Options that say something of a side's models.
OPTIONS = {
    "speech": ("speech_model", "emotional_model", "attribute_model", "label_map"),
    "text": ("asr_model", "text_model", "text_attribute_model", "text_label_map", "asr_embeddings"),
}


def left_out(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Say which of ``speech`` and ``text`` a run does without.

    Args:
        options: by name, as on the command line.

    Returns:
        Those whose option is ``none``.

    Examples:
        >>> left_out({"speech": "model", "text": "none"})
        ('text',)
    """
    return tuple(side for side in SIDES if options[side] == LEFT_OUT)


def refuse_contradictions(options: Mapping[str, Any]) -> None:
    """Refuse options of what is left out.

    Args:
        options: by name, as on the command line.

    Raises:
        OptionError: names two that don't go together, or a value that there isn't.
    """
    for side in SIDES:
        if options[side] not in (WITH_MODEL, LEFT_OUT):
            raise OptionError(f"--{side} {options[side]}: give {WITH_MODEL} or {LEFT_OUT}")
    without = left_out(options)
    if len(without) == len(SIDES):
        raise OptionError("--speech none and --text none leave nothing to score; give up one")
    for side in without:
        for name in OPTIONS[side]:
            if options[name]:
                raise OptionError(
                    f"--{name.replace('_', '-')} is for the branch that --{side} none leaves out; "
                    "leave out one of the two"
                )
    if "speech" in without and options["classes"] == CHECKPOINT:
        raise OptionError(
            "--classes checkpoint takes the labels of the speech model, which --speech none leaves "
            "out; name the classes"
        )
    if options["emotional_model"] is not None and options["classes"] == CHECKPOINT:
        raise OptionError(
            "--classes checkpoint takes the labels of the speech model, which are neutral and "
            "emotional with --emotional-model; name the classes"
        )
    _refuse_embeddings(options)
    if options["transcript_language"] == AUTO:
        raise OptionError(
            "--transcript-language auto: text has no sound to detect it by; give a code as en"
        )


def _refuse_embeddings(options: Mapping[str, Any]) -> None:
    for name, known in (("pooling", POOLINGS), ("embedding_type", EMBEDDING_TYPES)):
        if options[name] not in known:
            spelled = name.replace("_", "-")
            raise OptionError(f"--{spelled} {options[name]}: give {' or '.join(known)}")
    usual = {"layer": None, "pooling": MEAN, "embedding_type": EMBEDDING_TYPES[0]}
    for name, value in {**usual, "asr_embeddings": False}.items():
        if options[name] != value and not options["embeddings"]:
            raise OptionError(
                f"--{name.replace('_', '-')} is about --embeddings; give that too, or neither"
            )
    if options["layer"] is not None and options["layer"] < 0:
        raise OptionError(f"--layer {options['layer']}: give a number from 0, or leave it out")


def neutral_of(task: Task) -> str:
    """Say which class the first of two speech models tells from all others.

    Args:
        task: the classes of a run with ``--emotional-model``.

    Returns:
        The class.

    Raises:
        OptionError: if none of them is neutral.

    Examples:
        >>> neutral_of(Task.of(["ang", "neu"]))
        'neu'
    """
    neutral = task.labels.spellings.get(LEVELS[0])
    if neutral is None:
        raise OptionError(
            f"--emotional-model: none of the classes {', '.join(task.classes)} is neutral, so that "
            "there is nothing for a first level to tell; name one with --classes, or leave "
            "--emotional-model out"
        )
    return neutral
