"""A method, fitted on labelled rows of score tables and written to a thresholds file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.evaluation.metrics import Metrics, metrics
from emobatch.fusion.file import Fitted, to_toml
from emobatch.fusion.labelled import labelled_rows
from emobatch.fusion.method import Method
from emobatch.fusion.methods import DEFAULT, METHODS, options_for
from emobatch.splits.roles import training_rows
from emobatch.tables import score_table, writing
from emobatch.tables.provenance import date, software
from emobatch.tasks.labels import parse_label_map

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibration:
    """What `calibrate` found.

    Attributes:
        fitted: as written to the file.
        before: UA, WA and F1 in percent of the speech branch, on the rows it was fitted on.
        after: those of the final emotions, on the same rows.
    """

    fitted: Fitted
    before: Metrics
    after: Metrics


def calibrate(
    sources: Sequence[str],
    target: Path | None = None,
    *,
    method: str = DEFAULT,
    where: str | None = None,
    label_column: str = "label",
    label_map: Sequence[str] = (),
    sentiment_map: Sequence[str] = (),
    bootstrap: int | None = None,
    force: bool = False,
    **options: Any,
) -> Calibration:
    """Fit a method on the labelled rows of score tables and write it.

    Args:
        sources: score tables, globs or ``-``.
        target: the thresholds file, standard output where None.
        method: its name.
        where: SQL expression; only rows for which it holds are fitted on.
        label_column: column that holds the labels.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        sentiment_map: ``CLASS=SENTIMENT`` pairs that override what classes stand for.
        bootstrap: resamples that say how firm what was fitted is, see
            :meth:`emobatch.fusion.method.Method.examined`.
        force: read tables of several runs that differ.
        options: of the method, see :data:`emobatch.fusion.methods.OPTIONS`; None for its default.

    Returns:
        What was found.

    Raises:
        EmobatchError: if something can't be read, fitted or written.
    """
    writing.check_target(target, [".toml"])
    kind, given = METHODS[method], options_for([method], options)[method]
    scores = score_table.read(sources, where, mixed=force)
    task = scores.task.with_sentiments(sentiment_map)
    aliases = parse_label_map(label_map, task.labels)
    everything = labelled_rows(
        *(scores, task, label_column, aliases),
        text=kind.reads_text,
        unlabelled=kind.uses_unlabelled,
    )
    rows = everything.drop_nulls("label")
    fitted, drawn = kind.fit(everything, task, **given).examined(rows, bootstrap)
    before = metrics(rows["label"], rows["speech_emotion"], task.classes)
    decided = fitted.decide(everything.lazy()).collect().drop_nulls("label")
    after = metrics(decided["label"], decided["emotion"], task.classes)
    warnings = [*fitted.warnings(), *_warnings(rows)]
    for text in warnings:
        log.warning("warning: %s", text)
    provenance = {
        "rows": len(rows),
        **fitted.settings(),
        "tables": [Path(name).name for name in scores.sources],
        "where": where,
        "date": date(),
        "before": before,
        "after": after,
        "warnings": warnings or None,
        "bootstrap": drawn,
        "software": software(["polars", "numpy", "scikit-learn"]),
        "models": scores.provenance.get("models"),
    }
    calibration = Calibration(Fitted(fitted, provenance), before, after)
    writing.write_text(target, to_toml(calibration.fitted))
    return calibration


def final_emotions(rows: pl.DataFrame, method: Method) -> pl.Series:
    """Decide rows that are held in memory.

    Args:
        rows: a score table.
        method: as fitted.

    Returns:
        (rows,) final class names.
    """
    return method.decide(rows.lazy()).select("emotion").collect().to_series()


def _warnings(rows: pl.DataFrame) -> list[str]:
    trained = training_rows(rows)
    if not trained:
        return []
    return [
        f"the speech model was trained on {trained} of {len(rows)} rows (split 'train') and is "
        "surer of these than of new speech"
    ]
