"""Thresholds files: TOML, written by `calibrate`, meant to be read and edited by hand."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import tomli_w

from emobatch.errors import ThresholdsError
from emobatch.labels import EMOTIONS

FORMAT = 1
MAPPINGS = ("refer", "simple")
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
            name: _without_nulls({f.name: getattr(entry, f.name) for f in fields(entry)})
            for name, entry in thresholds.classes.items()
        },
        "fitted": _without_nulls(thresholds.fitted),
    }
    # One line, as people write it; tomli_w would give each name a line of its own.
    exclusions = json.dumps([list(change) for change in thresholds.exclusions])
    return f"{HEADER}format = {FORMAT}\nexclusions = {exclusions}\n\n{tomli_w.dumps(document)}"


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
    if document.get("format") != FORMAT:
        raise ThresholdsError(
            f"format is {document.get('format')!r}, this version reads {FORMAT}; calibrate again"
        )
    classes = _table(document, "thresholds")
    _check_names(classes, EMOTIONS, "[thresholds]")
    return Thresholds(
        classes={name: _parse_class(name, _table(classes, name)) for name in classes},
        exclusions=_parse_exclusions(document.get("exclusions", [])),
        fitted=_table(document, "fitted"),
    )


def _parse_class(name: str, entry: dict[str, Any]) -> ClassThresholds:
    where = f"[thresholds.{name}]"
    _check_names(entry, [f.name for f in fields(ClassThresholds)], where)
    for key in ("entropy", "varentropy", "sentiment", "detection_accuracy"):
        value = entry.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
            raise ThresholdsError(f"{where} {key} is {value!r}; a number of at least 0 is wanted")
    for key in ("flagged", "detected"):
        value = entry.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ThresholdsError(f"{where} {key} is {value!r}; a count is wanted")
    if not isinstance(entry.get("flip", True), bool):
        raise ThresholdsError(f"{where} flip is {entry['flip']!r}; true or false is wanted")
    if entry.get("mapping", "refer") not in MAPPINGS:
        raise ThresholdsError(
            f"{where} mapping is {entry['mapping']!r}; {' or '.join(MAPPINGS)} is wanted"
        )
    if ("entropy" in entry) != ("varentropy" in entry):
        raise ThresholdsError(f"{where} has one of entropy and varentropy; give both or neither")
    return ClassThresholds(**entry)


def _parse_exclusions(changes: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(changes, list):
        raise ThresholdsError("exclusions is not a list of [from, to]")
    for change in changes:
        pair = change if isinstance(change, list) else []
        if len(pair) != 2 or any(name not in EMOTIONS for name in pair):
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


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise ThresholdsError(f"{name!r} is not a table; write [{name}]")
    return value


def _without_nulls(value: Any) -> Any:
    # TOML has no null: what is not known is left out.
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value
