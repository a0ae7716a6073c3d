"""Cross-validation of attributes: ridge fitted and tested in each fold, beside each branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import mean, stdev
from typing import Any

import numpy as np
import polars as pl

from emobatch.crossval.fold_scores import check_rows, opened
from emobatch.errors import CalibrationError, TableError
from emobatch.evaluation.agreement import CCC, FIGURES, SUMS, agreement, figures, parts
from emobatch.evaluation.bootstrap import (
    SPEAKER,
    Resampling,
    Units,
    interval,
    resampled_sums,
    units,
)
from emobatch.fusion.evidence import Floats
from emobatch.fusion.ridge.figures import MEAN, labels, predictions
from emobatch.fusion.ridge.method import Ridge
from emobatch.fusion.ridge.rows import attribute_rows
from emobatch.splits import leakage, roles
from emobatch.splits.leakage import FOLD, SPLIT, Against, of_train
from emobatch.splits.roles import TEST

BASELINE, RESAMPLES, DIGITS = "speech", 1000, 4


@dataclass(frozen=True)
class AttributeFold:
    """The rows that test in one fold.

    Attributes:
        rows: they.
        fitted_on: how many rows the method was fitted on.
        method: as fitted.
    """

    rows: pl.DataFrame
    fitted_on: int
    method: Ridge

    @cached_property
    def labels(self) -> dict[str, Floats]:
        """By attribute (rows,)."""
        return labels(self.rows)

    @cached_property
    def predicted(self) -> dict[str, dict[str, Floats]]:
        """By method and attribute (rows,)."""
        return predictions(self.rows, self.method)

    @cached_property
    def figures(self) -> dict[str, dict[str, dict[str, float]]]:
        """CCC, Pearson and RMSE by method and attribute, and their means; NaN where undefined."""
        found = {}
        for method, each in self.predicted.items():
            mine = {
                name: agreement(label, each[name])
                for name, label in self.labels.items()
                if name in each
            }
            means = {name: float(np.mean([one[name] for one in mine.values()])) for name in FIGURES}
            found[method] = {**mine, MEAN: means}
        return found


@dataclass(frozen=True)
class AttributeValidation:
    """All folds.

    Attributes:
        folds: by name, in order.
        fit_on: the splits that were fitted on, None where each fold was tested with a method fitted
            on all the others.
        left_out: rows without labels, scores, fold or split.
    """

    folds: Mapping[str, AttributeFold]
    fit_on: str | None
    left_out: int

    @property
    def methods(self) -> list[str]:
        """Those that are compared, the speech branch first."""
        return list(next(iter(self.folds.values())).predicted)

    @property
    def attributes(self) -> list[str]:
        """Those that have labels, and their mean."""
        return [*next(iter(self.folds.values())).labels, MEAN]

    def values(self, method: str, attribute: str, figure: str) -> dict[str, float | None]:
        """A figure in each fold.

        Args:
            method: its name.
            attribute: its name, or ``mean``.
            figure: CCC, Pearson or RMSE.

        Returns:
            By fold, None where it is undefined.
        """
        found = {}
        for name, fold in self.folds.items():
            value = fold.figures[method].get(attribute, {}).get(figure, float("nan"))
            found[name] = None if np.isnan(value) else round(value, DIGITS)
        return found

    def spread(self, method: str, attribute: str, figure: str) -> tuple[float | None, float | None]:
        """Mean over the folds, and the sample's standard deviation; None where there is none."""
        known = [
            each for each in self.values(method, attribute, figure).values() if each is not None
        ]
        return (
            round(mean(known), DIGITS) if known else None,
            round(stdev(known), DIGITS) if len(known) > 1 else None,
        )

    @cached_property
    def drawn(self) -> Units:
        """What is drawn of the rows of all folds, one after the other."""
        rows = [fold.rows for fold in self.folds.values()]
        if any(SPEAKER not in each.columns for each in rows):
            return units(pl.DataFrame({"row": range(sum(map(len, rows)))}))
        return units(pl.DataFrame({SPEAKER: pl.concat([each[SPEAKER] for each in rows])}))

    @property
    def resampling(self) -> Resampling:
        """What intervals come from."""
        return self.drawn.resampled(RESAMPLES)

    def gain(self, method: str) -> dict[str, Any]:
        """How far a method's mean CCC is above the speech branch's.

        Args:
            method: its name.

        Returns:
            ``value``, its 95 % interval ``low`` and ``high``, and ``folds_up``.
        """
        own, plain = (self.values(name, MEAN, CCC) for name in (method, BASELINE))
        pairs = [
            (own[name], plain[name])
            for name in self.folds
            if own[name] is not None and plain[name] is not None
        ]
        apart = [float(one) - float(other) for one, other in pairs]  # type: ignore[arg-type]
        bounds = interval(self._resampled(method) - self._resampled(BASELINE), DIGITS)
        low, high = bounds or (None, None)
        value = round(mean(apart), DIGITS) if apart else None
        return {"value": value, "low": low, "high": high, "folds_up": sum(a > 0 for a in apart)}

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON."""
        return {
            "fit_on": self.fit_on,
            "left_out": self.left_out,
            "rows": {name: len(fold.rows) for name, fold in self.folds.items()},
            "methods": {
                method: {
                    **{
                        figure: {
                            attribute: self._figure(method, attribute, figure)
                            for attribute in self.attributes
                        }
                        for figure in FIGURES
                    },
                    **({} if method == BASELINE else {"gain": self.gain(method)}),
                }
                for method in self.methods
            },
            "intervals": asdict(self.resampling),
        }

    def table(self) -> pl.DataFrame:
        """A row for each fold, method and attribute: rows, and CCC, Pearson and RMSE."""
        return pl.DataFrame(
            {
                "fold": name,
                "method": method,
                "attribute": attribute,
                "rows": len(fold.rows),
                "fitted_on": fold.fitted_on,
                **{each: self.values(method, attribute, each)[name] for each in FIGURES},
            }
            for name, fold in self.folds.items()
            for method in self.methods
            for attribute in self.attributes
        )

    def _figure(self, method: str, attribute: str, figure: str) -> dict[str, Any]:
        middle, apart = self.spread(method, attribute, figure)
        values = self.values(method, attribute, figure)
        folds = [{"fold": name, "value": value} for name, value in values.items()]
        return {"mean": middle, "sd": apart, "folds": folds}

    def _resampled(self, method: str) -> Floats:
        # (resamples,) mean over folds and attributes; NaN where a fold's is undefined in it.
        names = [name for name in self.attributes if name != MEAN]
        width = SUMS * len(names)
        rows = []
        for number, fold in enumerate(self.folds.values()):
            nothing = np.full(len(fold.rows), np.nan)
            said = fold.predicted[method]
            mine = [parts(fold.labels[name], said.get(name, nothing)) for name in names]
            padded = np.zeros((len(fold.rows), width * len(self.folds)))
            padded[:, number * width : (number + 1) * width] = np.concatenate(mine, axis=1)
            rows.append(padded)
        sums = resampled_sums(np.concatenate(rows), self.drawn, RESAMPLES)
        each = [figures(part)[CCC] for part in np.split(sums, sums.shape[1] // SUMS, axis=1)]
        known = np.stack(each, axis=1)
        there = np.isfinite(known)
        count = there.sum(axis=1)
        total = np.where(there, known, 0).sum(axis=1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def validate(
    sources: Sequence[str],
    by: str | None,
    fit_on: Against | None,
    where: str | None,
    options: Mapping[str, Any],
) -> AttributeValidation:
    """Fit ridge in each fold, and measure it on the rows that test.

    Args:
        sources: score tables, globs or ``-``.
        by: column of folds, see :func:`emobatch.crossval.crossval.crossval`.
        fit_on: the splits that are fitted on; None for train and val.
        where: SQL expression; only rows for which it holds take part.
        options: of the method.

    Returns:
        What was found.

    Raises:
        EmobatchError: if something can't be read or fitted.
    """
    tables, by, has_split = opened(sources, by, where)
    check_rows(tables)
    if fit_on is not None and not has_split:
        raise TableError(f"--fit-on {fit_on}: no column 'split'; `emobatch folds` adds one")
    read = [attribute_rows(table, (FOLD, SPLIT)) for table in tables]
    rows = pl.concat([each.rows for each in read], how="diagonal_relaxed")
    needed = [FOLD, SPLIT] if has_split else [FOLD]
    kept = rows.drop_nulls(needed)
    left_out = sum(sum(each.left_out.values()) for each in read) + len(rows) - len(kept)
    used: Against | None = (fit_on or "train+val") if has_split else None
    folds = {}
    for name in sorted(kept[FOLD].unique(), key=roles.natural):
        in_fold = pl.col(FOLD) == name
        fits = ~in_fold if used is None else in_fold & of_train(used)
        tests = in_fold if used is None else in_fold & (pl.col(SPLIT) == TEST)
        fitted_on, tested = kept.filter(fits), kept.filter(tests)
        if fitted_on.is_empty() or tested.is_empty():
            raise CalibrationError(
                f"fold {name!r} has no labelled and scored row to "
                f"{'fit on' if fitted_on.is_empty() else 'test'}; look at columns 'split' and "
                "'arousal', or leave the fold out with --where"
            )
        method = Ridge.fit(fitted_on, tables[0].task, **options)
        folds[str(name)] = AttributeFold(tested, len(fitted_on), method)
    everything = pl.concat([table.unfiltered for table in tables], how="diagonal_relaxed")
    leakage.warn(everything, FOLD)
    return AttributeValidation(folds, used, left_out)
