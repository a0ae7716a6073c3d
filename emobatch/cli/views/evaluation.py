"""What `evaluate` measured, as tables on the terminal: the headline first, then what is behind it.

Every table fits 80 columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from emobatch.cli.console import FIGURES, console
from emobatch.tasks.labels import EMOTIONS, SENTIMENTS

Result = Mapping[str, Any]
STAGES = ("before", "after")
OF_CLASSES = ("precision", "recall", "F1")


def show_metrics(result: Result) -> None:
    """Print to standard output what `evaluate` measured.

    Args:
        result: see :func:`emobatch.evaluation.evaluate.evaluate`.
    """
    out = console(stderr=False)
    title = f"all: {result['rows']} rows"
    if "left_out" in result:
        title += f", {result['left_out']} labelled rows without scores left out"
    out.print(title)
    tables = [_headline(result)]
    if "classes" in result:
        tables += [_classes(result), _confusion(result)]
    if result.get("transitions"):
        tables += [_transitions(result["transitions"])]
    if "risk_coverage" in result:
        tables += [_risk_coverage(result["risk_coverage"])]
    if "by" in result:
        tables += [_groups(result["by"])]
    for number, table in enumerate(tables):
        out.print()
        out.print(table)
        if number == 0:
            out.print("", *_remarks(result), sep="\n")


def _headline(result: Result) -> Table:
    table = _table("%", *FIGURES)
    bounds = result.get("intervals", {})
    for stage in (*STAGES, "difference"):
        figures = result.get(stage)
        if figures:
            signed = "+.2f" if stage == "difference" else ".2f"
            table.add_row(stage, *(format(figures[name], signed) for name in FIGURES))
            if stage in bounds:
                table.add_row("  95 %", *(_span(bounds[stage][name]) for name in FIGURES))
    return table


def _remarks(result: Result) -> list[str]:
    lines = []
    if drawn := result.get("intervals"):
        note = f" ({drawn['note']})" if drawn["note"] else ""
        lines += [
            f"95 %: percentiles of {drawn['resamples']} bootstrap resamples of "
            f"{drawn['units']} {drawn['unit']}s{note}; seed {drawn['seed']}"
        ]
    if test := result.get("paired_test"):
        lines += [
            f"{test['name']}: {test['better']} better, {test['worse']} worse, "
            f"p = {test['p']:.3g} (takes rows as independent)"
        ]
    if "flagged" in result:
        changed = sum(change["rows"] for change in result.get("transitions", []))
        lines += [
            f"{result['flagged']} rows flagged: {changed} changed, {result['reverted']} reverted"
        ]
    if result.get("wer") is not None:
        bounds = result.get("wer_interval")
        between = f", 95 % {_span(bounds)}" if bounds else ""
        lines += [f"word error rate {result['wer']:.2f} %{between} ({result['wer_normalisation']})"]
    if heard := result.get("sentiment_f1"):
        figures = ", ".join(f"{name} {_figure(heard[name])}" for name in SENTIMENTS)
        lines += [f"sentiment against labels, F1 %: {figures}"]
    if "calibration_error" in result:
        lines += [f"expected calibration error of speech {result['calibration_error']:.2f} %"]
    return lines


def _groups(groups: Mapping[str, Result]) -> Table:
    stages = [stage for stage in STAGES if any(stage in group for group in groups.values())]
    heard = any(group.get("wer") is not None for group in groups.values())
    headings = [heading for name in FIGURES for heading in _under(name, stages)]
    table = _table("by", "rows", *headings, *(["WER"] if heard else []))
    for name, group in groups.items():
        figures = [group.get(stage, {}).get(figure) for figure in FIGURES for stage in stages]
        wer = [_figure(group.get("wer"))] if heard else []
        table.add_row(name, str(group["rows"]), *map(_figure, figures), *wer)
    return table


def _classes(result: Result) -> Table:
    classes, matrices = result["classes"], result["confusion"]
    headings = [heading for stage in classes for heading in _under(stage, OF_CLASSES)]
    table = _table("%", *headings, "rows")
    for number, name in enumerate(EMOTIONS):
        cells = [
            _class_figure(classes[stage][name], figure, sum(row[number] for row in matrices[stage]))
            for stage in classes
            for figure in OF_CLASSES
        ]
        table.add_row(name, *cells, str(sum(next(iter(matrices.values()))[number])))
    return table


def _confusion(result: Result) -> Table:
    matrices = result["confusion"]
    headings = [heading for stage in matrices for heading in _under(stage, EMOTIONS)]
    table = _table("rows, by label", *headings)
    for number, name in enumerate(EMOTIONS):
        table.add_row(
            name, *(str(count) for matrix in matrices.values() for count in matrix[number])
        )
    return table


def _class_figure(values: Mapping[str, float], figure: str, predicted: int) -> str:
    # Nothing was divided by these counts: a 0 would look measured.
    counts = {
        "precision": predicted,
        "recall": values["support"],
        "F1": predicted + values["support"],
    }
    return _figure(values[figure] if counts[figure] else None)


def _transitions(changes: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("changed", "rows", "better", "worse", "neither")
    for change in changes:
        counts = (str(change[name]) for name in ("rows", "better", "worse", "neither"))
        table.add_row(f"{change['from']} → {change['to']}", *counts)
    return table


def _risk_coverage(curve: Mapping[str, Any]) -> Table:
    points = curve["points"]
    headings = [f"{point['coverage']:.0f}" for point in points]
    table = _table("rows of least\nentropy, %", *headings)
    for stage in curve["area"]:
        table.add_row(f"WA {stage}", *(f"{point[stage]:.1f}" for point in points))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    return table


def _under(stage: str, names: Sequence[str]) -> list[str]:
    # A heading over several columns stands above the first of them.
    return [f"{'' if number else stage}\n{name}" for number, name in enumerate(names)]


def _span(bounds: Sequence[float] | None) -> str:
    return "-" if bounds is None else f"{bounds[0]:.2f} to {bounds[1]:.2f}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
