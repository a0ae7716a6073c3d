"""The deliberate mistakes of `mutation.py`: each can be made today, and names tests that exist."""

from __future__ import annotations

import ast
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LISTS = sorted((HERE / "mutants").glob("*.jsonl"))
KEYS = {"area", "file", "from", "to", "tests"}


def entries(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@cache
def code(file: str) -> str:
    path = HERE.parent / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@cache
def names_in(file: str) -> frozenset[str]:
    """Names of the tests in a file, as pytest has them after the file's name."""
    path = HERE / file
    if not path.is_file():
        return frozenset()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return frozenset(each.name for each in body if isinstance(each, ast.FunctionDef))


def faults(entry: dict[str, Any]) -> list[str]:
    """What keeps a mistake from being made, or from being looked for."""
    if entry.keys() != KEYS or not entry["tests"] or entry["from"] == entry["to"]:
        return ["is no mistake: a key lacks or is unknown, no tests, or nothing changed"]
    text, found = code(entry["file"]), []
    if (count := text.count(entry["from"])) != 1:
        found.append(f"{entry['file']}: stands there {count} times: {entry['from']!r}")
    elif entry["file"].endswith(".py"):
        try:
            ast.parse(text.replace(entry["from"], entry["to"]))
        except SyntaxError as error:
            found.append(f"{entry['file']}: {entry['to']!r} is no Python there: {error}")
    for name in entry["tests"]:
        file, _, test = name.partition("::")
        known = names_in(file)
        if not known or (test and test.partition("[")[0] not in known):
            found.append(f"no such test: {name}")
    return found


def test_there_are_mistakes() -> None:
    assert sum(len(entries(file)) for file in LISTS) > 500


@pytest.mark.parametrize("file", LISTS, ids=lambda file: file.stem)
def test_each_can_be_made_once_and_names_tests_that_exist(file: Path) -> None:
    found = [
        f"{file.name}:{line}: {fault}"
        for line, entry in enumerate(entries(file), 1)
        for fault in faults(entry)
    ]
    assert not found, "\n".join(found)


def test_none_is_listed_twice() -> None:
    listed = [(each["file"], each["from"], each["to"]) for file in LISTS for each in entries(file)]
    assert not [each for each, count in Counter(listed).items() if count > 1]
