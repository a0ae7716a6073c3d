"""What it costs to ask the text branch about some rows alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.logistic.model import Model
from emobatch.fusion.logistic.sample import Sample


@dataclass(frozen=True)
class GateCost:
    """Figures of the labelled rows with the text branch asked about some rows and about all.

    Attributes:
        rows: labelled rows that the speech model wasn't trained on; all where it was on all.
        asked: share of them that the text branch is asked about, in percent.
        gated: UA in percent with that.
        whole: UA in percent with the text branch asked about all.
    """

    rows: int
    asked: float
    gated: float
    whole: float

    def as_dict(self) -> dict[str, Any]:
        """What the thresholds file keeps of it."""
        return asdict(self)


def gate_cost(model: Model, sample: Sample) -> GateCost | None:
    """Measure what a model loses by not asking the text branch about all rows.

    Args:
        model: fitted on the sample.
        sample: its rows.

    Returns:
        The figures, None where the text branch is asked about all rows.
    """
    if model.margin is None:
        return None
    new = sample.labelled & ~sample.seen
    mine = new if new.any() else sample.labelled
    asked = model.is_asked(sample.heard)[mine].mean()
    gated, whole = (
        _average_recall(each, sample, mine) for each in (model, replace(model, margin=None))
    )
    return GateCost(int(mine.sum()), round(100 * float(asked), 2), gated, whole)


def _average_recall(model: Model, sample: Sample, mine: NDArray[np.bool_]) -> float:
    logits, _ = model.logits(sample.heard, sample.said, sample.speakers)
    labels, right = sample.labels[mine], logits.argmax(axis=1)[mine] == sample.labels[mine]
    return round(
        100 * float(np.mean([right[labels == each].mean() for each in np.unique(labels)])), 2
    )
