"""The report: one page that shows what was run, what came of it, and which rows changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.evaluation.evaluate import evaluate_rows, without_unread
from emobatch.evaluation.transitions import transitions
from emobatch.fusion.calibrate import Protocol
from emobatch.fusion.selection import thresholds
from emobatch.fusion.selection.algorithm import flagged
from emobatch.fusion.selection.detection import FEWEST_ROWS
from emobatch.fusion.selection.surface import Surface, surface
from emobatch.fusion.selection.thresholds import ClassThresholds, Thresholds
from emobatch.reporting import illustrations
from emobatch.reporting.changes import changed_rows
from emobatch.reporting.decisions import OUTCOMES, TOTAL, decisions
from emobatch.reporting.final_table import final_rows
from emobatch.reporting.page import render
from emobatch.reporting.run_notes import run_notes
from emobatch.tables import reading, score_table, writing
from emobatch.tables.score_table import training_rows
from emobatch.tasks.labels import EMOTIONS, parse_label_map

log = logging.getLogger(__name__)
EXTENSIONS = (".html", ".htm")
KINDS = ("rows", "better", "worse", "neither", "no label")
UNLABELLED = (
    "No row has both a label and a final emotion, so figures, confusion matrices, uncertainty of "
    "right and wrong rows, M over the grid and confidence are left out."
)
TRAINED = (
    "The speech model was trained on {} of the {} labelled rows (split 'train'): figures on them "
    "say little of new speech."
)
OTHER_THRESHOLDS = (
    "The thresholds file flags {} of {} rows otherwise than the table says: the table was decided "
    "with other thresholds, or edited since."
)
FITTED_HERE = (
    "The thresholds flag and detect as many labelled rows as on those that they were fitted on: "
    "these seem to be the same, so that figures before and after flatter the thresholds."
)
NO_THRESHOLDS = "Without a thresholds file (-t), thresholds and M over the grid are left out."


def report(
    sources: Sequence[str],
    target: Path,
    *,
    thresholds_file: Path | None = None,
    where: str | None = None,
    label_column: str = "label",
    label_map: Sequence[str] = (),
) -> None:
    """Write a page about final tables; the same input gives the same bytes.

    Args:
        sources: final tables, globs or ``-``.
        target: the page, HTML.
        thresholds_file: what the tables were decided with.
        where: SQL expression; only rows for which it holds are shown.
        label_column: column that holds the labels; ``label`` may be missing.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.

    Raises:
        EmobatchError: if something can't be read or written.
    """
    writing.check_target(target, EXTENSIONS)
    fitted = thresholds.read(thresholds_file) if thresholds_file else None
    aliases = parse_label_map(label_map, EMOTIONS)
    table = score_table.read(sources, where, mixed=True)
    with reading.explained(table.name):
        rows = final_rows(table.rows, label_column, aliases)
        contents = gather(rows, fitted)
    for note in contents["notes"]:
        log.warning("note: %s", note)
    names = [Path(reading.spoken(name)).name for name in table.sources]
    page = render(
        "report",
        {
            "title": names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else ""),
            "provenance": run_notes(table, rows, thresholds_file, fitted),
            **contents,
        },
    )
    writing.write_text(target, page)


def gather(rows: pl.DataFrame, fitted: Thresholds | None) -> dict[str, Any]:
    """Measure and draw what the page shows.

    Args:
        rows: see :func:`emobatch.reporting.final_table.final_rows`.
        fitted: thresholds that the rows were decided with.

    Returns:
        What the template names.
    """
    scored = rows.drop_nulls(["speech_emotion", "emotion"])
    labelled = scored.drop_nulls("label")
    result = evaluate_rows(without_unread(rows.drop_nulls("label"))) if len(labelled) else None
    counts = decisions(scored)
    changes = transitions(scored["label"], scored["speech_emotion"], scored["emotion"])
    known = pl.sum_horizontal("better", "worse", "neither")
    changes = changes.with_columns((pl.col("rows") - known).alias("no label"))
    surfaces = _surfaces(labelled, fitted) if result else {}
    return {
        "notes": _notes(scored, labelled, fitted, surfaces),
        "summary": _summary(len(rows), counts[TOTAL], changes, result),
        "result": result,
        "others": _other_figures(result or {}),
        "outcomes": OUTCOMES,
        "decisions": counts,
        "transitions": changes.to_dicts(),
        "kinds_of_change": [name for name in KINDS if changes[name].sum() or name != "no label"],
        "flow": illustrations.changes_flow(changes) if len(changes) else None,
        "changes": changed_rows(scored),
        "thresholds": None if fitted is None else _thresholds(fitted),
        "no_heat_map": [name for name, found in surfaces.items() if found is None],
        "heat_maps": [],
        "fewest": FEWEST_ROWS,
        **(_drawn(labelled, result, fitted, surfaces) if result else {}),
    }


def _surfaces(rows: pl.DataFrame, fitted: Thresholds | None) -> dict[str, Surface | None]:
    if fitted is None:
        return {}
    return {
        name: surface(rows, name, entry, _protocol(fitted))
        for name, entry in fitted.classes.items()
        if entry.entropy is not None and entry.varentropy is not None
    }


def _protocol(fitted: Thresholds) -> Protocol:
    # A file written by hand may not say; what is drawn is then what `calibrate` would search.
    return "paper" if fitted.fitted.get("protocol") == "paper" else "released"


def _drawn(
    rows: pl.DataFrame,
    result: Mapping[str, Any],
    fitted: Thresholds | None,
    surfaces: Mapping[str, Surface | None],
) -> dict[str, Any]:
    bins = pl.DataFrame(result["calibration_bins"])
    known = {name: found for name, found in surfaces.items() if found is not None}
    return {
        "confusions": illustrations.confusions(**result["confusion"]),
        "uncertainties": illustrations.uncertainties(rows, fitted),
        "heat_maps": illustrations.heat_maps(known),
        "protocol": _protocol(fitted) if fitted else None,
        "trust": illustrations.trust(rows, bins, result["calibration_error"]),
    }


def _notes(
    scored: pl.DataFrame,
    labelled: pl.DataFrame,
    fitted: Thresholds | None,
    surfaces: Mapping[str, Surface | None],
) -> list[str]:
    notes = [] if len(labelled) else [UNLABELLED]
    if trained := training_rows(labelled):
        notes.append(TRAINED.format(trained, len(labelled)))
    if fitted is None:
        return [*notes, NO_THRESHOLDS]
    other = scored.select((flagged(fitted.classes) != pl.col("flagged")).sum()).item()
    if other:
        notes.append(OTHER_THRESHOLDS.format(other, len(scored)))
    if surfaces and all(
        found and (found.used.flagged, found.used.detected) == (entry.flagged, entry.detected)
        for found, entry in ((found, fitted.classes[name]) for name, found in surfaces.items())
    ):
        notes.append(FITTED_HERE)
    return notes


def _summary(
    rows: int, counts: Sequence[int], changes: pl.DataFrame, result: Mapping[str, Any] | None
) -> str:
    scored, consulted, changed = counts[:3]
    share = f" ({100 * consulted / scored:.1f} %)" if scored else ""
    unscored = f", {rows - scored} of them without scores" if rows > scored else ""
    said = (
        f"{rows} rows{unscored}. The text branch was consulted about {consulted}{share} and "
        f"changed {changed}"
    )
    if result is None:
        return f"{said}."
    better, worse = (int(changes[name].sum()) for name in ("better", "worse"))
    if changed:
        said += f": {better} for the better, {worse} for the worse"
    before, after = result["before"]["UA"], result["after"]["UA"]
    return (
        f"{said}. UA went from {before:.2f} % to {after:.2f} % on {result['rows']} labelled rows."
    )


def _other_figures(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if result.get("wer") is not None:
        found.append(("Word error rate", _with_interval(result["wer"], result.get("wer_interval"))))
    sentiments = dict(result.get("sentiment_f1", {}))
    rows = sentiments.pop("rows", 0)
    bounds = result.get("sentiment_intervals", {})
    known = [
        f"{name} {_with_interval(value, bounds.get(name))}"
        for name, value in sentiments.items()
        if value is not None
    ]
    if known:
        text = f"{', '.join(known)}, against the sentiment that the label implies ({rows} rows)"
        found.append(("F1 of sentiment", text))
    return found


def _with_interval(value: float, bounds: Sequence[float] | None) -> str:
    interval = f" ({bounds[0]:.2f} to {bounds[1]:.2f})" if bounds else ""
    return f"{value:.2f} %{interval}"


def _thresholds(fitted: Thresholds) -> dict[str, Any]:
    classes = {name: fitted.classes.get(name, ClassThresholds()) for name in EMOTIONS}
    return {
        "classes": classes,
        "firm": any(entry.firmness for entry in classes.values()),
        "exclusions": ", ".join(f"{before} → {after}" for before, after in fitted.exclusions),
        "rows": fitted.fitted.get("rows"),
    }
