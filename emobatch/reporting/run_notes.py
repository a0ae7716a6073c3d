"""What was run, as a reader of a report is told it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emobatch.fusion.file import Fitted
from emobatch.tables import reading
from emobatch.tables.attributes import DECIDED_BY as ATTRIBUTES_BY
from emobatch.tables.judged import JUDGE
from emobatch.tables.label_column import DECIDED_BY as EMOTIONS_BY
from emobatch.tables.provenance import software
from emobatch.tables.score_table import THRESHOLDS, ScoreTable

Pairs = list[tuple[str, str]]
DRAWN_WITH = ("matplotlib", "numpy", "polars", "scikit-learn")
EMOTIONS, ATTRIBUTES = "Thresholds", "Thresholds of attributes"
UNKNOWN = [("not known", "nothing about it is stored with the table")]


def run_notes(
    table: ScoreTable, rows: str, thresholds_file: Path | None, fitted: Fitted | None
) -> list[tuple[str, Pairs]]:
    """Tell what the rows, the scores, the thresholds and the page were made with.

    Args:
        table: the final table.
        rows: how many it has, and of which kinds.
        thresholds_file: the thresholds file given, if any.
        fitted: the method in it.

    Returns:
        Headings, each with names and what they stand for.
    """
    provenance = table.provenance
    return [
        ("Table", _of_table(table, rows)),
        ("Models", _flat(provenance.get("models")) or UNKNOWN),
        ("Options of scoring", _flat(provenance.get("options")) or UNKNOWN),
        *_thresholds(table, thresholds_file, fitted),
        *([("Judge", _flat(review))] if (review := provenance.get(JUDGE)) else []),
        ("Software that scored", _flat(provenance.get("software")) or UNKNOWN),
        ("Software of this page", _flat(software(DRAWN_WITH))),
    ]


def _thresholds(
    table: ScoreTable, thresholds_file: Path | None, fitted: Fitted | None
) -> list[tuple[str, Pairs]]:
    # Emotions and attributes are decided apart, each with a file of its own.
    names = table.rows.collect_schema().names()
    each = list(table.attributes_with.values())
    of_attributes = each[0] if each and each[1:] == each[:-1] else None
    known = {
        EMOTIONS: (EMOTIONS_BY, table.provenance.get(THRESHOLDS)),
        ATTRIBUTES: (ATTRIBUTES_BY, of_attributes),
    }
    found = {
        heading: _of_thresholds(about) or UNKNOWN
        for heading, (column, about) in known.items()
        if column in names
    }
    if fitted is not None and thresholds_file is not None:
        heading = ATTRIBUTES if fitted.method.of_attributes else EMOTIONS
        named = [("file", thresholds_file.name), ("method", fitted.method.name)]
        found[heading] = [*named, *_of_thresholds(fitted.fitted)]
    return list(found.items())


def _of_table(table: ScoreTable, rows: str) -> Pairs:
    return [
        ("files", ", ".join(Path(reading.spoken(name)).name for name in table.sources)),
        ("rows where", table.where or "all rows"),
        ("rows", rows),
    ]


def _of_thresholds(about: Any) -> Pairs:
    if not isinstance(about, Mapping):
        return _flat(about)
    # Digests say nothing to people.
    plain = {key: value for key, value in about.items() if key not in ("models", "ids")}
    models = _flat(about.get("models"))
    return [*_flat(plain), *((f"{branch} model", text) for branch, text in models)]


def _flat(values: Any) -> Pairs:
    # What a stored text says need not be what `score` would write.
    if isinstance(values, Mapping):
        return [(str(name), _text(value)) for name, value in values.items()]
    return [("stored", _text(values))] if values else []


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        known = {key: item for key, item in value.items() if item not in (None, "")}
        return ", ".join(f"{key} {_text(item)}" for key, item in known.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return "not given" if value is None else str(value)
