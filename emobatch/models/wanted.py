"""Which checkpoints a run wants, by what the user said, and the command that fetches them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from emobatch.models import sides
from emobatch.models.names import (
    BRANCHES,
    EMOTIONAL,
    LEFT_OUT,
    PUBLISHED,
    SEVERAL,
    SIDES,
    kind_of,
    numbered,
    option_of,
)


def named(options: Mapping[str, Any]) -> dict[str, str | None]:
    """List the checkpoints that a run wants.

    Args:
        options: by name, as on the command line.

    Returns:
        By branch what the user named, None where that is left to ``--models``.

    Examples:
        >>> from emobatch.models.choice import Choice
        >>> named(vars(Choice(text="none", attribute_model=("a", "b"))))
        {'speech': None, 'attribute': 'a', 'attribute-2': 'b'}
    """
    without = {branch for side in sides.left_out(options) for branch in SIDES[side]}
    if options["emotional_model"] is None:
        without.add(EMOTIONAL)
    return {b: name for b, name in _of_all_branches(options) if kind_of(b) not in without}


def remedy(options: Mapping[str, Any]) -> str:
    """Say how to have those checkpoints that are missing.

    Args:
        options: by name, as on the command line.

    Returns:
        Half a sentence, with the command that fetches them.

    Examples:
        >>> from emobatch.models.choice import Choice
        >>> print(remedy(vars(Choice(models="demo", speech_model="o/m"))))
        `emobatch models --fetch --models=demo --speech-model=o/m` fetches what is missing where \
the hub can be reached
    """
    given = [
        f"{option_of(branch)}={name}" for branch, name in named(options).items() if name is not None
    ]
    given[:0] = [f"--{side}={LEFT_OUT}" for side in sides.left_out(options)]
    if options["models"] != PUBLISHED:
        given.insert(0, f"--models={options['models']}")
    command = shlex.join(["emobatch", "models", "--fetch", *given])
    return f"`{command}` fetches what is missing where the hub can be reached"


def _of_all_branches(options: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    for branch in BRANCHES:
        yield branch, options[f"{branch}_model"]
    for kind in SEVERAL:
        for place, name in enumerate(options[f"{kind.replace('-', '_')}_model"]):
            yield numbered(kind, place), name
