"""Text files whose encoding nobody says."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(content: bytes, others: Sequence[str] = ("cp1252",)) -> str:
    r"""Read text, whatever it was written with.

    Args:
        content: of a file.
        others: encodings to try where it isn't UTF-8 and has no mark of UTF-16.

    Returns:
        The text; where none fits, with a replacement character for each wrong byte.

    Examples:
        >>> decoded("ä".encode("utf-16")), decoded(b"\xe4")
        ('ä', 'ä')
    """
    first = "utf-16" if content.startswith(UTF_16_MARKS) else "utf-8-sig"
    for encoding in (first, *others):
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    return content.decode(first, "replace")
