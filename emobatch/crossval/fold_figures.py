"""What a cross-validation found: the figures of each fold, their means and spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any, Literal

import polars as pl

from emobatch.fusion.selection.thresholds import Thresholds

Rule = Literal["none", "entropy", "varentropy", "both"]
# What flags a row, in the order of Table III; `none` is the speech branch alone.
RULES: tuple[Rule, ...] = ("none", "entropy", "varentropy", "both")


@dataclass(frozen=True)
class FoldFigures:
    """One fold.

    Attributes:
        rows: how many test.
        fitted_on: how many rows the thresholds were fitted on.
        figures: UA, WA and F1 in percent on the rows that test, by rule.
        flagged: how many of these each rule flags.
        thresholds: those of ``both``.
    """

    rows: int
    fitted_on: int
    figures: Mapping[Rule, Mapping[str, float]]
    flagged: Mapping[Rule, int]
    thresholds: Thresholds


@dataclass(frozen=True)
class CrossValidation:
    """All folds.

    Attributes:
        folds: by name, in order.
        fit_on: the splits that were fitted on, or None where each fold was tested with thresholds
            from all the others.
        left_out: rows without a label, scores, fold or split.
    """

    folds: Mapping[str, FoldFigures]
    fit_on: str | None
    left_out: int

    def summary(self, rule: Rule) -> dict[str, Any]:
        """Mean and spread of a rule's figures, and in how many folds it was better than none.

        Args:
            rule: what flags a row.

        Returns:
            By UA, WA and F1, in percent: ``mean``, the sample's standard deviation ``sd`` (None
            for one fold), and the number of ``wins`` and ``losses`` against ``none``.
        """
        found = [fold.figures[rule] for fold in self.folds.values()]
        plain = [fold.figures["none"] for fold in self.folds.values()]

        def by_figure(value: Callable[[str], Any]) -> dict[str, Any]:
            return {name: value(name) for name in found[0]}

        pairs = list(zip(found, plain, strict=True))
        several = len(found) > 1
        return {
            "mean": by_figure(lambda name: round(mean(one[name] for one in found), 2)),
            "sd": by_figure(
                lambda name: round(stdev(one[name] for one in found), 2) if several else None
            ),
            "wins": by_figure(lambda name: sum(one[name] > other[name] for one, other in pairs)),
            "losses": by_figure(lambda name: sum(one[name] < other[name] for one, other in pairs)),
        }

    def as_dict(self) -> dict[str, Any]:
        """What is written as JSON.

        Returns:
            ``fit_on``, ``left_out``, ``folds`` (``before`` and ``after`` as in `evaluate`, and
            those of either measure alone) and ``selection``, the summary of each rule.
        """
        return {
            "fit_on": self.fit_on,
            "left_out": self.left_out,
            "folds": {
                name: {
                    "rows": fold.rows,
                    "fitted_on": fold.fitted_on,
                    "before": dict(fold.figures["none"]),
                    "after": dict(fold.figures["both"]),
                    "entropy": dict(fold.figures["entropy"]),
                    "varentropy": dict(fold.figures["varentropy"]),
                    "flagged": dict(fold.flagged),
                    "never_deferred": never_deferred(fold.thresholds),
                }
                for name, fold in self.folds.items()
            },
            "selection": {rule: self.summary(rule) for rule in RULES},
        }

    def table(self) -> pl.DataFrame:
        """What is written as a table.

        Returns:
            One row for each fold and rule: ``fold``, ``selection``, ``rows``, ``fitted_on``,
            ``flagged``, ``UA``, ``WA`` and ``F1`` in percent.
        """
        return pl.DataFrame(
            {
                "fold": name,
                "selection": rule,
                "rows": fold.rows,
                "fitted_on": fold.fitted_on,
                "flagged": fold.flagged[rule],
                **fold.figures[rule],
            }
            for name, fold in self.folds.items()
            for rule in RULES
        )


def never_deferred(thresholds: Thresholds) -> dict[str, str]:
    """Name the classes for which there are no thresholds.

    Args:
        thresholds: as fitted.

    Returns:
        The reason by class.
    """
    entries = thresholds.classes.items()
    return {name: entry.reason for name, entry in entries if entry.reason is not None}
