"""Cross-validation: methods fitted and tested in each fold (Chua et al., Tables III and IV)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.crossval import attributes, fold_scores
from emobatch.crossval.attributes import AttributeValidation
from emobatch.crossval.fold import FoldFigures
from emobatch.crossval.fold_figures import BASELINE, CrossValidation
from emobatch.crossval.fold_scores import FoldScores
from emobatch.crossval.learning_curve import learning_curve
from emobatch.crossval.outcomes import Outcomes
from emobatch.errors import OptionError, OutputError, TableError
from emobatch.fusion import file as thresholds
from emobatch.fusion.calibration import ids_of, scored_with
from emobatch.fusion.control import shuffled_figures
from emobatch.fusion.file import Fitted
from emobatch.fusion.fit_and_decide import refuse_shards
from emobatch.fusion.held_out import HeldOut
from emobatch.fusion.method import Method
from emobatch.fusion.methods import DEFAULT, METHODS, options_for
from emobatch.splits import leakage, roles
from emobatch.splits.leakage import FOLD, SPLIT, Against, of_train
from emobatch.splits.roles import TEST, TRAIN, TrainedOn
from emobatch.tables import trained_rows, writing
from emobatch.tables.fitted_rows import ID
from emobatch.tables.provenance import date, software
from emobatch.tables.score_table import ScoreTable

log = logging.getLogger(__name__)
IN_SAMPLE = (
    "note: fold %s: %d of %d rows that test have the id of a row that was fitted on, which "
    "flatters its figures; give each clip an id of its own, or remove the copies"
)
TRAINED = (
    "note: thresholds are fitted on rows that the speech model was trained on, of which it is "
    "surer than of others; --fit-on val takes those that it did not see"
)
MAYBE_TRAINED = (
    "note: thresholds are fitted on rows of the split 'train'; if the speech model was trained on "
    "them, it is surer of them than of others, and --fit-on val is better (answer with "
    "--trained-on)"
)
ALONE = (
    "--method {}: ridge decides attributes, which are measured apart from emotions; give it alone, "
    "with no other options than --by, --fit-on, --where and --alpha"
)
# Options by method, each as given.
Options = Mapping[str, Mapping[str, Any]]


def crossval(
    sources: Sequence[str],
    *,
    methods: Sequence[str] = (DEFAULT,),
    by: str | None = None,
    fit_on: Against | None = None,
    where: str | None = None,
    label_column: str | None = None,
    label_map: Sequence[str] = (),
    sentiment_map: Sequence[str] = (),
    thresholds_out: Path | None = None,
    trained_on: TrainedOn | None = None,
    control: bool = False,
    labelled: Sequence[int] = (),
    **options: Any,
) -> CrossValidation | AttributeValidation:
    """Fit methods in each fold and measure them on the rows of that fold which test.

    Args:
        sources: score tables, globs or ``-``.
        methods: names of the methods; each comes with those that it is compared with.
        by: column of folds; by default ``fold``, or each of several files is a fold where they
            have no such column. Without a column ``split``, each fold in turn tests and all the
            others are fitted on.
        fit_on: the splits that are fitted on; None for train and val.
        where: SQL expression; only rows for which it holds take part.
        label_column: column that holds the labels; None for the one that `score` was told of,
            else ``label``.
        label_map: ``NAME=CLASS`` pairs that extend the alias table.
        sentiment_map: ``CLASS=SENTIMENT`` pairs that override what classes stand for.
        thresholds_out: folder for what each fold fitted; None writes none.
        trained_on: splits that the speech model was trained on; None where that is not known.
        control: measure methods with shuffled text as well, see :mod:`emobatch.fusion.control`.
        labelled: numbers of labelled rows that methods are fitted on as well, see
            :mod:`emobatch.crossval.learning_curve`.
        options: of the methods, see :data:`emobatch.fusion.methods.OPTIONS`.

    Returns:
        What was found: of a method that decides attributes, the figures of these.

    Raises:
        EmobatchError: if something can't be read, fitted or written.
    """
    if any(METHODS[name].of_attributes for name in methods):
        emotional = (label_column, label_map, sentiment_map, thresholds_out, trained_on, control)
        if len(methods) > 1 or labelled or any(emotional):
            raise OptionError(ALONE.format(", ".join(methods)))
        mine = options_for(methods, options)[methods[0]]
        return attributes.validate(sources, by, fit_on, where, mine)
    given = options_for(_compared(methods), options)
    scores = fold_scores.read(
        sources, by, where, label_column, label_map, sentiment_map, methods=given
    )
    if fit_on is not None and not scores.has_split:
        raise TableError(f"--fit-on {fit_on}: no column 'split'; `emobatch folds` adds one")
    splits_used: Against | None = (fit_on or "train+val") if scores.has_split else None
    files = {} if thresholds_out is None else _files(thresholds_out, scores, methods)
    parts = {name: scores.held_out(name, splits_used, trained_on) for name in scores.names}
    folds = {name: _fold(scores, part, given, control) for name, part in parts.items()}
    curve = None
    if labelled:
        few = {method: given[method] for method in methods}
        curve = learning_curve(parts, few, sorted(set(labelled)), scores.task)
    result = CrossValidation(
        tuple(methods), folds, splits_used, scores.left_out, scores.labels, curve
    )
    _note(result, scores, trained_on, splits_used)
    for (name, method), file in files.items():
        fitted = folds[name].methods[method]
        said = _provenance(name, fitted, folds[name], scores, fit_on=splits_used, where=where)
        thresholds.write(Fitted(fitted, said), file)
    return result


def _provenance(
    name: str,
    method: Method,
    fold: FoldFigures,
    scores: FoldScores,
    *,
    fit_on: Against | None,
    where: str | None,
) -> dict[str, Any]:
    # What is written beside a method that a fold fitted.
    return {
        "rows": fold.fitted_on,
        "labels": scores.labels.as_dict(),
        **method.settings(),
        "scored_with": scored_with(scores.tables[0], method),
        "fold": name,
        "fit_on": fit_on or "other folds",
        "tables": [Path(source).name for source in scores.sources],
        "where": where,
        "date": date(),
        "software": software(["polars", "numpy", "scikit-learn"]),
        "models": scores.models[name] or None,
        "ids": fold.ids,
    }


def _compared(methods: Sequence[str]) -> list[str]:
    # The baseline first, then what is compared with the methods asked for, then these.
    names = [BASELINE]
    for method in methods:
        names += [*METHODS[method].beside, method]
    return list(dict.fromkeys(names))


def _fold(scores: FoldScores, held_out: HeldOut, methods: Options, control: bool) -> FoldFigures:
    rows, tested = held_out.fitted_on, held_out.tested
    fitted = {
        method: held_out.fit(METHODS[method], scores.task, given)
        for method, given in methods.items()
    }
    for table, each in product(scores.tables, fitted.values()):
        refuse_shards(table, each)
    decided = {method: held_out.decide(each) for method, each in fitted.items()}
    return FoldFigures(
        rows=len(tested),
        fitted_on=len(rows),
        outcomes=Outcomes.of(tested, decided, scores.task),
        methods=fitted,
        ids=ids_of(rows),
        in_sample=None
        if ID not in rows.columns
        else int(tested[ID].is_in(rows[ID].implode()).sum()),
        shuffled={
            method: shuffled_figures(tested, each)
            for method, each in fitted.items()
            if control and each.goes_by_text
        },
    )


def _note(
    result: CrossValidation,
    scores: FoldScores,
    trained_on: TrainedOn | None,
    fit_on: Against | None,
) -> None:
    log.warning("note: %s", scores.labels.note())
    if result.left_out:
        log.warning(
            "note: %d rows without a label, scores, fold or split are left out", result.left_out
        )
    for name, fold in result.folds.items():
        for emotion, reason in fold.methods[result.methods[0]].reasons().items():
            log.warning("note: fold %s: %s is never flagged: %s", name, emotion, reason)
    for name, fold in result.folds.items():
        if fold.in_sample:
            log.warning(IN_SAMPLE, name, fold.in_sample, fold.rows)
    knows = [_note_trained(table, result, fit_on) for table in scores.tables]
    splits = set((trained_on or TRAIN).split("+")) & set((result.fit_on or "").split("+"))
    if splits & set(scores.rows[SPLIT]) and not all(knows):
        log.warning(TRAINED if trained_on else MAYBE_TRAINED)
    leakage.warn(scores.everything, FOLD)


def _note_trained(table: ScoreTable, result: CrossValidation, fit_on: Against | None) -> bool:
    # Of each table alone: what one fold's model was trained on, another's tests.
    known = trained_rows.of_table(table)
    if not known.knows("speech"):
        return False
    rows = table.rows.select(ID, FOLD, SPLIT).collect()
    for name in sorted(set(rows[FOLD].drop_nulls()) & set(result.folds), key=roles.natural):
        fold = rows.filter(pl.col(FOLD) == name)
        tests = fold if fit_on is None else fold.filter(pl.col(SPLIT) == TEST)
        fits = fold.clear() if fit_on is None else fold.filter(of_train(fit_on))
        for part, use in ((tests, "test"), (fits, "are fitted on")):
            for said in known.notes(part):
                log.warning("note: fold %s, rows that %s: %s", name, use, said)
    return True


def _files(folder: Path, scores: FoldScores, methods: Sequence[str]) -> dict[tuple[str, str], Path]:
    prefix = f"{scores.by}_" if scores.by else ""
    files = {
        (name, method): folder / f"{prefix}{name}{f'_{method}' if len(methods) > 1 else ''}.toml"
        for name in scores.names
        for method in methods
    }
    for (name, _), file in files.items():
        if not re.fullmatch(r"[\w][\w. +-]*", file.name) or file.parent != folder:
            raise OutputError(f"{folder}: fold {name!r} makes no file name; rename it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}; choose another folder") from error
    for file in files.values():
        writing.check_target(file, [".toml"])
    return files
