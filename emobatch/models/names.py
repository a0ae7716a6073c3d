"""What a user may choose from, in one place that help texts can list without a slow import."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

AUTO = "auto"


class Limits(NamedTuple):
    """What a kind of device holds at a time.

    Attributes:
        batch_seconds: padded audio to a batch, where free memory isn't known: a CPU's is what
            fits its caches.
        chunk_rows: rows to a chunk: what a kill costs, and enough for several batches of like
            length.
    """

    batch_seconds: float
    chunk_rows: int


# By the name of the device, the preferred first.
DEVICES: Mapping[str, Limits] = {
    "cuda": Limits(480.0, 256),
    "mps": Limits(240.0, 256),
    "cpu": Limits(60.0, 64),
}
# What CTranslate2 calls them.
PRECISIONS: Mapping[str, str] = {
    AUTO: "default",
    "fp32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
    "int8": "int8",
}
# Audio that Whisper's encoder is given: the 30 s of its training, or as much as a clip needs.
FULL_CONTEXT, FITTING_CONTEXT = "full", "fit"
ASR_CONTEXTS = (FULL_CONTEXT, FITTING_CONTEXT)
# Seconds that can be waited for on any system; eleven days.
LONGEST_WAIT = 1_000_000.0
# Audio of a row, in seconds, that is decoded at most: twelve hours.
MOST_SECONDS = 43_200.0
# Share of rows that may fail before a run ends as one that went wrong.
MOST_ERRORS = 0.1
# What happens to a transcript before the text model is given it, in this order unless told.
CLEANING_STEPS = ("contractions", "punctuation", "lemmas", "lowercase", "numbers")
NO_STEPS = "none"
PUBLISHED = "published"
# The name of the toys that come with the package.
DEMO = "demo"
# Models that go together, by the branch.
MODEL_SETS: Mapping[str, Mapping[str, str]] = {
    PUBLISHED: {
        "speech": "superb/wav2vec2-base-superb-er",
        "asr": "large-v3",
        "text": "cardiffnlp/twitter-xlm-roberta-base-sentiment",
    },
    DEMO: {"speech": DEMO, "asr": DEMO, "text": DEMO},
}
# The second of two speech models: which emotion, of what the first one calls emotional. No set has
# one, so that it is there only where it is named.
EMOTIONAL = "emotional"
BRANCHES = ("speech", EMOTIONAL, "asr", "text")
# What `train` begins with, by the branch that becomes of it.
BASES: Mapping[str, str] = {"speech": "speech base", "text": "text base"}
# Models of attributes: no set has one, and several may be named, each for attributes of its own.
ATTRIBUTE, TEXT_ATTRIBUTE = "attribute", "text-attribute"
SEVERAL = (ATTRIBUTE, TEXT_ATTRIBUTE)
# What `--speech` and `--text` take, and the checkpoints that either leaves out.
WITH_MODEL, LEFT_OUT = "model", "none"
SIDES: Mapping[str, tuple[str, ...]] = {
    "speech": ("speech", EMOTIONAL, ATTRIBUTE),
    "text": ("asr", "text", TEXT_ATTRIBUTE),
}
# What of an encoder's frames makes an embedding, and the types that it is written as.
MEAN, MEAN_AND_DEVIATION = "mean", "mean+std"
POOLINGS = (MEAN, MEAN_AND_DEVIATION)
EMBEDDING_TYPES = ("float32", "float16")


def numbered(kind: str, place: int) -> str:
    """Name one of several branches of a kind.

    Args:
        kind: one of :data:`SEVERAL`.
        place: of its option on the command line, from 0.

    Returns:
        The branch.

    Examples:
        >>> numbered("attribute", 0), numbered("attribute", 1)
        ('attribute', 'attribute-2')
    """
    return f"{kind}-{place + 1}" if place else kind


def kind_of(branch: str) -> str:
    """Say of which kind a branch is.

    Args:
        branch: one of :data:`BRANCHES`, or from :func:`numbered`.

    Returns:
        One of :data:`BRANCHES` and :data:`SEVERAL`.

    Examples:
        >>> kind_of("text-attribute-2"), kind_of("speech")
        ('text-attribute', 'speech')
    """
    return next((kind for kind in SEVERAL if re.fullmatch(rf"{kind}(-\d+)?", branch)), branch)


def option_of(branch: str) -> str:
    """Say which option of the command line names a checkpoint.

    Args:
        branch: ``speech``, ``emotional``, ``asr`` or ``text``.

    Returns:
        The option.
    """
    return "--base" if branch in BASES.values() else f"--{kind_of(branch)}-model"
