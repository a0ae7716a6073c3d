"""What `leakage` and `crossval` found, as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from emobatch.cli.console import console, plain_table
from emobatch.evaluation.metrics import HEADLINE

if TYPE_CHECKING:
    from emobatch.crossval.fold_figures import CrossValidation
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
        table.add_row(*map(escape, cells))
    out.print(table if table.row_count else "nothing")


def show_crossval(found: CrossValidation) -> None:
    """Print to standard output what `crossval` found.

    Args:
        found: the figures of each fold.
    """
    out = console(stderr=False)
    summaries = found.as_dict()["selection"]
    stages = {"before": "none", "after": "both"}
    columns = [f"{name} {stage}" for name in HEADLINE for stage in stages]
    by_fold = plain_table("fold", "rows", "flagged", *columns, left=(0,))
    for name, fold in found.folds.items():
        figures = {rule: fold.figures[rule] for rule in ("none", "both")}
        values = [figures[rule][figure] for figure in HEADLINE for rule in stages.values()]
        cells = [f"{value:.2f}" for value in values]
        by_fold.add_row(escape(name), str(fold.rows), str(fold.flagged["both"]), *cells)
    if len(found.folds) > 1:
        by_fold.add_section()
        for row in ("mean", "sd"):
            values = [summaries[rule][row][name] for name in HEADLINE for rule in stages.values()]
            by_fold.add_row(row, "", "", *(f"{value:.2f}" for value in values))
    out.print(f"by fold, %; thresholds fitted on {found.fit_on or 'the other folds'}")
    out.print(by_fold)
    by_rule = plain_table(
        "flagged by", *HEADLINE, *(f"{name} wins/losses" for name in HEADLINE), left=(0,)
    )
    for rule, summary in summaries.items():
        means = [
            f"{summary['mean'][name]:.2f}"
            + (f" ± {summary['sd'][name]:.2f}" if summary["sd"][name] is not None else "")
            for name in HEADLINE
        ]
        pairs = [f"{summary['wins'][name]}/{summary['losses'][name]}" for name in HEADLINE]
        by_rule.add_row(rule, *means, *(pairs if rule != "none" else "---"))
    out.print("mean ± standard deviation over folds, %; in how many folds better/worse than none")
    out.print(by_rule)
