"""Fitting thresholds, mapping and exclusions on labelled rows (Chua et al., section II-C)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.evaluation.bootstrap import SPEAKER
from emobatch.evaluation.metrics import Metrics, metrics
from emobatch.fusion.labelled import labelled_rows
from emobatch.fusion.selection.algorithm import flagged, map_sentiment, select_emotion
from emobatch.fusion.selection.assessment import assess, warnings
from emobatch.fusion.selection.detection import FEWEST_ROWS, Floats, best_detection, grids
from emobatch.fusion.selection.thresholds import ClassThresholds, Thresholds, to_toml
from emobatch.tables import score_table, writing
from emobatch.tables.provenance import date, software
from emobatch.tables.score_table import SPLIT
from emobatch.tasks.labels import EMOTIONS, parse_label_map

Protocol = Literal["released", "paper"]
# By what a row is flagged: Table III compares either measure alone with both.
Selection = Literal["both", "entropy", "varentropy"]

# The order in which settings are tried decides between equals: the first wins.
MAPPING_SETTINGS = tuple(
    ClassThresholds(mapping=mapping, flip=flip, sentiment=step / 20)
    for mapping in ("simple", "refer")
    for flip in (True, False)
    for step in range(15)
)


@dataclass(frozen=True)
class Calibration:
    """What `calibrate` found.

    Attributes:
        thresholds: as written to the file.
        before: UA, WA and F1 in percent of the speech branch, on the rows it was fitted on.
        after: those of the final emotions, on the same rows.
    """

    thresholds: Thresholds
    before: Metrics
    after: Metrics


def calibrate(
    sources: Sequence[str],
    target: Path | None = None,
    *,
    where: str | None = None,
    protocol: Protocol = "released",
    label_column: str = "label",
    label_map: Sequence[str] = (),
    bootstrap: int | None = None,
    force: bool = False,
) -> Calibration:
    """Fit thresholds on the labelled rows of score tables and write them.

    Args:
        sources: score tables, globs or ``-``.
        target: the thresholds file, standard output where None.
        where: SQL expression; only rows for which it holds are fitted on.
        protocol: see :func:`fit`.
        label_column: column that holds the labels.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        bootstrap: resamples that say how firm the choice is, see
            :func:`emobatch.fusion.selection.assessment.assess`.
        force: read tables of several runs that differ.

    Returns:
        What was found.

    Raises:
        EmobatchError: if something can't be read, fitted or written.
    """
    writing.check_target(target, [".toml"])
    scores = score_table.read(sources, where, mixed=force)
    present = [name for name in (SPEAKER, SPLIT) if name in scores.rows.collect_schema()]
    aliases = parse_label_map(label_map, EMOTIONS)
    rows = labelled_rows(scores, label_column, aliases, present)
    fitted = fit(rows, protocol)
    samples = {name: is_sample(rows, name, protocol) for name in EMOTIONS}
    assessed = assess(rows, fitted.classes, samples, bootstrap)
    fitted = replace(fitted, classes=assessed.classes)
    final = rows.select(select_emotion(fitted)).unnest("decision")["emotion"]
    found = Calibration(
        fitted, metrics(rows["label"], rows["speech_emotion"]), metrics(rows["label"], final)
    )
    provenance = {
        "rows": len(rows),
        "protocol": protocol,
        "tables": [Path(name).name for name in scores.sources],
        "where": where,
        "date": date(),
        "before": found.before,
        "after": found.after,
        "warnings": warnings(assessed.classes, rows) or None,
        "bootstrap": assessed.bootstrap,
        "software": software(["polars", "numpy", "scikit-learn"]),
        "models": scores.provenance.get("models"),
    }
    found = replace(found, thresholds=replace(fitted, fitted=provenance))
    writing.write_text(target, to_toml(found.thresholds))
    return found


def fit(
    rows: pl.DataFrame, protocol: Protocol = "released", selection: Selection = "both"
) -> Thresholds:
    """Fit thresholds, sentiment mapping and exclusion list.

    Args:
        rows: labelled and scored rows with ``label`` and the columns ``FITTED_ON``.
        protocol: ``released``, the one behind the published tables, takes the percentiles of the
            misclassified rows of each predicted class; ``paper``, as section II-C is printed,
            those of the rows of each label.
        selection: by what rows are flagged; the measure that is left out gets a threshold that
            every row passes.

    Returns:
        What was fitted, with the reason for each class that could not be.
    """
    classes = {name: _fit_class(rows, name, protocol, selection) for name in EMOTIONS}
    return Thresholds(classes, _exclusions(rows, Thresholds(classes)))


def _fit_class(
    rows: pl.DataFrame, name: str, protocol: Protocol, selection: Selection
) -> ClassThresholds:
    of_class = rows.filter(pl.col("speech_emotion") == name)
    sample = rows.filter(is_sample(rows, name, protocol))
    tried = grids(sample["entropy"].to_numpy(), sample["varentropy"].to_numpy())
    if tried is None:
        kind = "labelled" if protocol == "paper" else "misclassified as"
        reason = f"only {len(sample)} {kind} {name}, at least {FEWEST_ROWS} rows are needed"
        return ClassThresholds(reason=reason)
    detection = best_detection(
        of_class["entropy"].to_numpy(),
        of_class["varentropy"].to_numpy(),
        (of_class["label"] != name).to_numpy(),
        *_grids(tried, selection),
    )
    if detection is None:
        return ClassThresholds(reason=f"no pair of thresholds flags a row predicted {name}")
    entry = ClassThresholds(
        entropy=detection.entropy,
        varentropy=detection.varentropy,
        detection_accuracy=round(100 * detection.accuracy, 4),
        flagged=detection.flagged,
        detected=detection.detected,
    )
    setting = _best_mapping(of_class.filter(flagged({name: entry})))
    return replace(entry, mapping=setting.mapping, sentiment=setting.sentiment, flip=setting.flip)


def _grids(tried: tuple[Floats, Floats], selection: Selection) -> tuple[Floats, Floats]:
    entropy, varentropy = tried
    if selection == "entropy":
        return entropy, np.array([np.inf])
    if selection == "varentropy":
        return np.array([-np.inf]), varentropy
    return tried


def is_sample(rows: pl.DataFrame, name: str, protocol: Protocol) -> NDArray[np.bool_]:
    """Say between which rows' percentiles the thresholds of a class are searched.

    Args:
        rows: labelled and scored rows with ``label`` and ``speech_emotion``.
        name: the class.
        protocol: see :func:`fit`.

    Returns:
        (rows,) whether each is one of them.

    Examples:
        >>> rows = pl.DataFrame({"label": ["sad", "happy"], "speech_emotion": ["sad", "sad"]})
        >>> is_sample(rows, "sad", "released").tolist()
        [False, True]
    """
    is_label = rows["label"] == name
    chosen = is_label if protocol == "paper" else (rows["speech_emotion"] == name) & ~is_label
    return chosen.to_numpy()


def _best_mapping(flagged_rows: pl.DataFrame) -> ClassThresholds:
    # Rows that aren't flagged keep their label whatever the mapping, so that the accuracy on the
    # flagged ones orders the settings as that on all rows of the class does.
    right = flagged_rows.select(
        (pl.coalesce(map_sentiment(setting), pl.col("speech_emotion")) == pl.col("label"))
        .sum()
        .alias(str(number))
        for number, setting in enumerate(MAPPING_SETTINGS)
    ).row(0)
    return MAPPING_SETTINGS[right.index(max(right))]


def _exclusions(rows: pl.DataFrame, thresholds: Thresholds) -> tuple[tuple[str, str], ...]:
    changes = (
        rows.select("label", "speech_emotion", select_emotion(thresholds))
        .unnest("decision")
        .filter(pl.col("emotion") != pl.col("speech_emotion"))
        .group_by("speech_emotion", "emotion")
        .agg(
            better=(pl.col("label") == pl.col("emotion")).sum(),
            worse=(pl.col("label") == pl.col("speech_emotion")).sum(),
        )
        .filter(pl.col("worse") > pl.col("better"))
        .sort("speech_emotion", "emotion")
    )
    return tuple(changes.select("speech_emotion", "emotion").iter_rows())
