"""Options of a scorer, as on the command line of ``emobatch score``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypedDict

from emobatch.errors import OptionError
from emobatch.models.choice import Choice
from emobatch.tasks.task import Task

# Those that may be given several times: each value is a pair like `fru=none`.
REPEATED = ("label_map", "text_label_map", "sentiment_map")
# Those that may be given several times: each value is a model.
MODELS = ("attribute_model", "text_attribute_model")


class Options(TypedDict, total=False):
    """What ``emobatch score --help`` says of each, with ``-`` for ``_``."""

    models: str
    speech_model: str | None
    emotional_model: str | None
    asr_model: str | None
    text_model: str | None
    attribute_model: str | Sequence[str]
    text_attribute_model: str | Sequence[str]
    attribute_range: str | None
    embeddings: bool
    layer: int | None
    pooling: str
    embedding_type: str
    asr_embeddings: bool
    classes: str | Task
    sentiment_map: Sequence[str]
    device: str
    precision: str
    speech: str
    text: str
    language: str
    transcript_language: str | None
    beam_size: int
    asr_context: str
    clean: str
    prosody: bool
    label_map: Sequence[str]
    text_label_map: Sequence[str]
    batch_seconds: float | None
    decode_timeout: float
    max_seconds: float
    offline: bool
    gate: str | Path | None
    root: str | Path | None
    confine: bool
    allow_remote: bool
    cache: str | Path | None
    cache_size: int
    path_column: str | None
    transcript_column: str | None
    speaker_column: str | None
    label_column: str | None


def refuse_unknown(options: Mapping[str, Any]) -> None:
    """Refuse options that a scorer doesn't have.

    Args:
        options: as they were given.

    Raises:
        OptionError: names one, and the nearest that there is.
    """
    known = Options.__annotations__
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise OptionError(f"no option {name!r}; {hint}there are {', '.join(known)}")


def choice_of(options: Mapping[str, Any]) -> Choice:
    """Take those options that choose models and what they do.

    Args:
        options: any, with values as on the command line.

    Returns:
        The choice.

    Raises:
        EmobatchError: if one makes no sense.
    """
    names = {each.name for each in fields(Choice)}
    chosen = {name: value for name, value in options.items() if name in names}
    for name in (*REPEATED, *MODELS):
        if name in chosen:
            pairs = chosen[name]
            chosen[name] = (pairs,) if isinstance(pairs, str) else tuple(pairs)
    return Choice(**chosen)
