"""A little of what `python tests/endurance/fuzz.py` does at length."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "endurance"))

import pytest
from fuzz import run, seeds


# Parquet is left to the long run: on some damaged files Polars ends the process.
@pytest.mark.parametrize("place", [0, 1, 2, 4, 5, 6, 8])
def test_broken_files_are_read_or_refused_in_one_line(place: int, tmp_path: Path) -> None:
    assert list(seeds(tmp_path))[place][0] != ".parquet"
    taken = list(run(1, tmp_path, place, range(80)))
    assert len(taken) == 80 and 0 < sum(taken) < 80
