"""Figures for labelled rows: UA, WA and macro F1 before and after fusion, word error rate."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from emobatch.errors import TableError
from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.breakdown import STAGES, breakdown, word_error_interval
from emobatch.evaluation.metrics import metrics
from emobatch.evaluation.word_error_rate import NORMALISATION, word_error_rate
from emobatch.splits import leakage
from emobatch.tables import reading, score_table
from emobatch.tables.score_table import SPLIT, training_rows
from emobatch.tables.uncertainty import SPEECH_COLUMNS
from emobatch.tasks.labels import EMOTIONS, canonical, parse_label_map

log = logging.getLogger(__name__)
# What is measured beside the predictions, where a table has it.
MEASURED = (
    *SPEECH_COLUMNS,
    "entropy",
    "flagged",
    "decided_by",
    "sentiment",
    "reference",
    "transcript",
    "transcript_source",
    SPEAKER,
    SPLIT,
)
RESAMPLES = 1000
# The group of rows whose column is empty, in `--by`.
NO_VALUE = "(none)"


def evaluate(
    sources: Sequence[str],
    *,
    where: str | None = None,
    by: str | None = None,
    label_column: str = "label",
    label_map: Sequence[str] = (),
    bootstrap: int = RESAMPLES,
) -> dict[str, Any]:
    """Measure score tables or final tables against their labels.

    Args:
        sources: tables, globs or ``-``.
        where: SQL expression; only rows for which it holds count.
        by: column whose values are also measured one by one.
        label_column: column that holds the labels.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        bootstrap: resamples that the 95 % intervals come from, 0 for none.

    Returns:
        See :func:`measure`; what :func:`emobatch.evaluation.breakdown.breakdown` adds for all
        rows together; and ``by``, what :func:`measure` says of each value.

    Raises:
        EmobatchError: if a table can't be read or has nothing to measure.
    """
    table = score_table.read(sources, where, mixed=True)
    aliases = parse_label_map(label_map, EMOTIONS)
    with reading.explained(table.name):
        names = table.rows.collect_schema().names()
        if by is not None and by not in names:
            raise TableError(f"no column {by!r} to go by; the columns are {', '.join(names)}")
        rows = score_table.with_predictions(table.rows)
        frame = _labelled(rows, label_column, by, aliases)
        leakage.warn(table.unfiltered)
    frame = without_unread(frame)
    _warn_of_training(_scored(frame))
    result = evaluate_rows(frame, bootstrap)
    if by is not None:
        groups = frame.partition_by(by, as_dict=True, maintain_order=True)
        ordered = sorted(groups.items(), key=lambda item: (item[0][0] is None, str(item[0][0])))
        result["by"] = {
            NO_VALUE if value is None else str(value): measure(group) for (value,), group in ordered
        }
    return result


def without_unread(rows: pl.DataFrame) -> pl.DataFrame:
    """Leave out what is said of a table of which a gate left rows unread.

    Args:
        rows: maybe with ``transcript_source``.

    Returns:
        Without transcripts and sentiments, if there are such rows: what was read is no fair
        sample of what is said.
    """
    gated = score_table.unread(rows.lazy()).select(pl.len()).collect().item()
    if not gated:
        return rows
    log.warning(
        "note: %d rows were scored with --gate and not read, so word error rate and figures of "
        "sentiment are left out",
        gated,
    )
    return rows.drop("transcript", "sentiment", "transcript_source", strict=False)


def evaluate_rows(rows: pl.DataFrame, bootstrap: int = RESAMPLES) -> dict[str, Any]:
    """Measure labelled rows, all together.

    Args:
        rows: ``label`` with any of ``speech_emotion``, ``emotion`` and the columns ``MEASURED``;
            labels and emotions are class names.
        bootstrap: see :func:`evaluate`.

    Returns:
        See :func:`evaluate`, without ``by``.
    """
    scored = _scored(rows)
    result = measure(rows)
    if result.get("wer") is not None:
        result["wer_normalisation"] = NORMALISATION
        if bootstrap:
            result["wer_interval"] = word_error_interval(rows, bootstrap)
    if len(scored):
        result |= breakdown(scored, bootstrap)
    if result.get("before") and result.get("after"):
        # Of the figures as they are printed, so that a reader who subtracts them agrees.
        before, after = result["before"], result["after"]
        result["difference"] = {name: round(after[name] - before[name], 2) for name in before}
    return result


def measure(rows: pl.DataFrame) -> dict[str, Any]:
    """Measure one table.

    Args:
        rows: ``label`` with any of ``speech_emotion``, ``emotion``, ``reference`` and
            ``transcript``; labels and emotions are class names.

    Returns:
        ``rows``; ``before`` where there are speech scores, ``after`` where there are final
        emotions, each with UA, WA and F1 in percent; ``wer`` in percent where there are
        references; ``left_out``, labelled rows that have no scores.
    """
    scored = _scored(rows)
    result: dict[str, Any] = {"rows": len(scored)}
    if len(scored) < len(rows):
        result["left_out"] = len(rows) - len(scored)
    for stage, name in STAGES.items():
        if name in rows.columns:
            result[stage] = metrics(scored["label"], scored[name]) if len(scored) else {}
    if {"reference", "transcript"} <= set(rows.columns):
        result["wer"] = word_error_rate(rows["reference"], rows["transcript"])
    return result


def _scored(rows: pl.DataFrame) -> pl.DataFrame:
    present = [name for name in STAGES.values() if name in rows.columns]
    return rows.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in present))


def _warn_of_training(rows: pl.DataFrame) -> None:
    if trained := training_rows(rows):
        log.warning(
            "note: the speech model was trained on %d of %d rows (split 'train'), which say little "
            "of new speech; leave them out with --where \"split != 'train'\"",
            trained,
            len(rows),
        )


def _labelled(
    rows: pl.LazyFrame, column: str, by: str | None, label_map: Mapping[str, str | None]
) -> pl.DataFrame:
    names = rows.collect_schema().names()
    if column in STAGES.values():
        raise TableError(f"column {column!r} holds predictions, no labels; rename the column")
    if column not in names:
        raise TableError(f"no column {column!r} to measure against; add it to the manifest")
    if not any(name in names for name in STAGES.values()):
        raise TableError(
            "neither speech scores nor final emotions to measure; is this a table that "
            "`emobatch score` or `emobatch apply` wrote?"
        )
    wanted = (column, *STAGES.values(), *MEASURED, *([by] if by else []))
    frame = rows.select(name for name in dict.fromkeys(wanted) if name in names).collect()
    frame = frame.with_columns(canonical(frame[column], EMOTIONS, label_map).alias("label"))
    if "emotion" in names:
        # What was predicted is never dropped or renamed: a label map is for labels.
        remedy = "did `emobatch apply` write this table?"
        frame = frame.with_columns(canonical(frame["emotion"], EMOTIONS, remedy=remedy))
    frame = frame.filter(pl.col("label").is_not_null())
    if frame.is_empty():
        raise TableError(f"no row is labelled; look at column {column!r} and --where")
    return frame
