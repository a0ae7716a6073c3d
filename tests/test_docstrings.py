"""The examples in docstrings are true, and every function that takes or gives arrays has one."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import emobatch

MODULES = [
    found.name
    for found in pkgutil.walk_packages(emobatch.__path__, "emobatch.")
    if not found.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
