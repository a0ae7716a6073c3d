"""What says where a row is, for messages: by its line, or by its number where it has none."""

from __future__ import annotations

from collections.abc import Callable

# Says where a row is, by its number from 0.
Places = Callable[[int], str]


def numbered(row: int) -> str:
    """Say where a row is that stands on no line of its own.

    Args:
        row: its number, from 0.

    Returns:
        Words for a message.

    Examples:
        >>> numbered(0)
        'row 1'
    """
    return f"row {row + 1}"
