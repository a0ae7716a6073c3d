"""What was run, as a reader of a report is told it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.fusion.file import Fitted
from emobatch.tables import reading
from emobatch.tables.judged import JUDGE
from emobatch.tables.provenance import software
from emobatch.tables.score_table import ScoreTable

Pairs = list[tuple[str, str]]
DRAWN_WITH = ("matplotlib", "numpy", "polars", "scikit-learn")
UNKNOWN = [("not known", "nothing about it is stored with the table")]


def run_notes(
    table: ScoreTable, rows: pl.DataFrame, thresholds_file: Path | None, fitted: Fitted | None
) -> list[tuple[str, Pairs]]:
    """Tell what the rows, the scores, the thresholds and the page were made with.

    Args:
        table: the final table.
        rows: its rows, with ``label`` and ``emotion``.
        thresholds_file: the thresholds file given, if any.
        fitted: the method in it.

    Returns:
        Headings, each with names and what they stand for.
    """
    provenance = table.provenance
    about = fitted.fitted if fitted else provenance.get("thresholds")
    file = [("file", thresholds_file.name)] if thresholds_file else []
    method = [("method", fitted.method.name)] if fitted else []
    return [
        ("Table", _of_table(table, rows)),
        ("Models", _flat(provenance.get("models")) or UNKNOWN),
        ("Options of scoring", _flat(provenance.get("options")) or UNKNOWN),
        ("Thresholds", [*file, *method, *_of_thresholds(about)] or UNKNOWN),
        *([("Judge", _flat(review))] if (review := provenance.get(JUDGE)) else []),
        ("Software that scored", _flat(provenance.get("software")) or UNKNOWN),
        ("Software of this page", _flat(software(DRAWN_WITH))),
    ]


def _of_table(table: ScoreTable, rows: pl.DataFrame) -> Pairs:
    scored, labelled = rows["emotion"].is_not_null().sum(), rows["label"].is_not_null().sum()
    return [
        ("files", ", ".join(Path(reading.spoken(name)).name for name in table.sources)),
        ("rows where", table.where or "all rows"),
        ("rows", f"{len(rows)}, of which {scored} have scores and {labelled} a label"),
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
    return "none" if value is None else str(value)
