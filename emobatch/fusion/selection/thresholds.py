"""Thresholds files: TOML, written by `calibrate`, meant to be read and edited by hand."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from emobatch.errors import ThresholdsError
from emobatch.fusion.selection import firmness
from emobatch.fusion.selection.firmness import Firmness
from emobatch.tasks.labels import EMOTIONS

FORMAT = 1
MAPPINGS = ("refer", "simple")
# Figures of a class, and more than any of them can be.
HIGHEST = {"entropy": 1e6, "varentropy": 1e6, "sentiment": 1.0, "detection_accuracy": 100.0}
# Two numbers as tomli_w writes them, each on a line of its own.
SPAN = re.compile(r"\[\n *([-+.\de]+),\n *([-+.\de]+),\n\]")
HEADER = """\
# Fitted by `emobatch calibrate`. By the class that the speech branch predicted, the text branch is
# consulted where entropy (nats) is at least, and varentropy at most, the figure given.
"""


@dataclass(frozen=True)
class ClassThresholds:
    """When a predicted class is deferred to the text branch, and what that then says.

    Attributes:
        entropy: tau_e in nats; None where the class is never deferred.
        varentropy: tau_v in nats squared; None where the class is never deferred.
        mapping: what negative sentiment becomes, ``refer`` or ``simple``.
        sentiment: tau_m of the simple mapping, a probability.
        flip: exchanges angry and sad in the simple mapping.
        detection_accuracy: M in percent, on the rows it was fitted on (equation 7).
        flagged: rows that the thresholds flagged there.
        detected: those of them that the speech branch had wrong.
        reason: why the class could not be fitted.
        firmness: how firm the choice is.
    """

    entropy: float | None = None
    varentropy: float | None = None
    mapping: str = "refer"
    sentiment: float = 0.0
    flip: bool = True
    detection_accuracy: float | None = None
    flagged: int | None = None
    detected: int | None = None
    reason: str | None = None
    firmness: Firmness | None = None


@dataclass(frozen=True)
class Thresholds:
    """All that `apply` needs.

    Attributes:
        classes: by predicted class; a class that is absent is never deferred.
        exclusions: changes (from, to) that are not made.
        fitted: provenance: rows, protocol, models, versions, date.
    """

    classes: Mapping[str, ClassThresholds]
    exclusions: tuple[tuple[str, str], ...] = ()
    fitted: Mapping[str, Any] = field(default_factory=dict)


def to_toml(thresholds: Thresholds) -> str:
    """Write thresholds as TOML; figures keep all their digits, so that reading gives them back.

    Args:
        thresholds: what `calibrate` found.

    Returns:
        The text of a thresholds file.
    """
    document = {
        "thresholds": {
            name: _without_nulls(asdict(entry)) for name, entry in thresholds.classes.items()
        },
        "fitted": _without_nulls(thresholds.fitted),
    }
    # One line, as people write it; tomli_w would give each name a line of its own.
    exclusions = json.dumps([list(change) for change in thresholds.exclusions])
    text = SPAN.sub(r"[\1, \2]", tomli_w.dumps(document))
    return f"{HEADER}format = {FORMAT}\nexclusions = {exclusions}\n\n{text}"


def read(path: Path) -> Thresholds:
    """Read a thresholds file.

    Args:
        path: a TOML file in the form that :func:`to_toml` writes.

    Returns:
        Its thresholds.

    Raises:
        ThresholdsError: if it can't be read or anything in it is misspelt or out of range.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ThresholdsError(
            f"{path}: {error.strerror or error}; `emobatch calibrate` writes thresholds files"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ThresholdsError(f"{path}: not TOML: {error}; mend that line") from error
    try:
        return _parse(document)
    except ThresholdsError as error:
        raise ThresholdsError(f"{path}: {error}") from error


def _parse(document: dict[str, Any]) -> Thresholds:
    _check_names(document, ("format", "exclusions", "thresholds", "fitted"), "the file")
    if document.get("format") is True or document.get("format") != FORMAT:
        raise ThresholdsError(
            f"format is {document.get('format')!r}, this version reads {FORMAT}; calibrate again"
        )
    classes, fitted = _table(document, "thresholds"), _table(document, "fitted")
    if "thresholds" not in document:
        raise ThresholdsError("no [thresholds.CLASS] in it; `emobatch calibrate` writes them")
    _check_names(classes, EMOTIONS, "[thresholds]")
    return Thresholds(
        classes={name: _parse_class(name, classes) for name in classes},
        exclusions=_parse_exclusions(document.get("exclusions", [])),
        fitted=_parse_fitted(fitted),
    )


def _parse_class(name: str, classes: dict[str, Any]) -> ClassThresholds:
    entry = _table(classes, name, "thresholds.")
    where = f"[thresholds.{name}]"
    _check_names(entry, [f.name for f in fields(ClassThresholds)], where)
    for key, most in HIGHEST.items():
        value = entry.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise ThresholdsError(
                f"{where} {key} is {value!r}; a number of at least 0 and at most {most:g} is wanted"
            )
    for key in ("flagged", "detected"):
        _check_count(entry, key, where)
    if not isinstance(entry.get("reason", ""), str):
        raise ThresholdsError(f"{where} reason is {entry['reason']!r}; a text is wanted")
    if not isinstance(entry.get("flip", True), bool):
        raise ThresholdsError(f"{where} flip is {entry['flip']!r}; true or false is wanted")
    if entry.get("mapping", "refer") not in MAPPINGS:
        raise ThresholdsError(
            f"{where} mapping is {entry['mapping']!r}; {' or '.join(MAPPINGS)} is wanted"
        )
    if ("entropy" in entry) != ("varentropy" in entry):
        raise ThresholdsError(f"{where} has one of entropy and varentropy; give both or neither")
    firm = _parse_firmness(name, entry) if "firmness" in entry else None
    return ClassThresholds(**{**entry, "firmness": firm})


def _parse_firmness(name: str, parent: dict[str, Any]) -> Firmness:
    where = f"[thresholds.{name}.firmness]"
    entry = _table(parent, "firmness", f"thresholds.{name}.")
    _check_names(entry, [f.name for f in fields(Firmness)], where)
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
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= max(HIGHEST.values())


def _check_count(entry: Mapping[str, Any], key: str, where: str) -> None:
    value = entry.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ThresholdsError(f"{where} {key} is {value!r}; a count is wanted")


def _parse_exclusions(changes: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(changes, list):
        raise ThresholdsError("exclusions is not a list of [from, to]")
    for change in changes:
        pair = change if isinstance(change, list) else []
        if len(pair) != 2 or any(name not in EMOTIONS for name in pair) or pair[0] == pair[1]:
            raise ThresholdsError(
                f"exclusion {change!r} is not [from, to] of {', '.join(EMOTIONS)}"
            )
    return tuple((before, after) for before, after in changes)


def _check_names(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise ThresholdsError(f"{name!r} is not a name that {where} has; {hint}")


def _parse_fitted(fitted: dict[str, Any]) -> dict[str, Any]:
    models = _table(fitted, "models", "fitted.")
    for branch in models:
        _table(models, branch, "fitted.models.")
    # TOML has dates, which JSON, the form of a table's metadata, has not.
    parsed: dict[str, Any] = json.loads(json.dumps(fitted, default=str))
    return parsed


def _table(document: dict[str, Any], name: str, parents: str = "") -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise ThresholdsError(f"{parents}{name} is {value!r}, not a table; write [{parents}{name}]")
    return value


def _without_nulls(value: Any) -> Any:
    # TOML has no null: what is not known is left out.
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value
