"""Checks of a thresholds file's content that methods share."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from emobatch.errors import ThresholdsError


def check_names(document: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse names that mean nothing.

    Args:
        document: a table of the file.
        known: names that it may have.
        where: what to call it.

    Raises:
        ThresholdsError: names the first such name and the nearest known one.
    """
    for name in document:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise ThresholdsError(f"{name!r} is not a name that {where} has; {hint}")


def table(document: Mapping[str, Any], name: str, parents: str = "") -> Mapping[str, Any]:
    """Take a table out of another.

    Args:
        document: holds it, or doesn't.
        name: its name.
        parents: the names above it, each with a dot behind it.

    Returns:
        The table, empty where there is none.

    Raises:
        ThresholdsError: if it is no table.
    """
    value = document.get(name, {})
    if not isinstance(value, Mapping):
        raise ThresholdsError(f"{parents}{name} is {value!r}, not a table; write [{parents}{name}]")
    return value


def is_number(value: Any) -> bool:
    """Whether a value is a number, which true and false are not.

    Args:
        value: as TOML has it.

    Returns:
        True for whole and broken numbers.

    Examples:
        >>> is_number(1), is_number(True)
        (True, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)
