"""A page as tests read it: its elements, its text and its tables."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import FunctionType, ModuleType
from typing import IO

import pytest
from matplotlib.figure import Figure

VOID = ("meta", "input", "br", "img", "link")


@dataclass
class Table:
    """What the cells of a table say."""

    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def column(self, name: str) -> list[str]:
        return [row[self.header.index(name)] for row in self.rows]


class Page(HTMLParser):
    """An HTML page, parsed.

    Attributes:
        elements: tag and attributes of all elements in order.
        tables: by their id, else by their number.
        text: all that is said outside styles and scripts.
        script: what scripts say.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.tables: dict[str, Table] = {}
        self.text = self.script = ""
        self._open: list[str] = []
        self._table, self._row, self._cell = Table(), [""], False
        self.feed(html)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._table = Table()
            self.tables[attributes.get("id", str(len(self.tables)))] = self._table
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th"):
            self._row.append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in ("td", "th"):
            self._cell = False
        elif tag == "tr" and "thead" in self._open:
            self._table.header = self._row
        elif tag == "tr":
            self._table.rows.append(self._row)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self._cell:
            self._row[-1] += data
        if self._open[-1:] == ["script"]:
            self.script += data
        elif self._open[-1:] != ["style"]:
            self.text += data


class Blank(Figure):
    """A figure that shows nothing."""

    def savefig(self, target: IO[str], **options: object) -> None:  # type: ignore[override]
        target.write("<svg></svg>")


@contextmanager
def blank_figures(built: bool = False, but: Collection[str] = ()) -> Iterator[None]:
    """Leave a report's figures blank, where a test looks at nothing in them: they take seconds.

    Args:
        built: whether they are made all the same, and only not drawn: what makes them sees the
            rows, and gives them their size.
        but: functions whose figures are drawn.
    """
    with pytest.MonkeyPatch.context() as patch:
        if built:
            patch.setattr(Figure, "savefig", Blank.savefig)
        else:
            for module, name in _makers():
                if name not in but:
                    patch.setattr(module, name, lambda *_, **__: Blank(figsize=(4, 3)))
        yield


def _makers() -> list[tuple[ModuleType, str]]:
    # All functions that give a figure, wherever they have been imported to.
    import emobatch.reporting.crossval_page
    import emobatch.reporting.report  # noqa: F401

    return [
        (module, name)
        for place, module in sys.modules.items()
        if place.startswith("emobatch.reporting")
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__annotations__.get("return") == "Figure"
    ]
