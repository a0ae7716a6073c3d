"""The published IEMOCAP scores: six folds beside the checkout, and the third kept in tests/data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import SHARED

DATA = Path(__file__).parent / "data"
PUBLISHED = SHARED / "published"
COMMITTED = Path(__file__).parents[1] / "thresholds" / "iemocap"


@dataclass(frozen=True)
class Fold:
    number: int
    table: Path
    figures: Path

    @property
    def published(self) -> dict[str, Any]:
        """What the authors' run printed."""
        found = json.loads(self.figures.read_text(encoding="utf-8"))
        return found.get(str(self.number), found)

    @property
    def committed(self) -> Path:
        return COMMITTED / f"fold_{self.number:02}.toml"


FIXTURE = Fold(3, DATA / "iemocap_fold_03.parquet", DATA / "published_fold_03.json")

every_fold = pytest.mark.parametrize(
    "fold",
    [
        pytest.param(FIXTURE, id="fixture"),
        *(
            pytest.param(
                Fold(number, PUBLISHED / f"fold_{number:02}.parquet", PUBLISHED / "published.json"),
                id=f"fold {number}",
                marks=pytest.mark.skipif(
                    not PUBLISHED.is_dir(), reason=f"{PUBLISHED} is not on this machine"
                ),
            )
            for number in range(1, 7)
        ),
    ],
)
