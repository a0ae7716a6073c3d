"""What stands behind the headline figures of a table, and how sure they are."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors

from emobatch.errors import LabelError
from emobatch.evaluation.bootstrap import interval, resampled_counts, resampled_sums, units
from emobatch.evaluation.intervals import confusion_figures, intervals
from emobatch.evaluation.metrics import class_indices, confusion, per_class
from emobatch.evaluation.paired_test import mcnemar
from emobatch.evaluation.reliability import (
    calibration_bins,
    calibration_error,
    risk_coverage,
    risk_coverage_area,
)
from emobatch.evaluation.transitions import transitions
from emobatch.evaluation.word_error_rate import word_errors
from emobatch.tables.uncertainty import SPEECH_COLUMNS
from emobatch.tasks.labels import SENTIMENTS, canonical

log = logging.getLogger(__name__)
STAGES = {"before": "speech_emotion", "after": "emotion"}
IMPLIED = {"angry": "negative", "happy": "positive", "neutral": "neutral", "sad": "negative"}
COVERAGES = range(100, 0, -10)


def breakdown(rows: pl.DataFrame, resamples: int) -> dict[str, Any]:
    """Measure what the headline figures don't show.

    Args:
        rows: labelled rows with predictions: ``label`` and one or both of ``speech_emotion`` and
            ``emotion``, all class names; any of ``speech_*``, ``entropy``, ``flagged``,
            ``decided_by``, ``sentiment`` and ``speaker``. At least one row.
        resamples: bootstrap resamples for intervals, 0 for none.

    Returns:
        Figures in percent. By stage: ``classes``, ``confusion`` and ``intervals``. Where both
        stages are there: ``transitions`` and ``paired_test``. Where the columns
        are: ``flagged``, ``reverted``, ``sentiment_f1``, ``calibration_error``,
        ``calibration_bins`` and ``risk_coverage``.
    """
    labels = rows["label"]
    present = {stage: name for stage, name in STAGES.items() if name in rows.columns}
    result: dict[str, Any] = {
        "classes": {stage: per_class(labels, rows[name]) for stage, name in present.items()},
        "confusion": {stage: confusion(labels, rows[name]) for stage, name in present.items()},
    }
    if len(present) == len(STAGES):
        result |= _changes(rows)
    if resamples:
        result["intervals"] = _intervals(rows, present, resamples)
    if rows.schema.get("flagged") == pl.Boolean and "decided_by" in rows.columns:
        result["flagged"] = int(rows["flagged"].sum())
        result["reverted"] = int((rows["decided_by"].cast(pl.String) == "reverted").sum())
    if "sentiment" in rows.columns:
        result |= _sentiment(rows, resamples)
    if "before" in present:
        result |= _reliability(rows, present)
    return result


def word_error_interval(rows: pl.DataFrame, resamples: int) -> list[float] | None:
    """The 95 % interval of the word error rate.

    Args:
        rows: ``reference`` and ``transcript``, maybe ``speaker``.
        resamples: bootstrap resamples.

    Returns:
        Its bounds in percent, None where no row has a reference.
    """
    counts = word_errors(rows["reference"], rows["transcript"])
    spoken = counts["words"] > 0
    if not spoken.any():
        return None
    values = counts.filter(spoken).to_numpy().astype(np.int64)
    sums = resampled_sums(values, units(rows.filter(spoken)), resamples)
    return interval(100 * sums[:, 0] / sums[:, 1])


def _changes(rows: pl.DataFrame) -> dict[str, Any]:
    labels, before, after = rows["label"], rows[STAGES["before"]], rows[STAGES["after"]]
    test = mcnemar((labels == before).to_numpy(), (labels == after).to_numpy())
    return {
        "transitions": transitions(labels, before, after).to_dicts(),
        "paired_test": {"name": "McNemar, exact", **test},
    }


def _intervals(rows: pl.DataFrame, present: dict[str, str], resamples: int) -> dict[str, Any]:
    drawn = units(rows)
    stages = {stage: class_indices(rows[name]) for stage, name in present.items()}
    return {
        **drawn.described(resamples),
        **intervals(class_indices(rows["label"]), stages, drawn, resamples),
    }


def _sentiment(rows: pl.DataFrame, resamples: int) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    try:
        rows = rows.with_columns(canonical(rows["sentiment"], SENTIMENTS))
    except LabelError as error:
        log.warning("note: no figures of sentiment: %s", error)
        return {}
    rows = rows.filter(pl.col("sentiment").is_not_null())
    if rows.is_empty():
        return {}
    implied, heard = (
        column.replace_strict(list(SENTIMENTS), range(len(SENTIMENTS)), return_dtype=pl.Int64)
        for column in (rows["label"].replace_strict(IMPLIED), rows["sentiment"])
    )
    size = len(SENTIMENTS)
    values = f1_score(implied, heard, labels=range(size), average=None, zero_division=np.nan)
    found: dict[str, Any] = {
        "sentiment_f1": {
            **{
                name: None if np.isnan(f1) else round(100 * float(f1), 2)
                for name, f1 in zip(SENTIMENTS, values, strict=True)
            },
            "rows": len(rows),
        }
    }
    if resamples:
        cells = (implied * size + heard).to_numpy()
        counts = resampled_counts(cells, size**2, units(rows), resamples)
        figures = confusion_figures(counts.reshape(-1, size, size))["class F1"]
        found["sentiment_intervals"] = {
            name: interval(figures[:, number]) for number, name in enumerate(SENTIMENTS)
        }
    return found


def _reliability(rows: pl.DataFrame, present: dict[str, str]) -> dict[str, Any]:
    labels = class_indices(rows["label"])
    probabilities = rows.select(SPEECH_COLUMNS).to_numpy()
    uncertainty = rows["entropy"].to_numpy()
    bins = calibration_bins(probabilities, labels)
    right = {stage: (rows[name] == rows["label"]).to_numpy() for stage, name in present.items()}
    return {
        "calibration_error": round(calibration_error(probabilities, labels), 2),
        "calibration_bins": bins.with_columns(selectors.float().round(4)).to_dicts(),
        "risk_coverage": {
            "by": "entropy",
            "area": {
                stage: round(risk_coverage_area(uncertainty, hits), 2)
                for stage, hits in right.items()
            },
            "points": _points(uncertainty, right),
        },
    }


def _points(
    uncertainty: NDArray[np.float64], right: dict[str, NDArray[np.bool_]]
) -> list[dict[str, float]]:
    # As few of the most certain rows as make at least that share; equal ones stay together.
    curves = {stage: risk_coverage(uncertainty, hits) for stage, hits in right.items()}
    coverage = next(iter(curves.values()))["coverage"].to_numpy()
    points = []
    for at in dict.fromkeys(np.searchsorted(coverage, np.array(COVERAGES) / 100 - 1e-12).tolist()):
        kept = {stage: curve["accuracy"][at] for stage, curve in curves.items()}
        figures = {"coverage": coverage[at], **kept}
        points.append({name: round(100 * float(share), 2) for name, share in figures.items()})
    return points
