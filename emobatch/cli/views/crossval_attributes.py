"""What `crossval` found of attributes, as tables on the terminal."""

from __future__ import annotations

from emobatch.cli.console import console, plain_table
from emobatch.crossval.attributes import BASELINE, AttributeValidation
from emobatch.evaluation.agreement import CCC, FIGURES
from emobatch.fusion.ridge.figures import MEAN


def show(result: AttributeValidation) -> None:
    """Print to standard output the figures of attributes.

    Args:
        result: of each fold.
    """
    out = console(stderr=False)
    out.print(f"mean CCC by fold; fitted on {result.fit_on or 'the other folds'}")
    by_fold = plain_table("fold", "rows", "fitted on", *result.methods, left=(0,))
    values = {method: result.values(method, MEAN, CCC) for method in result.methods}
    for name, fold in result.folds.items():
        cells = (_number(values[method][name]) for method in result.methods)
        by_fold.add_row(name, str(len(fold.rows)), str(fold.fitted_on), *cells)
    out.print(by_fold)
    out.print("mean ± standard deviation over folds")
    table = plain_table("method", "attribute", *FIGURES, left=(0, 1))
    for method in result.methods:
        for attribute in result.attributes:
            spreads = [result.spread(method, attribute, figure) for figure in FIGURES]
            texts = (
                _number(middle) + ("" if sd is None else f" ± {sd:.3f}") for middle, sd in spreads
            )
            table.add_row(method if attribute == result.attributes[0] else "", attribute, *texts)
    out.print(table)
    drawn = result.resampling
    note = f" ({drawn.note})" if drawn.note else ""
    for method in result.methods:
        if method != BASELINE:
            gain = result.gain(method)
            out.print(
                f"{method}: mean CCC {_signed(gain['value'])} from {BASELINE}, 95 % "
                f"{_signed(gain['low'])} to {_signed(gain['high'])}, up in {gain['folds_up']} of "
                f"{len(result.folds)} folds"
            )
    out.print(f"95 %: {drawn.resamples} bootstrap resamples of {drawn.units} {drawn.unit}s{note}")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"
