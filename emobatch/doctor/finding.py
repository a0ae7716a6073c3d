"""What a check found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emobatch.errors import EmobatchError, first_line

REINSTALL = "; reinstall the package that this comes from"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        name: of the check.
        passed: whether a run would get past it.
        says: what was found; where it didn't pass, what is wrong and how to mend it.
    """

    name: str
    passed: bool
    says: str


def check(name: str, look: Callable[[], str]) -> Finding:
    """Run a check.

    Args:
        name: of the check.
        look: says what it found, or raises what is wrong.

    Returns:
        The finding; whatever is raised is one.

    Examples:
        >>> check("sum", lambda: str(1 / 0)).says
        'ZeroDivisionError: division by zero; reinstall the package that this comes from'
    """
    try:
        return Finding(name, True, " ".join(look().split()))
    except EmobatchError as error:
        return Finding(name, False, " ".join(str(error).split()))
    except Exception as error:  # a broken installation raises anything
        return Finding(name, False, f"{type(error).__name__}: {first_line(error)}{REINSTALL}")
