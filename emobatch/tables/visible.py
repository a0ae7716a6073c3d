"""Values of users' tables as they are shown to people: control characters stand out and do nothing.

Whatever is printed on a terminal or stands in a report goes through here; tables and JSON files
that are written keep their values as they are.
"""

from __future__ import annotations

import re

# What moves the cursor, colours, rings or turns the reading direction: controls of ASCII and of
# Latin-1, separators of lines, overrides and isolates of direction, halves of surrogate pairs (of
# file names that aren't UTF-8). Marks and joiners are left alone, for scripts are written with
# them.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str) -> str:
    r"""Show control characters as they are written in Python.

    Args:
        text: any.

    Returns:
        One line of text without control characters.

    Examples:
        >>> print(visible("red: \x1b[31m, a new\nline"))
        red: \x1b[31m, a new\nline
    """
    return CONTROLS.sub(_escaped, text)


def visible_json(document: str) -> str:
    r"""Show the control characters that JSON would leave as they are, in JSON's own way.

    Args:
        document: JSON, on one line.

    Returns:
        JSON of the same meaning.

    Examples:
        >>> print(visible_json('["\x9b2J"]'))
        ["\u009b2J"]
    """
    return CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    return NAMED.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")
