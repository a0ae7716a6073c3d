"""Data's path is visible from the file list, and imports follow it without a way back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import emobatch

HOUSE = Path(emobatch.__file__).parent
# Each part imports only those before it.
ORDER = (
    *("errors", "wording", "processes", "registry", "tasks", "storage", "tables", "manifests"),
    *("models", "scorers", "scoring", "features", "splits", "evaluation", "training", "fusion"),
    *("crossval", "judging", "reporting", "doctor", "planning", "demo", "api", "cli"),
)
FILES = sorted(file for file in HOUSE.rglob("*.py") if file.name != "__main__.py")


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """All of a file's syntax."""
    return tuple(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def imports(file: Path) -> Iterator[str]:
    """Modules of emobatch that a file imports, wherever and for whatever it does."""
    for node in nodes(file):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def module(file: Path) -> str:
    return ".".join(("emobatch", *file.relative_to(HOUSE).with_suffix("").parts)).removesuffix(
        ".__init__"
    )


MODULES = {module(file) for file in FILES}


def imported_modules(file: Path) -> set[str]:
    found = {name if name in MODULES else name.rpartition(".")[0] for name in imports(file)}
    return (found & MODULES) - {"emobatch", module(file)}


def test_the_top_level_is_the_path_and_no_more() -> None:
    names = {file.stem for file in HOUSE.iterdir() if not file.name.startswith("__")}
    assert names - {"py"} == set(ORDER)


@pytest.mark.parametrize("file", FILES, ids=module)
def test_imports_go_one_way(file: Path) -> None:
    parts = module(file).split(".")
    if len(parts) == 1:
        return
    for name in imported_modules(file):
        other = name.split(".")[1]
        assert ORDER.index(other) <= ORDER.index(parts[1]), f"{module(file)} imports {name}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module(file): imported_modules(file) for file in FILES}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in graph[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("part", ["manifests", "models", "scorers", "scoring", "evaluation"])
def test_what_scores_and_measures_knows_no_method(part: str) -> None:
    for file in (HOUSE / part).rglob("*.py"):
        assert not any(name.startswith("emobatch.fusion") for name in imported_modules(file)), file


def test_the_library_neither_prints_nor_ends_the_process() -> None:
    forbidden = {"print", "sys.exit", "os._exit", "signal.signal", "click.echo"}
    for file in FILES:
        if file.relative_to(HOUSE).parts[0] in ("cli", "demo"):
            continue
        for node in nodes(file):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in forbidden, f"{file}:{node.lineno}"
