"""How far fitted limits can be trusted: how firm each choice is, and what to beware of."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from emobatch.evaluation.bootstrap import units
from emobatch.evaluation.metrics import class_indices
from emobatch.fusion.selection.fitting import Protocol, is_sample
from emobatch.fusion.selection.refitting import ClassRows, equal_pairs, refits, with_spread
from emobatch.fusion.selection.rules import Rules
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)
RESAMPLES = 200
# Rows drawn in all that take about a second.
MOST_RESAMPLED = 10_000_000
# With fewer flagged rows each of them moves M by 5 points and more.
FEWEST_FLAGGED = 20


def assess(
    rows: pl.DataFrame,
    rules: Rules,
    task: Task,
    protocol: Protocol = "released",
    resamples: int | None = None,
) -> tuple[Rules, dict[str, Any] | None]:
    """Say for each class how firm the choice of its limits is.

    Args:
        rows: those fitted on: ``label``, ``speech_emotion``, ``entropy`` (nats), ``varentropy``
            (nats squared), and maybe ``speaker``.
        rules: what was fitted.
        task: the classes.
        protocol: see :func:`emobatch.fusion.selection.fitting.fit`.
        resamples: number of bootstrap resamples, 0 for none; None for 200, or for none where these
            would take long.

    Returns:
        The rules with their firmness, and what was resampled, None where nothing was.

    Examples:
        >>> from emobatch.fusion.selection.rules import ClassRule, Limits
        >>> row = {"label": "sad", "speech_emotion": "happy", "entropy": 1.0, "varentropy": 0.2}
        >>> rules = Rules({"happy": ClassRule(Limits(1.0, 0.2))})
        >>> rows, task = pl.DataFrame([row] * 5), Task.of(["happy", "sad"])
        >>> assess(rows, rules, task, resamples=0)[0].classes["happy"].firmness.equal_pairs
        40000
    """
    count = _resamples(len(rows)) if resamples is None else resamples
    if count:
        # The same rows in another order shall make the same resamples.
        by = ("speech_emotion", "label", "entropy", "varentropy")
        rows = rows[rows.select(pl.arg_sort_by(*by)).to_series().to_numpy()]
    drawn = units(rows)
    labels, predicted = (
        class_indices(rows[name], task.classes) for name in ("label", "speech_emotion")
    )
    columns = (rows["entropy"].to_numpy(), rows["varentropy"].to_numpy(), labels != predicted)
    assessed = dict(rules.classes)
    for name, rule in rules.classes.items():
        own = np.flatnonzero(predicted == task.classes.index(name))
        sample = np.flatnonzero(is_sample(rows, name, protocol))
        part = ClassRows(*columns, own, sample)
        searched = part.searched()
        firm = None if searched is None else equal_pairs(*searched)
        if firm is not None and count:
            firm = with_spread(firm, refits(part, drawn, count))
        assessed[name] = replace(rule, firmness=firm)
    return replace(rules, classes=assessed), drawn.described(count) if count else None


def warnings(rules: Rules) -> list[str]:
    """Warn of limits that may do worse on new speech than on the rows they were fitted on.

    Args:
        rules: what was fitted.

    Returns:
        What to beware of, in words.
    """
    return [
        f"{name}: only {rule.figures.flagged} rows are flagged, too few to choose by"
        for name, rule in rules.classes.items()
        if rule.figures.flagged is not None and rule.figures.flagged < FEWEST_FLAGGED
    ]


def _resamples(rows: int) -> int:
    if rows * RESAMPLES <= MOST_RESAMPLED:
        return RESAMPLES
    log.warning(
        "note: how much the thresholds vary over resamples is not looked into, as it would take "
        "long for %d rows; --bootstrap %d does it",
        rows,
        RESAMPLES,
    )
    return 0
