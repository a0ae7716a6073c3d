"""Whether the speech branch is as often right as it is sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from emobatch.evaluation.figure import BEFORE, SHARE, Figure
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.reliability import calibration_bins, calibration_error
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample

ERROR = "calibration_error"
# Of the rows in each bin: their mean confidence and their accuracy.
OF_BINS = ("confidence", "accuracy")
DIGITS = 4


class Calibration(Measure):
    """Expected calibration error, and the bins that it is the mean of."""

    name = "calibration"
    title = "expected calibration error of speech"

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure the speech branch's confidence against its accuracy."""
        rows = len(sample.scored)
        if not rows or BEFORE not in sample.stages:
            return
        error = calibration_error(sample.probabilities, sample.labels)
        yield Figure(ERROR, round(error, 2), rows=rows, stage=BEFORE)
        bins = calibration_bins(sample.probabilities, sample.labels)
        for each in bins.iter_rows(named=True):
            bounds = (round(each["low"], DIGITS), round(each["high"], DIGITS))
            for name in OF_BINS:
                value = None if each[name] is None else round(each[name], DIGITS)
                yield Figure(
                    name, value, rows=each["rows"], stage=BEFORE, confidence=bounds, unit=SHARE
                )

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give the error and the bins."""
        error = evaluation.get(ERROR, stage=BEFORE, group=group)
        if error is None:
            return {}
        return {ERROR: error.value, "calibration_bins": bins(evaluation)}

    def is_listed(self, figure: Figure) -> bool:
        """Leave the bins out."""
        return figure.confidence is None

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Name the error."""
        error = evaluation.get(ERROR, stage=BEFORE)
        return (f"{self.title} {error.text()} %",) if error else ()


def bins(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The reliability diagram in numbers.

    Args:
        evaluation: what was measured.

    Returns:
        For each bin ``low`` and ``high``, the bounds of its confidence; ``rows`` in it; their mean
        ``confidence`` and their ``accuracy``, 0 to 1, None where there are none.
    """
    binned = [figure for figure in evaluation.of("calibration") if figure.confidence]
    by_bin: dict[tuple[float, float], dict[str, Any]] = {}
    for figure in binned:
        low, high = figure.confidence or (0.0, 0.0)
        entry = by_bin.setdefault((low, high), {"low": low, "high": high, "rows": figure.rows})
        entry[figure.name] = figure.value
    return list(by_bin.values())
