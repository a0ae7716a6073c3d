"""Counts and durations, as people say them."""

from __future__ import annotations


def lasting(seconds: float) -> str:
    """Say a duration as people do.

    Args:
        seconds: at least 0.

    Returns:
        Seconds, minutes, hours or days, with two or three digits.

    Examples:
        >>> [lasting(each) for each in (7.2, 90, 5000, 86400 * 3.21)]
        ['7.2 s', '1.5 min', '1.4 h', '77 h']
    """
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.{0 if seconds >= 10 * size else 1}f} {unit}"
    return f"{seconds:.{0 if seconds >= 10 else 1}f} s"


def counted(count: int, thing: str) -> str:
    """Say how many there are of something.

    Args:
        count: at least 0.
        thing: one of it.

    Returns:
        Number and word.

    Examples:
        >>> counted(1, "row"), counted(0, "row")
        ('1 row', '0 rows')
    """
    return f"{count} {thing}{'' if count == 1 else 's'}"
