"""What `leakage` and `crossval` found, as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from emobatch.cli.console import console, plain_table
from emobatch.crossval.fold_figures import BASELINE
from emobatch.evaluation.metrics import HEADLINE
from emobatch.fusion.control import DRAWS, LEVEL, SHUFFLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emobatch.crossval.fold_figures import CrossValidation
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
            f"gain over speech, points; {SHUFFLED}: mean and {LEVEL} % interval of {DRAWS} draws\n"
            "in which the text of each row that tests is that of another"
        )
        out.print(_controls(controls))


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
