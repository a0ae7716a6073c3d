"""A little of what `python tests/endurance/fuzz.py` does at length."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "endurance"))

from fuzz import run


def test_broken_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    counts = run(240, seed=1, folder=tmp_path)
    assert set(counts) == {"read_manifest", "read_scores", "read_thresholds"}
    for had, took in counts.values():
        assert had == 240 and 0 < took < had
