"""Entropy-aware selection, described for the terminal and the report."""

from __future__ import annotations

from math import isfinite

import polars as pl

from emobatch.fusion.description import Chart, Section, Table, Value
from emobatch.fusion.selection.algorithm import NEGATIVE, flagged
from emobatch.fusion.selection.detection import FEWEST_ROWS, GRID_POINTS, Detection
from emobatch.fusion.selection.firmness import Firmness, Span
from emobatch.fusion.selection.fitting import Protocol
from emobatch.fusion.selection.rules import SIMPLE, ClassRule, Rules
from emobatch.fusion.selection.surface import Surface, surface
from emobatch.tasks.task import Task

DIGITS = 4
HEADINGS = ("predicted", "entropy ≥", "varentropy ≤", "M %", "detected / flagged", "mapping")
FIRM_HEADINGS = ("predicted", "M % left out", "equal pairs", "of entropy", "of varentropy")
FIRM = (
    "How firm that is: the middle 95 % of bootstrap resamples beneath a figure; M on the rows that "
    f"the resamples leave out; and how many of the {GRID_POINTS**2} pairs tried have the same M, "
    "with the bounds between which they lie."
)
GRID = (
    "M is the share of misclassified rows among the flagged ones (equation 7). It is drawn for the "
    "{} labelled rows of this table, which need not be those that the thresholds were fitted on: "
    f"at {GRID_POINTS} by {GRID_POINTS} pairs between the percentiles of these rows that the "
    "protocol “{}” takes (dotted, where the map had to be widened to hold the pair in use). The "
    "plateau is where M equals that of the pair in use. Each map has a scale of its own."
)
OTHER_THRESHOLDS = (
    "The thresholds file flags {} of {} rows otherwise than the table says: the table was decided "
    "with other thresholds, or edited since."
)
FITTED_HERE = (
    "The thresholds flag and detect as many labelled rows as on those that they were fitted on: "
    "these seem to be the same, so that figures before and after flatter the thresholds."
)


def thresholds(rules: Rules, task: Task) -> list[Section]:
    """Show what was fitted.

    Args:
        rules: by predicted class.
        task: the classes.

    Returns:
        One section: limits by class, how firm they are, and the changes that are not made.
    """
    classes = {name: rules.classes.get(name, ClassRule()) for name in task.classes}
    rows = tuple(_class_row(name, rule, task) for name, rule in classes.items())
    blocks: list[str | Table | Chart] = [
        Table("By predicted class, on the rows fitted on", HEADINGS, rows)
    ]
    firm = {name: rule.firmness for name, rule in classes.items() if rule.firmness is not None}
    if firm:
        shown = tuple(_firm_row(name, each) for name, each in firm.items())
        blocks += [FIRM, Table("How firm the choice is", FIRM_HEADINGS, shown)]
    changes = ", ".join(f"{before} → {after}" for before, after in rules.exclusions)
    blocks.append(f"Changes that are not made: {changes or 'none are excluded'}.")
    return [Section("Thresholds", tuple(blocks))]


def surfaces(rows: pl.DataFrame, rules: Rules, protocol: Protocol) -> list[Section]:
    """Show M over the grid of limits.

    Args:
        rows: labelled and scored.
        rules: in use.
        protocol: whose percentiles the grid lies between.

    Returns:
        One section, none where no class has limits.
    """
    drawn = _surfaces(rows, rules, protocol)
    if not drawn:
        return []
    blocks: list[str | Table | Chart] = [GRID.format(len(rows), protocol)]
    for name, each in drawn.items():
        if each is None:
            blocks.append(
                f"Predicted {name}: fewer than {FEWEST_ROWS} rows to take percentiles of, hence no "
                "map."
            )
        else:
            blocks.append(Chart("detection-surface", f"predicted {name}", each, _caption(each)))
    return [Section("M over the grid", tuple(blocks))]


def doubts(
    rows: pl.DataFrame, labelled: pl.DataFrame, rules: Rules, protocol: Protocol
) -> list[str]:
    """Say whether rows were decided otherwise, or are those that the rules were fitted on.

    Args:
        rows: scored rows of a final table.
        labelled: those with a label.
        rules: said to be in use.
        protocol: see :func:`surfaces`.

    Returns:
        Sentences.
    """
    notes = []
    if "flagged" in rows.columns:
        other = rows.select((flagged(rules.limits) != pl.col("flagged")).sum()).item()
        if other:
            notes.append(OTHER_THRESHOLDS.format(other, len(rows)))
    drawn = _surfaces(labelled, rules, protocol) if len(labelled) else {}
    if drawn and all(_is_fitted_here(each, rules.classes[name]) for name, each in drawn.items()):
        notes.append(FITTED_HERE)
    return notes


def _surfaces(rows: pl.DataFrame, rules: Rules, protocol: Protocol) -> dict[str, Surface | None]:
    return {name: surface(rows, name, pair, protocol) for name, pair in rules.limits.items()}


def _is_fitted_here(drawn: Surface | None, rule: ClassRule) -> bool:
    figures = rule.figures
    return drawn is not None and (drawn.used.flagged, drawn.used.detected) == (
        figures.flagged,
        figures.detected,
    )


def _class_row(name: str, rule: ClassRule, task: Task) -> tuple[str | int | Value | None, ...]:
    if rule.limits is None:
        reason = f": {rule.reason}" if rule.reason else ""
        return (name, None, None, None, None, f"never flagged{reason}")
    firm, figures = rule.firmness, rule.figures
    counts = (figures.detected, figures.flagged)
    return (
        name,
        _value(rule.limits.entropy, DIGITS, firm.entropy_interval if firm else None),
        _value(rule.limits.varentropy, DIGITS, firm.varentropy_interval if firm else None),
        _value(figures.accuracy, 2, firm.accuracy_interval if firm else None),
        None if None in counts else f"{counts[0]} / {counts[1]}",
        _mapping(rule, task),
    )


def _mapping(rule: ClassRule, task: Task) -> str:
    mapping, negative = rule.mapping, task.sentiments[NEGATIVE]
    if mapping.kind != SIMPLE or not negative:
        return mapping.kind
    sign = ">" if mapping.flip else "≤"
    return f"{mapping.kind}, score {sign} {mapping.sentiment} is {negative[0]}"


def _firm_row(name: str, firm: Firmness) -> tuple[str | int | Value | None, ...]:
    left_out = None if firm.left_out_accuracy is None else Value(firm.left_out_accuracy)
    spans = (firm.equal_entropy, firm.equal_varentropy)
    return (name, left_out, firm.equal_pairs, *(_between(span) for span in spans))


def _between(span: Span) -> str:
    return f"{span[0]:.{DIGITS}f} to {span[1]:.{DIGITS}f}"


def _value(value: float | None, digits: int, span: Span | None) -> Value | None:
    if value is not None and not isfinite(value):
        return None  # a measure that flags nothing
    low, high = span or (None, None)
    return Value(value, digits, low, high)


def _caption(drawn: Surface) -> str:
    used, best = drawn.used, drawn.best
    told = f"In use: {_pair(used)}."
    if best is not None and (best.entropy, best.varentropy) != (used.entropy, used.varentropy):
        told += f" A search of these rows would choose {_pair(best)}."
    return told


def _pair(pair: Detection) -> str:
    of = f"entropy ≥ {pair.entropy:.4f} and varentropy ≤ {pair.varentropy:.4f}"
    if not pair.flagged:
        return f"{of}; no row is flagged"
    detected = f"{pair.detected} of {pair.flagged} flagged rows are wrong"
    return f"{of}; M is {100 * pair.accuracy:.2f} %, {detected}"
