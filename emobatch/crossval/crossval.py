"""Cross-validation: thresholds fitted and tested in each fold (Chua et al., Tables III and IV)."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from emobatch.crossval import fold_scores
from emobatch.crossval.fold_figures import (
    RULES,
    CrossValidation,
    FoldFigures,
    Rule,
    never_deferred,
)
from emobatch.crossval.fold_scores import FoldScores
from emobatch.errors import CalibrationError, OutputError, TableError
from emobatch.evaluation.metrics import metrics
from emobatch.fusion.calibrate import Protocol, fit
from emobatch.fusion.selection.algorithm import select_emotion
from emobatch.fusion.selection.thresholds import Thresholds, to_toml
from emobatch.splits import leakage
from emobatch.splits.leakage import FOLD, SPLIT, Against, of_train
from emobatch.splits.roles import TEST, TRAIN
from emobatch.tables import writing
from emobatch.tables.provenance import date, software
from emobatch.tasks.labels import EMOTIONS, parse_label_map

log = logging.getLogger(__name__)


def crossval(
    sources: Sequence[str],
    *,
    by: str | None = None,
    fit_on: Against | None = None,
    where: str | None = None,
    protocol: Protocol = "released",
    label_column: str = "label",
    label_map: Sequence[str] = (),
    thresholds_out: Path | None = None,
) -> CrossValidation:
    """Fit thresholds in each fold and measure them on the rows of that fold which test.

    Args:
        sources: score tables, globs or ``-``.
        by: column of folds; by default ``fold``, or each of several files is a fold where they
            have no such column. Without a column ``split``, each fold in turn tests and all the
            others are fitted on.
        fit_on: the splits that are fitted on; None for train and val.
        where: SQL expression; only rows for which it holds take part.
        protocol: see :func:`emobatch.fusion.calibrate.fit`.
        label_column: column that holds the labels.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        thresholds_out: folder for the thresholds of each fold; None writes none.

    Returns:
        What was found.

    Raises:
        EmobatchError: if something can't be read, fitted or written.
    """
    aliases = parse_label_map(label_map, EMOTIONS)
    scores = fold_scores.read(sources, by, where, label_column, aliases)
    if fit_on is not None and not scores.has_split:
        raise TableError(f"--fit-on {fit_on}: no column 'split'; `emobatch folds` adds one")
    splits_used: Against | None = (fit_on or "train+val") if scores.has_split else None
    files = {} if thresholds_out is None else _files(thresholds_out, scores)
    folds = {name: _fold(scores.rows, name, splits_used, protocol) for name in scores.names}
    result = CrossValidation(folds, splits_used, scores.left_out)
    _note(result, scores)
    for name, file in files.items():
        fitted = {
            "rows": folds[name].fitted_on,
            "protocol": protocol,
            "fold": name,
            "fit_on": splits_used or "other folds",
            "tables": [Path(source).name for source in scores.sources],
            "where": where,
            "date": date(),
            "software": software(["polars", "numpy", "scikit-learn"]),
            "models": scores.models[name] or None,
        }
        writing.write_text(file, to_toml(replace(folds[name].thresholds, fitted=fitted)))
    return result


def _fold(rows: pl.DataFrame, name: str, fit_on: Against | None, protocol: Protocol) -> FoldFigures:
    in_fold = pl.col(FOLD) == name
    if fit_on is None:
        fitted, tested = rows.filter(~in_fold), rows.filter(in_fold)
    else:
        fitted = rows.filter(in_fold & of_train(fit_on))
        tested = rows.filter(in_fold & (pl.col(SPLIT) == TEST))
    for part, use in ((fitted, f"fit on ({fit_on or 'other folds'})"), (tested, "test")):
        if part.is_empty():
            raise CalibrationError(
                f"fold {name!r} has no labelled and scored row to {use}; look at columns "
                "'split' and 'label', or leave the fold out with --where"
            )
    thresholds = {rule: _fit(fitted, protocol, rule) for rule in RULES}
    final = {
        rule: tested.select(select_emotion(found)).unnest("decision")
        for rule, found in thresholds.items()
    }
    return FoldFigures(
        rows=len(tested),
        fitted_on=len(fitted),
        figures={rule: metrics(tested["label"], rows["emotion"]) for rule, rows in final.items()},
        flagged={rule: int(rows["flagged"].sum()) for rule, rows in final.items()},
        thresholds=thresholds["both"],
    )


def _fit(rows: pl.DataFrame, protocol: Protocol, rule: Rule) -> Thresholds:
    return Thresholds({}) if rule == "none" else fit(rows, protocol, rule)


def _note(found: CrossValidation, scores: FoldScores) -> None:
    if found.left_out:
        log.warning(
            "note: %d rows without a label, scores, fold or split are left out", found.left_out
        )
    for name, fold in found.folds.items():
        for emotion, reason in never_deferred(fold.thresholds).items():
            log.warning("note: fold %s: %s is never deferred: %s", name, emotion, reason)
    if TRAIN in (found.fit_on or "") and TRAIN in scores.rows[SPLIT]:
        log.warning(
            "note: thresholds are fitted on rows that the speech model was trained on, of which "
            "it is surer than of others; --fit-on val takes those that it did not see"
        )
    leakage.warn(scores.everything, FOLD)


def _files(folder: Path, scores: FoldScores) -> dict[str, Path]:
    prefix = f"{scores.by}_" if scores.by else ""
    files = {name: folder / f"{prefix}{name}.toml" for name in scores.names}
    for name, file in files.items():
        if not re.fullmatch(r"[\w][\w. +-]*", file.name) or file.parent != folder:
            raise OutputError(f"{folder}: fold {name!r} makes no file name; rename it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}; choose another folder") from error
    for file in files.values():
        writing.check_target(file, [".toml"])
    return files
