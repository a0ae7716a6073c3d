"""What a cross-validation found: the figures of each fold, their means and spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import mean, stdev
from typing import Any

import polars as pl

from emobatch.crossval.comparison import Comparison, Difference
from emobatch.crossval.fold import FoldFigures
from emobatch.crossval.learning_curve import LearningCurve
from emobatch.evaluation.metrics import HEADLINE, Metrics
from emobatch.fusion.control import DRAWN, SHUFFLED, Control
from emobatch.tasks.labels_read import LabelsRead

# The method that the others are compared with.
BASELINE = "speech"
RELIABILITY = ("calibration_error", "risk_coverage_area")
# What selection's variants are called by what flags a row (Table III).
FLAGGED_BY = {
    "speech": "none",
    "selection-entropy": "entropy",
    "selection-varentropy": "varentropy",
    "selection": "both",
}


@dataclass(frozen=True)
class CrossValidation:
    """All folds.

    Attributes:
        methods: names of those that were asked for; the first is what ``after`` stands for.
        folds: by name, in order.
        fit_on: the splits that were fitted on, or None where each fold was tested with methods
            fitted on all the others.
        left_out: rows without a label, scores, fold or split.
        labels: how they were read.
        curve: methods fitted on few labelled rows, None where that was not asked for.
    """

    methods: tuple[str, ...]
    folds: Mapping[str, FoldFigures]
    fit_on: str | None
    left_out: int
    labels: LabelsRead
    curve: LearningCurve | None = None

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of all methods that were fitted, the baseline first."""
        return tuple(next(iter(self.folds.values())).figures)

    @cached_property
    def comparison(self) -> Comparison:
        """The methods on the test rows of all folds."""
        return Comparison({name: fold.outcomes for name, fold in self.folds.items()})

    @cached_property
    def gains(self) -> Mapping[str, Difference]:
        """What each method gains over the baseline."""
        others = [method for method in self.compared if method != BASELINE]
        return {method: self.comparison.difference(method, BASELINE) for method in others}

    @property
    def best(self) -> str:
        """The method of the highest mean UA; of equals the first."""
        return max(self.compared, key=lambda method: self.summary(method)["mean"]["UA"])

    @cached_property
    def pairs(self) -> Mapping[tuple[str, str], Difference]:
        """How far each method that was asked for is from each one before it."""
        asked = [method for method in self.compared if method in self.methods]
        return {
            (method, other): self.comparison.difference(method, other)
            for place, method in enumerate(asked)
            for other in asked[:place]
        }

    def spread(self, name: str, method: str) -> dict[str, Any]:
        """A figure of the reliability of a method's confidence.

        Args:
            name: ``calibration_error`` or ``risk_coverage_area``.
            method: the method's.

        Returns:
            ``mean`` over the folds, None where one has no such figure, and the ``folds``.
        """
        values = {fold: getattr(each.outcomes, name)[method] for fold, each in self.folds.items()}
        known = [value for value in values.values() if value is not None]
        return {
            "mean": round(mean(known), 2) if len(known) == len(values) else None,
            "folds": [{"fold": fold, "value": value} for fold, value in values.items()],
        }

    def summary(self, method: str) -> dict[str, Any]:
        """Mean and spread of a method's figures, and in how many folds it beat the baseline.

        Args:
            method: its name.

        Returns:
            By UA, WA and F1, in percent: ``mean``, the sample's standard deviation ``sd`` (None
            for one fold), and the number of ``wins`` and ``losses`` against the speech branch.
        """
        own = [fold.figures[method] for fold in self.folds.values()]
        plain = [fold.figures[BASELINE] for fold in self.folds.values()]

        def by_figure(value: Callable[[str], Any]) -> dict[str, Any]:
            return {name: value(name) for name in own[0]}

        pairs = list(zip(own, plain, strict=True))
        several = len(own) > 1
        return {
            "mean": by_figure(lambda name: round(mean(one[name] for one in own), 2)),
            "sd": by_figure(
                lambda name: round(stdev(one[name] for one in own), 2) if several else None
            ),
            "wins": by_figure(lambda name: sum(one[name] > other[name] for one, other in pairs)),
            "losses": by_figure(lambda name: sum(one[name] < other[name] for one, other in pairs)),
        }

    def control(self, method: str) -> Control | None:
        """The control for chance, over the means of the folds.

        Args:
            method: its name.

        Returns:
            Gains over the speech branch, None where none were drawn.
        """
        folds = [fold for fold in self.folds.values() if method in fold.shuffled]
        if not folds:
            return None
        draws = zip(*(fold.shuffled[method] for fold in folds), strict=True)
        own = [fold.figures[method] for fold in folds]
        plain = [fold.figures[BASELINE] for fold in folds]
        return Control.of(_means(plain), _means(own), [_means(draw) for draw in draws])

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON.

        Returns:
            ``fit_on``, ``left_out``, ``labels`` (how they were read), ``folds`` (``before`` and
            ``after`` as in `evaluate`, this by ``method``, and the figures of all ``methods``;
            ``entropy``, ``varentropy`` and ``flagged`` are of selection), ``methods`` with each
            one's mean, its folds, and in how many of them it beat the speech branch, what it gains
            over that, its calibration error and its area of risk; ``pairs``, differences between
            the methods that were asked for; ``intervals``, what intervals come from; where
            selection was compared, ``selection``,
            its summary by what flags a row; ``in_sample``, how many rows that test were fitted on,
            where ids tell; and where these were asked for, ``control``, gains with text shuffled,
            and ``labelled``, what so many labelled rows give.
        """
        names = {method: FLAGGED_BY[method] for method in self.compared if method in FLAGGED_BY}
        return {
            "fit_on": self.fit_on,
            "left_out": self.left_out,
            "labels": self.labels.as_dict(),
            "folds": {name: self._fold(fold, names) for name, fold in self.folds.items()},
            "selection": {short: self.summary(method) for method, short in names.items()},
            "methods": {method: self._method(method) for method in self.compared},
            "pairs": [
                {"method": method, "against": other, **difference.as_dict()}
                for (method, other), difference in self.pairs.items()
            ],
            "intervals": asdict(self.comparison.resampling),
            **self._in_sample(),
            **self._control(),
            **({"labelled": self.curve.as_dict()} if self.curve else {}),
        }

    def table(self) -> pl.DataFrame:
        """What is written as a table.

        Returns:
            One row for each fold and method: ``fold``, ``selection`` (what flags a row, where the
            method is one of selection's), ``method``, ``rows``, ``fitted_on``, ``flagged``, ``UA``,
            ``WA`` and ``F1``, ``calibration_error`` and ``risk_coverage_area`` in percent. Where a
            control was asked for, another row for each method that reads text, with ``text
            shuffled`` behind its name and the means of the draws.
        """
        return pl.DataFrame(
            {
                "fold": name,
                "selection": FLAGGED_BY.get(method) if shown == method else None,
                "method": shown,
                "rows": fold.rows,
                "fitted_on": fold.fitted_on,
                "flagged": fold.flagged[method] if shown == method else None,
                **figures,
                **{
                    kind: getattr(fold.outcomes, kind)[method] if shown == method else None
                    for kind in RELIABILITY
                },
            }
            for name, fold in self.folds.items()
            for method in self.compared
            for shown, figures in _listed(fold, method).items()
        )

    def _in_sample(self) -> dict[str, Any]:
        known = {
            name: fold.in_sample for name, fold in self.folds.items() if fold.in_sample is not None
        }
        return {"in_sample": {"rows": sum(known.values()), "folds": known}} if known else {}

    def _control(self) -> dict[str, Any]:
        found = {method: self.control(method) for method in self.compared}
        known = {method: each.as_dict() for method, each in found.items() if each is not None}
        return {"control": {**DRAWN, "methods": known}} if known else {}

    def _fold(self, fold: FoldFigures, names: Mapping[str, str]) -> dict[str, Any]:
        first = self.methods[0]
        alone = {FLAGGED_BY[name]: name for name in names if name not in (BASELINE, "selection")}
        return {
            "rows": fold.rows,
            "fitted_on": fold.fitted_on,
            "before": dict(fold.figures[BASELINE]),
            "after": dict(fold.figures[first]),
            # Whose figures these are, and whose reasons.
            "method": first,
            "methods": {method: dict(each) for method, each in fold.figures.items()},
            **{short: dict(fold.figures[name]) for short, name in alone.items()},
            "flagged": {short: fold.flagged[name] for name, short in names.items()},
            # What other tools read by this name; elsewhere it is called never flagged.
            "never_deferred": fold.methods[first].reasons(),
        }

    def _method(self, method: str) -> dict[str, Any]:
        summary, gain = self.summary(method), self.gains.get(method)
        figures = {
            figure: {
                "mean": summary["mean"][figure],
                "sd": summary["sd"][figure],
                "folds": [
                    {"fold": name, "value": fold.figures[method][figure]}
                    for name, fold in self.folds.items()
                ],
                **({"gain": gain.of(figure)} if gain else {}),
                "folds_up": summary["wins"][figure],
            }
            for figure in summary["mean"]
        }
        tested = {"paired_test": gain.as_dict()["paired_test"]} if gain else {}
        return {**figures, **{name: self.spread(name, method) for name in RELIABILITY}, **tested}


def _means(figures: Sequence[Mapping[str, float]]) -> Metrics:
    return {name: mean(each[name] for each in figures) for name in HEADLINE}


def _listed(fold: FoldFigures, method: str) -> dict[str, Mapping[str, float]]:
    listed: dict[str, Mapping[str, float]] = {method: fold.figures[method]}
    if method in fold.shuffled:
        drawn = _means(fold.shuffled[method])
        values = {name: round(value, 2) for name, value in drawn.items()}
        listed[f"{method}, {SHUFFLED}"] = values
    return listed
