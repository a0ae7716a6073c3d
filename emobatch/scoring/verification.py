"""What came of scoring rows of a table again: which of their values differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emobatch.errors import VerificationError
from emobatch.scorers.columns import PROBABILITY
from emobatch.scorers.plan import Plan
from emobatch.scoring.utterances import AUDIO_STAGE
from emobatch.wording import counted

# What stands in a row whose file isn't there.
MISSING = f"{AUDIO_STAGE}: no such file"


@dataclass(frozen=True)
class Difference:
    """A value of the table that didn't come out again.

    Attributes:
        id: of the row.
        column: of the value; ``error`` where the row could not be scored.
        table: what the table says.
        again: what came out.
    """

    id: str
    column: str
    table: Any
    again: Any


@dataclass(frozen=True)
class Verification:
    """What came of it.

    Attributes:
        source: the table.
        ok_rows: rows that it has scores for.
        rows: how many of them were scored again.
        tolerance: by how much probabilities may differ.
        largest: by how much a probability differed at most.
        differences: what was beyond the tolerance.
    """

    source: str
    ok_rows: int
    rows: int
    tolerance: float
    largest: float
    differences: tuple[Difference, ...]

    def refuse_differences(self) -> None:
        """Fail if anything differed.

        Raises:
            VerificationError: says how many rows.
        """
        bad = len({difference.id for difference in self.differences})
        missing = [each for each in self.differences if str(each.again).startswith(MISSING)]
        if bad and len(missing) == self.rows:
            raise VerificationError(
                f"{self.source}: no file of {counted(self.rows, 'row')} is there; give --root the "
                "folder that paths are relative to: the manifest's, or the --root that `score` had"
            )
        if bad:
            raise VerificationError(
                f"{self.source}: {bad} of {self.rows} rows don't score as it says; mend audio or "
                "--root if that is what changed, else score the manifest again"
            )


def compare(
    stored: Mapping[str, Any], again: Mapping[str, Any], plan: Plan, tolerance: float
) -> tuple[list[Difference], float]:
    """Hold a row of a table against what came out again.

    Args:
        stored: the row.
        again: the same row, scored again.
        plan: the scorers, which say by how much their columns may differ.
        tolerance: by how much a probability may.

    Returns:
        What differs by more than that, and by how much a probability differs at most.
    """
    if again["error"] is not None:
        return [Difference(stored["id"], "error", None, again["error"])], 0.0
    beyond: list[Difference] = []
    largest = 0.0
    for name, column in plan.columns.items():
        if name not in stored:
            continue  # a column that tables of before lack
        mine, theirs = stored[name], again[name]
        if column.leeway is not None and mine is not None and theirs is not None:
            difference = _distance(mine, theirs)
            if column.leeway == PROBABILITY and math.isfinite(difference):
                largest = max(largest, difference)
            if difference <= tolerance * column.leeway:
                continue
        elif (mine or None) == (theirs or None):  # a text format has one way to write nothing
            continue
        beyond.append(Difference(stored["id"], name, _plain(mine), _plain(theirs)))
    return beyond, largest


def _distance(mine: Any, theirs: Any) -> float:
    # Of embeddings, the number that is farthest off.
    if isinstance(mine, list):
        return max((abs(a - b) for a, b in zip(mine, theirs, strict=True)), default=0.0)
    return float(abs(mine - theirs))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return f"{len(value)} numbers, the first of them {value[0]:.6g}"
    # JSON has no NaN.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
