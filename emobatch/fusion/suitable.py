"""Whether a fitted method suits a table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emobatch.errors import ThresholdsError
from emobatch.fusion.file import Fitted
from emobatch.tables.provenance import check_models, foreign
from emobatch.tables.score_table import ScoreTable
from emobatch.tasks.task import Task

log = logging.getLogger(__name__)
FOREIGN = (
    "note: %s may not suit these rows: %s; how well it decides them is not known before `emobatch "
    "evaluate` measures it on some that have a label"
)


def check(fitted: Fitted, scores: ScoreTable, file: Path, *, force: bool) -> None:
    """Refuse a table that a method was not fitted for; note where it may not suit.

    Args:
        fitted: the method.
        scores: the table.
        file: that the method was read from.
        force: take scores of other models and options as well.

    Raises:
        ThresholdsError: says how they differ.
    """
    refuse_other_classes(fitted, scores.task, str(file))
    made = scores.provenance
    if not force:
        remedy = "calibrate on this table, or insist with --force"
        check_models(made.get("models") or {}, fitted.fitted, file, remedy)
        _check_options(fitted, made, file)
    differing = foreign(made, scores.manifests, fitted.fitted)
    if differing and fitted.method.to_document():  # else nothing was fitted
        log.warning(FOREIGN, file, "; ".join(differing))


def refuse_other_classes(fitted: Fitted, task: Task, name: str) -> None:
    """Refuse to decide between other classes than a method was fitted for.

    Args:
        fitted: the method.
        task: of the rows.
        name: of the thresholds file.

    Raises:
        ThresholdsError: names both.
    """
    mine = fitted.method.task.classes
    if set(mine) != set(task.classes):
        raise ThresholdsError(
            f"{name}: fitted for the classes {', '.join(mine)}, the scores are of "
            f"{', '.join(task.classes)}; calibrate on this table"
        )


def _check_options(fitted: Fitted, made: Mapping[str, Any], file: Path) -> None:
    # Of tables and files that say so: None stands for what goes without saying.
    mine, theirs = made.get("options"), fitted.fitted.get("scored_with") or {}
    if not mine or not fitted.fitted.get("models"):
        return
    for name in fitted.method.score_options:
        if mine.get(name) != theirs.get(name):
            option = f"--{name.replace('_', '-')}"
            one, other = (each.get(name) or "left out" for each in (mine, theirs))
            raise ThresholdsError(
                f"{file}: fitted on scores with {option} {other}, and here it is {one}; score "
                "alike, calibrate on this table, or insist with --force"
            )
