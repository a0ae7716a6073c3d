"""README is short, the documentation is complete, and its links lead somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
INDEX = ROOT / "docs" / "index.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
MOST_LINES = 150
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Targets of a page's relative links and pictures."""
    found = LINK.findall(prose(page))
    return [target for target in found if not urlsplit(target).scheme]


def anchors(page: Path) -> Iterator[str]:
    """What GitHub makes of a page's headings."""
    seen: dict[str, int] = {}
    for heading in HEADING.findall(prose(page)):
        kept = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = seen[kept] = seen.get(kept, -1) + 1
        yield f"{kept}-{count}" if count else kept


def broken(page: Path, root: Path = ROOT) -> list[str]:
    """Links of a page that lead nowhere."""
    return [link for link in links(page) if not leads_somewhere(page, link, root)]


def leads_somewhere(page: Path, link: str, root: Path) -> bool:
    """Whether a relative link names a file of the repository, and a heading in it if any."""
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(root) or not target.exists():
        return False
    return not anchor or anchor in anchors(target)


def test_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    good = "[1](#a-b-c) [2](page.md#a-b-c-1) [3](https://example.org)"
    bad = "[4](#d) [5](page.md#a) ![6](x.png) [7](../page.md)"
    page.write_text(f"# A `b`, c\n{good} {bad}\n```\n[8](y.md)\n```\n## A b c\n")
    assert broken(page, tmp_path) == ["#d", "page.md#a", "x.png", "../page.md"]


def test_every_file_is_in_the_index() -> None:
    linked = {(INDEX.parent / link.partition("#")[0]).resolve() for link in links(INDEX)}
    files = {file for file in INDEX.parent.rglob("*") if file.is_file()}
    assert files - {INDEX} <= linked


def test_the_source_package_has_the_documentation() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "docs" in project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    urls = project["project"]["urls"]
    for name, file in (("Documentation", INDEX), ("Changelog", ROOT / "CHANGELOG.md")):
        assert urls[name].endswith("/" + file.relative_to(ROOT).as_posix())
