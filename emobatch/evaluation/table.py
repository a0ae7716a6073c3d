"""What `evaluate` measured, as a file: JSON, or one long table with a row for each figure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.tables import reading, writing
from emobatch.tables.provenance import date, software
from emobatch.tasks.labels import EMOTIONS, SENTIMENTS

JSON = ".json"
EXTENSIONS = (JSON, *reading.EXTENSIONS)
SCHEMA: Mapping[str, type[pl.DataType]] = {
    "group": pl.String,
    "stage": pl.String,
    "figure": pl.String,
    "class": pl.String,
    "to": pl.String,
    "coverage": pl.Float64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
Row = dict[str, Any]
STAGES = ("before", "after", "difference")
COUNTS = ("rows", "left_out", "flagged", "reverted")
CHANGES = ("rows", "better", "worse", "neither")
PAIRED = ("better", "worse", "p")


def write(result: Mapping[str, Any], target: Path, made_of: Mapping[str, Any]) -> None:
    """Write what `evaluate` measured.

    Args:
        result: see :func:`emobatch.evaluation.evaluate.evaluate`.
        target: ``.json`` for the whole, a table's extension for :func:`long_table`.
        made_of: what was measured, for the table's metadata.

    Raises:
        OutputError: if it can't be written.
    """
    if target.suffix.lower() == JSON:
        writing.write_text(target, json.dumps(result, ensure_ascii=False) + "\n")
        return
    provenance = {**made_of, "date": date(), "software": software(["polars", "scikit-learn"])}
    writing.write(long_table(result).lazy(), target, provenance)


def long_table(result: Mapping[str, Any]) -> pl.DataFrame:
    """Lay out what `evaluate` measured as a row for each figure.

    Args:
        result: see :func:`emobatch.evaluation.evaluate.evaluate`.

    Returns:
        ``group``, the value of `--by`, null for all rows together; ``stage``, ``before``, ``after``
        or ``difference``; ``figure``; ``class`` that it is about, and ``to``, the class predicted
        (of ``confusion``) or changed to (of ``transition_…``); ``coverage``, the percentage of rows
        kept, those of least entropy, where not all are; ``value``, and ``low`` and ``high``,
        its 95 % interval. What a figure has none of is null.

    Examples:
        >>> long_table({"rows": 2}).select("figure", "value").rows()
        [('rows', 2.0)]
    """
    rows = [*_headline(result), *_classes(result), *_changes(result), *_speech(result)]
    for group, found in result.get("by", {}).items():
        rows += [{"group": group, **row} for row in _headline(found)]
    return pl.DataFrame(rows, schema=SCHEMA)


def _headline(result: Mapping[str, Any]) -> Iterator[Row]:
    yield from ({"figure": name, "value": result[name]} for name in COUNTS if name in result)
    if result.get("wer") is not None:
        yield {"figure": "wer", "value": result["wer"], **_bounds(result.get("wer_interval"))}
    for stage in STAGES:
        bounds = result.get("intervals", {}).get(stage, {})
        for name, value in result.get(stage, {}).items():
            yield {"stage": stage, "figure": name, "value": value, **_bounds(bounds.get(name))}


def _classes(result: Mapping[str, Any]) -> Iterator[Row]:
    for stage, classes in result.get("classes", {}).items():
        bounds = result.get("intervals", {}).get(stage, {}).get("classes", {})
        for name, figures in classes.items():
            for figure, value in figures.items():
                row = {"stage": stage, "figure": figure, "class": name, "value": value}
                yield {**row, **_bounds(bounds.get(name, {}).get(figure))}
    for stage, matrix in result.get("confusion", {}).items():
        for name, counts in zip(EMOTIONS, matrix, strict=True):
            for to, count in zip(EMOTIONS, counts, strict=True):
                row = {"stage": stage, "figure": "confusion", "class": name}
                yield {**row, "to": to, "value": count}


def _changes(result: Mapping[str, Any]) -> Iterator[Row]:
    for change in result.get("transitions", []):
        for name in CHANGES:
            row = {"figure": f"transition_{name}", "class": change["from"], "to": change["to"]}
            yield {**row, "value": change[name]}
    test = result.get("paired_test", {})
    yield from ({"figure": f"mcnemar_{name}", "value": test[name]} for name in PAIRED if test)


def _speech(result: Mapping[str, Any]) -> Iterator[Row]:
    heard, bounds = result.get("sentiment_f1", {}), result.get("sentiment_intervals", {})
    for name in SENTIMENTS if heard else ():
        row = {"figure": "sentiment_F1", "class": name, "value": heard[name]}
        yield {**row, **_bounds(bounds.get(name))}
    if "calibration_error" in result:
        yield {
            "stage": "before",
            "figure": "calibration_error",
            "value": result["calibration_error"],
        }
    curve = result.get("risk_coverage", {"area": {}, "points": []})
    for stage, area in curve["area"].items():
        yield {"stage": stage, "figure": "risk_coverage_area", "value": area}
        for point in curve["points"]:
            row = {"stage": stage, "figure": "WA", "coverage": point["coverage"]}
            yield {**row, "value": point[stage]}


def _bounds(bounds: list[float] | None) -> Row:
    return {"low": bounds[0], "high": bounds[1]} if bounds else {}
