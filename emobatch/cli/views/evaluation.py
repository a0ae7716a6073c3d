"""What `evaluate` measured, as tables on the terminal: the headline first, then what is behind it.

Every table fits 80 columns.
"""

from __future__ import annotations

from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from emobatch.cli.console import console
from emobatch.evaluation import layout
from emobatch.evaluation.measures import every_measure
from emobatch.evaluation.result import Evaluation
from emobatch.tables.visible import visible
from emobatch.wording import counted


def show_evaluation(evaluation: Evaluation) -> None:
    """Print to standard output what `evaluate` measured.

    Args:
        evaluation: figures.
    """
    out = console(stderr=False)
    tables = [table for measure in every_measure() for table in measure.tables(evaluation)]
    if evaluation.groups is not None:
        tables.append(_groups(evaluation))
    if evaluation.get("rows") is None:  # of transcripts or attributes alone
        out.print(*_remarks(evaluation), sep="\n")
        for table in tables:
            out.print(_drawn(table))
        return
    title = f"all: {counted(int(evaluation.value('rows') or 0), 'row')}"
    if evaluation.get("left_out") is not None:
        left_out = int(evaluation.value("left_out") or 0)
        title += f", {counted(left_out, 'labelled row')} without scores left out"
    out.print(title)
    if not tables:
        out.print("", *_remarks(evaluation), sep="\n")
    for number, table in enumerate(tables):
        out.print()
        out.print(_drawn(table))
        if table.note:
            out.print(table.note)
        if number == 0:
            out.print("", *_remarks(evaluation), sep="\n")


def _remarks(evaluation: Evaluation) -> list[str]:
    lines = []
    if (drawn := evaluation.drawn) is not None:
        note = f" ({drawn.note})" if drawn.note else ""
        lines.append(
            f"95 %: percentiles of {drawn.resamples} bootstrap resamples of "
            f"{drawn.units} {drawn.unit}s{note}; seed {drawn.seed}"
        )
    for measure in sorted(every_measure(), key=lambda each: not each.beside_headline):
        lines += measure.remarks(evaluation)
    return lines


def _groups(evaluation: Evaluation) -> layout.Table:
    # First what is said of predictions, then of text.
    columns = [("by", evaluation.groups or ())] + [
        column
        for measure in sorted(every_measure(), key=lambda each: each.of_text)
        if measure.by_group
        for column in measure.by_groups(evaluation)
    ]
    headings, texts = zip(*columns, strict=True)
    return layout.Table(headings, tuple(zip(*texts, strict=True)))


def _drawn(shown: layout.Table) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for number, column in enumerate(shown.columns):
        justify: Literal["left", "right"] = "left" if number < shown.left else "right"
        table.add_column(_heading(column), justify=justify, overflow="fold")
    for row in shown.rows:
        table.add_row(*row)
    return table


def _heading(text: str) -> Text:
    # Headings may have two lines, which a string that is printed has not.
    return Text("\n".join(map(visible, text.split("\n"))))
