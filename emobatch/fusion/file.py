"""Thresholds files: TOML, written by `calibrate`, meant to be read and edited by hand."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from emobatch.errors import TaskError, ThresholdsError, UnknownName
from emobatch.fusion import arrays
from emobatch.fusion.checks import table
from emobatch.fusion.method import Method
from emobatch.fusion.methods import METHODS
from emobatch.tables import writing
from emobatch.tables.fitted_rows import FittedRows
from emobatch.tasks import choose
from emobatch.tasks.task import Task

FORMAT = 2
# Format 1 knew one method and one set of classes.
FIRST_FORMAT, FIRST_METHOD = 1, "selection"
# Arrays as tomli_w writes them, each value on a line of its own: the innermost, and one of those.
# A line can be read in one way only, else a long list of odd names takes minutes.
ARRAY = re.compile(r"\[\n((?: +[^ \[\]\n][^\[\]\n]*,\n)+) *\]")
NESTED = re.compile(r"\[\n((?: +\[[^\n]*\],\n)+) *\]")


@dataclass(frozen=True)
class Fitted:
    """All that `apply` needs.

    Attributes:
        method: as it was fitted.
        fitted: provenance: rows, options, models, versions, date.
    """

    method: Method
    fitted: Mapping[str, Any] = field(default_factory=dict)


def write(fitted: Fitted, target: Path | None) -> None:
    """Write a fitted method, and beside it what is too large for TOML.

    Args:
        fitted: what `calibrate` found.
        target: the thresholds file, standard output where None.

    Raises:
        OutputError: if it can't be written.
    """
    kept = fitted.method.arrays()
    if target is None or not kept:
        if kept:
            arrays.refuse_standard_output(target, fitted.method.name)
        writing.write_text(target, to_toml(fitted))
        return
    writing.write_text(target, to_toml(fitted, arrays.write(kept, target)))


def to_toml(fitted: Fitted, beside: Mapping[str, Any] | None = None) -> str:
    """Write a fitted method as TOML.

    Figures keep all their digits, so that reading gives them back.

    Args:
        fitted: what `calibrate` found.
        beside: what there is to say of the arrays beside the file, None where there are none.

    Returns:
        The text of a thresholds file.
    """
    method = fitted.method
    head = {"format": FORMAT, "method": method.name, "classes": list(method.task.classes)}
    content = {
        **head,
        **method.to_document(),
        arrays.SECTION: beside,
        "sentiments": method.task.as_dict()["sentiments"],
        "fitted": fitted.fitted,
    }
    text = tomli_w.dumps(without_nulls(content))
    for pattern in (ARRAY, NESTED):  # on one line, as people write them
        text = pattern.sub(_on_one_line, text)
    first = f"Fitted by `emobatch calibrate --method {method.name}`."
    lines = [first, *method.header.splitlines()]
    return "".join(f"# {line}\n" for line in lines) + text


def read(path: Path) -> Fitted:
    """Read a thresholds file.

    Args:
        path: a TOML file in the form that :func:`to_toml` writes, or one of format 1.

    Returns:
        The method in it.

    Raises:
        ThresholdsError: if it can't be read or anything in it is misspelt or out of range.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ThresholdsError(
            f"{path}: {error.strerror or error}; `emobatch calibrate` writes thresholds files"
        ) from error
    except (ValueError, RecursionError) as error:  # a number or brackets without end, too
        raise ThresholdsError(f"{path}: not TOML: {error}; mend that line") from error
    try:
        return _parse(document, path.parent)
    except (ThresholdsError, TaskError, UnknownName) as error:
        raise ThresholdsError(f"{path}: {error}") from error


def without_nulls(value: Any) -> Any:
    """Leave out what is not known, for which TOML has no word.

    Args:
        value: tables and values.

    Returns:
        The same without those that are None.

    Examples:
        >>> without_nulls({"rows": 3, "where": None})
        {'rows': 3}
    """
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _on_one_line(array: re.Match[str]) -> str:
    values = (line.strip().removesuffix(",") for line in array[1].rstrip("\n").split("\n"))
    return f"[{', '.join(values)}]"


def _parse(document: dict[str, Any], folder: Path) -> Fitted:
    written = document.pop("format", None)
    if written is True or written not in (FIRST_FORMAT, FORMAT):
        raise ThresholdsError(
            f"format is {written!r}, this version reads {FIRST_FORMAT} and {FORMAT}; calibrate "
            "again"
        )
    if written == FIRST_FORMAT:
        name, task = FIRST_METHOD, choose.CLASS_SETS[choose.DEFAULT]
    else:
        name, task = document.pop("method", None), _task(document)
    if not isinstance(name, str):
        raise ThresholdsError("no method in it; `emobatch calibrate` names one")
    document["fitted"] = _fitted(table(document, "fitted"))
    if METHODS[name].has_arrays:
        document[arrays.SECTION] = arrays.read(table(document, arrays.SECTION), folder)
    return Fitted(METHODS[name].from_document(document, task), document["fitted"])


def _task(document: dict[str, Any]) -> Task:
    if "classes" not in document:
        raise ThresholdsError("no classes in it; `emobatch calibrate` names them")
    return Task.from_dict(
        {"classes": document.pop("classes"), "sentiments": document.pop("sentiments", {})}
    )


def _fitted(fitted: Mapping[str, Any]) -> dict[str, Any]:
    models = table(fitted, "models", "fitted.")
    for branch in models:
        table(models, branch, "fitted.models.")
    if "ids" in fitted:
        FittedRows.from_document(fitted["ids"])  # so that what is wrong is said here
    # TOML has dates, which JSON, the form of a table's metadata, has not.
    parsed: dict[str, Any] = json.loads(json.dumps(fitted, default=str))
    return parsed
