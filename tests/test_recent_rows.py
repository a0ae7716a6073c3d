"""Rows come out of blocks as they would out of the table itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from emobatch.manifests import recent_rows
from emobatch.manifests.recent_rows import RecentRows


@pytest.mark.parametrize("count", [1, 4, 7, 30])
def test_any_rows_are_those_of_the_table(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_rows, "BLOCK_ROWS", 10)
    table = pl.LazyFrame({"row": range(23)})
    there = RecentRows()
    firsts = [*range(0, 25), 3, 22, 9, 10, 0]

    def rows(first: int) -> list[int]:
        return there.frame(table, first, count)["row"].to_list()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(rows, firsts * 5))
    assert found == [list(range(23))[first : first + count] for first in firsts * 5]
