"""How a text table is written: its encoding, what is between its columns, and Excel's quirks.

Goes by the first line alone. What isn't as the file's name says is noted, so that nothing is taken
for something else in silence.
"""

from __future__ import annotations

import codecs
import csv
import io
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from emobatch.errors import TableError

# Bytes of a file that its first line is looked for in.
HEAD = 1 << 20
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars (|)"}
BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class Dialect:
    r"""How a text table is written.

    Attributes:
        separator: what is between its columns.
        encoding: of its text, as Python calls it.
        line_end: ``\r`` alone as on old Macs, else ``\n``, before which ``\r`` may stand.
        is_said: whether its first line is Excel's ``sep=;``, which says the separator.
    """

    separator: str
    encoding: str = "utf-8"
    line_end: str = "\n"
    is_said: bool = False

    @classmethod
    def of(cls, head: bytes, separator: str) -> Dialect:
        """Look at how a table begins.

        Args:
            head: its first bytes.
            separator: what its name says is between its columns.

        Returns:
            How it is written.

        Examples:
            >>> Dialect.of(b"path;label", ",").separator
            ';'
            >>> Dialect.of("path,label".encode("utf-16"), ",").encoding
            'utf-16'
        """
        encoding = _encoding(head)
        text = head.decode(encoding, "replace").removeprefix("\ufeff")
        line_end = "\r" if "\n" not in text and "\r" in text else "\n"
        first = text.split(line_end, 1)[0].strip("\r")
        plain = first.strip('"')
        if plain[:4].lower() == "sep=" and len(plain) == 5 and plain[4].isascii():
            return cls(plain[4], encoding, line_end, is_said=True)
        return cls(_separator(first, separator), encoding, line_end)

    def notes(self, separator: str) -> list[str]:
        """Say what isn't as the table's name says.

        Args:
            separator: what its name says is between its columns.

        Returns:
            A few words for each such thing.

        Examples:
            >>> Dialect(";", "utf-16").notes(",")
            ['text in UTF-16', 'semicolons between its columns']
        """
        between = SEPARATORS.get(self.separator, repr(self.separator))
        return [
            *(["text in UTF-16"] if self.encoding != "utf-8" else []),
            *(["lines that end in CR alone"] if self.line_end == "\r" else []),
            *([f"{between} between its columns"] if self.separator != separator else []),
            *(["a first line that says so (sep=), left out"] if self.is_said else []),
        ]

    def is_plain(self) -> bool:
        """Whether the table can be read as it is, but for the separator."""
        return self.encoding == "utf-8" and self.line_end == "\n" and not self.is_said


def sniffed(source: Path | IO[bytes], separator: str) -> Dialect:
    """Look at how a table is written.

    Args:
        source: a file, or what can be read from its beginning again.
        separator: what its name says is between its columns.

    Returns:
        How it is written.
    """
    return Dialect.of(head_of(source), separator)


def head_of(source: Path | IO[bytes]) -> bytes:
    """Read how a table begins.

    Args:
        source: a file, or what can be read from its beginning again.

    Returns:
        Its first bytes.
    """
    if isinstance(source, Path):
        with source.open("rb") as handle:
            return handle.read(HEAD)
    head = source.read(HEAD)
    source.seek(0)
    return head


def plain(source: Path | IO[bytes], dialect: Dialect) -> Path | IO[bytes]:
    """Make UTF-8 with lines as everywhere of a table, if it isn't.

    Args:
        source: a file, or what can be read from its beginning.
        dialect: how it is written.

    Returns:
        The source itself, or a copy without a name, at its beginning.

    Raises:
        TableError: if it isn't in the encoding that its first bytes say.
    """
    if dialect.is_plain():
        return source
    copy = tempfile.TemporaryFile()  # noqa: SIM115 - read after this returns
    given = source.open("rb") if isinstance(source, Path) else source
    text = io.TextIOWrapper(given, encoding=dialect.encoding, newline="")
    target = codecs.getwriter("utf-8")(copy)
    try:
        if dialect.is_said:
            _skip_line(text, dialect.line_end)
        if dialect.line_end == "\r":
            while piece := text.read(HEAD):
                target.write(piece.replace("\r", "\n"))
        else:
            shutil.copyfileobj(text, target)
    except UnicodeError as error:
        raise TableError(
            f"line {_undecoded(given, dialect)}: begins as text in {dialect.encoding.upper()}, and "
            f"is none here: {error.reason}; save it in UTF-8"  # type: ignore[attr-defined]
        ) from error
    finally:
        text.detach()
        if isinstance(source, Path):
            given.close()
    copy.flush()
    copy.seek(0)
    return copy


def _undecoded(given: IO[bytes], dialect: Dialect) -> int:
    # The first line with something that isn't in its encoding.
    given.seek(0)
    end = dialect.line_end
    lines = io.TextIOWrapper(given, dialect.encoding, errors="replace", newline=end)
    try:
        return next((number for number, line in enumerate(lines, 1) if "\ufffd" in line), 1)
    finally:
        lines.detach()


def _skip_line(text: io.TextIOWrapper, line_end: str) -> None:
    while text.read(1) not in (line_end, ""):
        continue


def _encoding(head: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    # Without a mark: every other byte of the first letters is zero.
    start = head[:8]
    if len(start) >= 4 and not any(start[::2]) and all(start[1::2]):
        return "utf-16-be"
    if len(start) >= 4 and not any(start[1::2]) and all(start[::2]):
        return "utf-16-le"
    return "utf-8"


def _separator(first: str, separator: str) -> str:
    if _columns(first, separator) > 1:
        return separator
    others = [other for other in SEPARATORS if other != separator and _columns(first, other) > 1]
    # Where two might be meant, neither is taken.
    return others[0] if len(others) == 1 else separator


def _columns(first: str, separator: str) -> int:
    try:
        return len(next(csv.reader([first], delimiter=separator), []))
    except csv.Error:
        return 1
