"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import emobatch

HOUSE = Path(emobatch.__file__).parent
MODULES = [
    ".".join(("emobatch", *file.relative_to(HOUSE).with_suffix("").parts)).removesuffix(".__init__")
    for file in sorted(HOUSE.rglob("*.py"))
    if ">>>" in file.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
