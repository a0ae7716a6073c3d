"""What `leakage` and `crossval` found, as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from emobatch.cli.console import console, plain_table
from emobatch.crossval.fold_figures import BASELINE, RELIABILITY
from emobatch.crossval.learning_curve import DRAWS as CURVE_DRAWS
from emobatch.evaluation.draws import LEVEL
from emobatch.evaluation.metrics import HEADLINE
from emobatch.evaluation.paired_test import TEST
from emobatch.fusion.control import DRAWS, SHUFFLED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from emobatch.crossval.fold_figures import CrossValidation
    from emobatch.crossval.learning_curve import LearningCurve
    from emobatch.fusion.control import Control
    from emobatch.splits.leakage import Leakage

# Of what train and test share, for each fold; --json and -o have them all.
MOST_NAMED = 5
WIDEST = 60


def show_leakage(found: Leakage) -> None:
    """Print to standard output what test shares with train.

    Args:
        found: as `leakage` found it.
    """
    out = console(stderr=False)
    out.print(f"what test shares with {found.against}, looked at: {', '.join(found.kinds)}")
    names = ("fold", "kind", "shared", "test rows", "of test %", "for instance")
    table = plain_table(*names, left=(0, 1, 5))
    for fold, kind, shared, rows, percent, values in found.summary().iter_rows():
        named = ", ".join(values[:MOST_NAMED]) + (", …" if shared > MOST_NAMED else "")
        if len(named) > WIDEST:
            named = named[: WIDEST - 1] + "…"
        cells = (fold, kind, str(shared), str(rows), f"{percent:.2f}", named)
        table.add_row(*cells)
    out.print(table if table.row_count else "nothing")


def show_crossval(result: CrossValidation) -> None:
    """Print to standard output what `crossval` found.

    Args:
        result: the figures of each fold.
    """
    out = console(stderr=False)
    out.print(f"by fold, %; fitted on {result.fit_on or 'the other folds'}")
    for method in result.methods:
        out.print(_by_fold(result, method))
    by_method = plain_table(
        "method", *HEADLINE, *(f"{name} up/down" for name in HEADLINE), left=(0,)
    )
    for method in result.compared:
        summary = result.summary(method)
        means = [
            f"{summary['mean'][name]:.2f}"
            + (f" ± {summary['sd'][name]:.2f}" if summary["sd"][name] is not None else "")
            for name in HEADLINE
        ]
        pairs = [f"{summary['wins'][name]}/{summary['losses'][name]}" for name in HEADLINE]
        by_method.add_row(method, *means, *(pairs if method != BASELINE else "---"))
    out.print(
        "mean ± standard deviation over folds, %; in how many folds it is up and down from speech"
    )
    out.print(by_method)
    controls = {name: each for name in result.compared if (each := result.control(name))}
    if controls:
        out.print(
            f"gain over speech, points; {SHUFFLED}: mean and {LEVEL} % interval of {DRAWS} draws",
            "in which the text of each row that tests is that of another",
            sep="\n",
        )
        out.print(_controls(controls))
    show_comparison(result, out)


def show_comparison(result: CrossValidation, out: Console) -> None:
    """Print what methods gain, how far their confidence can be trusted, and how they differ.

    Args:
        result: the figures of each fold.
        out: where to.
    """
    drawn = result.comparison.resampling
    note = f" ({drawn.note})" if drawn.note else ""
    out.print(
        "means over folds, %; gain: of UA over speech, points; up: in how many folds",
        f"95 %: percentiles of {drawn.resamples} bootstrap resamples of "
        f"{drawn.units} {drawn.unit}s{note}",
        "ECE: calibration error; AURC: area under the curve of risk against coverage",
        sep="\n",
    )
    table = plain_table("method", *HEADLINE, "gain", "95 %", "up", "ECE", "AURC", left=(0,))
    table.padding = (0, 0)  # so that it fits 80 columns
    for method in result.compared:
        summary = result.summary(method)
        means = [_number(summary["mean"][name]) for name in HEADLINE]
        trust = [_number(result.spread(name, method)["mean"]) for name in RELIABILITY]
        gained = ["-"] * 3
        if gain := result.gains.get(method):
            up = f"{summary['wins']['UA']}/{len(result.folds)}"
            gained = [f"{gain.value['UA']:+.2f}", _span(gain.bounds["UA"]), up]
        table.add_row(method, *means, *gained, *trust)
    out.print(table)
    if len(result.methods) > 1:
        out.print(f"how far methods are from {result.best}, points of UA; {TEST}, on its rows")
        out.print(_pairs(result))
    if result.curve is not None:
        out.print(
            f"UA by labelled rows, %: means of {CURVE_DRAWS} draws, and where one more draw lies "
            f"with {LEVEL} %"
        )
        out.print(_curve(result, result.curve))


def _pairs(result: CrossValidation) -> Table:
    table = plain_table("method", "UA", "95 %", "better", "worse", "p", left=(0,))
    for method in result.compared:
        if method == result.best:
            continue
        far = result.comparison.difference(method, result.best)
        counts = [str(far.test[name]) for name in ("better", "worse")]
        value = f"{far.value['UA']:+.2f}"
        table.add_row(method, value, _span(far.bounds["UA"]), *counts, f"{far.test['p']:.3g}")
    return table


def _curve(result: CrossValidation, curve: LearningCurve) -> Table:
    counts = list(next(iter(curve.draws.values())))
    table = plain_table("method", *map(str, counts), "all", left=(0,))
    plain = _number(result.summary(BASELINE)["mean"]["UA"])
    if BASELINE not in curve.draws:
        table.add_row(BASELINE, *[plain] * (len(counts) + 1))
    for method in curve.draws:
        means = [_number(curve.mean(method, count, "UA")) for count in counts]
        table.add_row(method, *means, _number(result.summary(method)["mean"]["UA"]))
        table.add_row("  95 %", *(_span(curve.interval(method, count, "UA")) for count in counts))
    table.padding = (0, 0)
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _span(bounds: Sequence[float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:.2f} to {bounds[1]:.2f}"


def _controls(controls: Mapping[str, Control]) -> Table:
    table = plain_table("method", *HEADLINE, left=(0,))
    for method, control in controls.items():
        spans = [control.interval(name) for name in HEADLINE]
        table.add_row(method, *(f"{control.gain[name]:+.2f}" for name in HEADLINE))
        table.add_row(f"  {SHUFFLED}", *(f"{control.mean(name):+.2f}" for name in HEADLINE))
        table.add_row(f"    {LEVEL} %", *(f"{low:.2f} to {high:.2f}" for low, high in spans))
    return table


def _by_fold(result: CrossValidation, method: str) -> Table:
    stages = (BASELINE, method)
    columns = [f"{name} {stage}" for name in HEADLINE for stage in ("before", "after")]
    by_fold = plain_table("fold", "rows", "flagged", *columns, left=(0,))
    for name, fold in result.folds.items():
        values = [fold.figures[stage][figure] for figure in HEADLINE for stage in stages]
        count = fold.flagged[method]
        cells = (str(fold.rows), "-" if count is None else str(count))
        by_fold.add_row(name, *cells, *(f"{value:.2f}" for value in values))
    if len(result.folds) > 1:
        summaries = {stage: result.summary(stage) for stage in stages}
        by_fold.add_section()
        for row in ("mean", "sd"):
            values = [summaries[stage][row][name] for name in HEADLINE for stage in stages]
            by_fold.add_row(row, "", "", *(f"{value:.2f}" for value in values))
    if len(result.methods) > 1:
        by_fold.title, by_fold.title_justify, by_fold.title_style = method, "left", ""
    return by_fold
