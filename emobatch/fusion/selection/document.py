"""Rules of selection as a thresholds file has them, read with every name and figure checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from emobatch.errors import ThresholdsError
from emobatch.fusion.checks import check_names, is_number, table
from emobatch.fusion.selection import firmness
from emobatch.fusion.selection.detection import FlagBy
from emobatch.fusion.selection.firmness import Firmness
from emobatch.fusion.selection.rules import (
    MAPPINGS,
    ClassRule,
    DetectionFigures,
    Limits,
    Rules,
    SentimentMapping,
)
from emobatch.tasks.task import Task

# Figures of a class, and more than any of them can be.
HIGHEST = {"entropy": 1e6, "varentropy": 1e6, "sentiment": 1.0, "detection_accuracy": 100.0}
COUNTS = ("flagged", "detected")
NAMES = (
    *("mapping", "sentiment", "flip"),
    *("detection_accuracy", "flagged", "detected", "reason", "firmness"),
)
# The thresholds that a class has, by the measures that flag a row.
MEASURES: Mapping[FlagBy, tuple[str, ...]] = {
    "both": ("entropy", "varentropy"),
    "entropy": ("entropy",),
    "varentropy": ("varentropy",),
}


def to_document(rules: Rules, flag_by: FlagBy = "both") -> dict[str, Any]:
    """Lay rules out as tables.

    Args:
        rules: what was fitted.
        flag_by: the measures that flag a row.

    Returns:
        ``exclusions``, and ``thresholds`` by predicted class.
    """
    return {
        "exclusions": [list(change) for change in rules.exclusions],
        "thresholds": {name: _to_table(rule, flag_by) for name, rule in rules.classes.items()},
    }


def from_document(document: Mapping[str, Any], task: Task, flag_by: FlagBy = "both") -> Rules:
    """Read rules.

    Args:
        document: what :func:`to_document` gave, maybe edited by hand.
        task: the classes.
        flag_by: the measures that flag a row.

    Returns:
        The rules.

    Raises:
        ThresholdsError: names what is misspelt, missing or out of range.
    """
    check_names(document, ("exclusions", "thresholds", "fitted"), "the file")
    if "thresholds" not in document:
        raise ThresholdsError("no [thresholds.CLASS] in it; `emobatch calibrate` writes them")
    classes = table(document, "thresholds")
    check_names(classes, task.classes, "[thresholds]")
    return Rules(
        {name: _class_rule(name, classes, flag_by) for name in classes},
        _exclusions(document.get("exclusions", []), task),
    )


def _to_table(rule: ClassRule, flag_by: FlagBy) -> dict[str, Any]:
    limits = {name: getattr(rule.limits, name, None) for name in MEASURES[flag_by]}
    return {
        **limits,
        "mapping": rule.mapping.kind,
        "sentiment": rule.mapping.sentiment,
        "flip": rule.mapping.flip,
        "detection_accuracy": rule.figures.accuracy,
        "flagged": rule.figures.flagged,
        "detected": rule.figures.detected,
        "reason": rule.reason,
        "firmness": rule.firmness and asdict(rule.firmness),
    }


def _class_rule(name: str, classes: Mapping[str, Any], flag_by: FlagBy) -> ClassRule:
    entry = table(classes, name, "thresholds.")
    where = f"[thresholds.{name}]"
    check_names(entry, (*MEASURES[flag_by], *NAMES), where)
    _check_figures(entry, where)
    if not isinstance(entry.get("reason", ""), str):
        raise ThresholdsError(f"{where} reason is {entry['reason']!r}; a text is wanted")
    if not isinstance(entry.get("flip", True), bool):
        raise ThresholdsError(f"{where} flip is {entry['flip']!r}; true or false is wanted")
    plain = SentimentMapping()
    kind = entry.get("mapping", plain.kind)
    if kind not in MAPPINGS:
        raise ThresholdsError(f"{where} mapping is {kind!r}; {' or '.join(MAPPINGS)} is wanted")
    limits = {measure: entry[measure] for measure in MEASURES[flag_by] if measure in entry}
    if limits and len(limits) < len(MEASURES[flag_by]):
        raise ThresholdsError(f"{where} has one of entropy and varentropy; give both or neither")
    return ClassRule(
        Limits(**limits) if limits else None,
        SentimentMapping(
            kind, entry.get("sentiment", plain.sentiment), entry.get("flip", plain.flip)
        ),
        DetectionFigures(
            entry.get("detection_accuracy"), entry.get("flagged"), entry.get("detected")
        ),
        entry.get("reason"),
        _firmness(name, entry) if "firmness" in entry else None,
    )


def _check_figures(entry: Mapping[str, Any], where: str) -> None:
    for key, most in HIGHEST.items():
        value = entry.get(key, 0.0)
        if not is_number(value) or not 0 <= value <= most:
            raise ThresholdsError(
                f"{where} {key} is {value!r}; a number of at least 0 and at most {most:g} is wanted"
            )
    for key in COUNTS:
        _check_count(entry, key, where)


def _firmness(name: str, parent: Mapping[str, Any]) -> Firmness:
    where = f"[thresholds.{name}.firmness]"
    entry = table(parent, "firmness", f"thresholds.{name}.")
    check_names(entry, [f.name for f in fields(Firmness)], where)
    spans = {key: entry[key] for key in firmness.SPANS if key in entry}
    for key, value in spans.items():
        if not (isinstance(value, list) and len(value) == 2 and all(map(_is_figure, value))):
            raise ThresholdsError(f"{where} {key} is {value!r}; [from, to] is wanted")
    for key in firmness.COUNTS:
        _check_count(entry, key, where)
    if not _is_figure(entry.get("left_out_accuracy", 0)):
        raise ThresholdsError(f"{where} left_out_accuracy is not a number of at least 0")
    for key in ("equal_pairs", "equal_entropy", "equal_varentropy"):
        if key not in entry:
            raise ThresholdsError(f"{where} has no {key}; give it or drop the section")
    return Firmness(**{**entry, **{key: tuple(value) for key, value in spans.items()}})


def _is_figure(value: Any) -> bool:
    return is_number(value) and 0 <= value <= max(HIGHEST.values())


def _check_count(entry: Mapping[str, Any], key: str, where: str) -> None:
    value = entry.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ThresholdsError(f"{where} {key} is {value!r}; a count is wanted")


def _exclusions(changes: Any, task: Task) -> tuple[tuple[str, str], ...]:
    if not isinstance(changes, list):
        raise ThresholdsError("exclusions is not a list of [from, to]")
    for change in changes:
        pair = change if isinstance(change, list) else []
        if len(pair) != 2 or any(name not in task.classes for name in pair) or pair[0] == pair[1]:
            raise ThresholdsError(
                f"exclusion {change!r} is not [from, to] of {', '.join(task.classes)}"
            )
    return tuple((before, after) for before, after in changes)
