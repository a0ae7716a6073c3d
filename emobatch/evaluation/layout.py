"""What measures say to people, as plain text that fits a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 80
# A class may have a name of any length.
WIDEST_NAME = 20


@dataclass(frozen=True)
class Table:
    """A table as it is printed.

    Attributes:
        columns: headings, which may have two lines; the first column is flush left, as are
            ``left`` of them.
        rows: a text for each column.
        note: a line beneath it, empty for none.
        left: how many columns hold words.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    left: int = 1

    @property
    def width(self) -> int:
        """How many characters a line takes."""
        columns = zip(self.columns, *self.rows, strict=True)
        return sum(
            1 + max(len(line) for text in texts for line in text.split("\n")) for texts in columns
        )


def under(heading: str, names: Sequence[str]) -> list[str]:
    r"""Headings of columns that have one in common.

    Args:
        heading: stands above the first of them.
        names: of the columns.

    Returns:
        Headings of two lines.

    Examples:
        >>> under("before", ["UA", "WA"])
        ['before\nUA', '\nWA']
    """
    return [f"{'' if number else heading}\n{name}" for number, name in enumerate(names)]


def short(name: str, width: int = WIDEST_NAME) -> str:
    """A name that fits a column.

    Args:
        name: of a class.
        width: most characters.

    Returns:
        The name, or its beginning.

    Examples:
        >>> short("disappointment", 8)
        'disappo…'
    """
    return name if len(name) <= width else name[: width - 1] + "…"
