"""What `calibrate` found of how firm its choice is, as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.table import Table

from emobatch.cli.console import console
from emobatch.fusion.selection.detection import GRID_POINTS
from emobatch.fusion.selection.firmness import Firmness, Span
from emobatch.fusion.selection.thresholds import Thresholds


def show_firmness(fitted: Thresholds) -> None:
    """Print to standard error what other thresholds would have done, and how much they vary.

    Args:
        fitted: thresholds of which that is known.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for number, name in enumerate(("predicted", "", "entropy ≥", "varentropy ≤", "M %")):
        table.add_column(name, justify="right" if number > 1 else "left")
    for name, entry in fitted.classes.items():
        if entry.firmness is not None:
            _add_class(table, name, entry.firmness, f"{entry.detection_accuracy:.2f}")
    if not table.row_count:
        return
    out = console(stderr=True)
    out.print(
        f"How firm that is: pairs of the {GRID_POINTS**2} tried that have the same M"
        + _drawn(fitted.fitted.get("bootstrap"))
    )
    out.print()
    out.print(table)


def _add_class(table: Table, name: str, firm: Firmness, accuracy: str) -> None:
    pairs = f"{firm.equal_pairs} pair{'s' if firm.equal_pairs > 1 else ''}"
    table.add_row(name, pairs, _span(firm.equal_entropy), _span(firm.equal_varentropy), accuracy)
    if firm.resamples:
        spans = (firm.entropy_interval, firm.varentropy_interval)
        table.add_row("", "95 %", *map(_span, spans), _span(firm.accuracy_interval, 2))
        left_out = firm.left_out_accuracy
        table.add_row("", "left out", "", "", "-" if left_out is None else f"{left_out:.2f}")


def _drawn(bootstrap: Mapping[str, Any] | None) -> str:
    if not bootstrap:
        return ""
    note = f" ({bootstrap['note']})" if bootstrap["note"] else ""
    return (
        f"; the middle 95 % of what is fitted on {bootstrap['resamples']} bootstrap resamples of "
        f"{bootstrap['units']} {bootstrap['unit']}s{note}; and M on the rows that these leave out"
    )


def _span(span: Span | None, digits: int = 4) -> str:
    return "-" if span is None else f"{span[0]:.{digits}f} to {span[1]:.{digits}f}"
