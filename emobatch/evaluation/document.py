"""What was measured, as one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from emobatch.evaluation.measures import every_measure
from emobatch.evaluation.result import Evaluation


def document(evaluation: Evaluation) -> dict[str, Any]:
    """What `evaluate --json` prints.

    Args:
        evaluation: what was measured.

    Returns:
        The parts of all measures, merged; ``labels`` and ``left_out_by_reason`` where it is known
        how labels were read; ``intervals`` begins with what they come from, ``in_sample`` says how
        many rows thresholds were fitted on, where that is known, and ``by`` has the parts of each
        group.

    Examples:
        >>> from emobatch.evaluation.figure import Figure
        >>> from emobatch.tasks.task import Task
        >>> figures = (Figure("rows", 2, measure="counts"),)
        >>> document(Evaluation(Task.of(["happy", "sad"]), figures, ()))
        {'rows': 2, 'left_out': 0}
    """
    whole = _parts(evaluation, None)
    if evaluation.labels is not None:
        whole["labels"] = evaluation.labels.as_dict()
        whole["left_out_by_reason"] = dict(evaluation.left_out)
    if evaluation.drawn is not None:
        whole["intervals"] = asdict(evaluation.drawn) | whole.get("intervals", {})
    if evaluation.in_sample is not None:
        whole["in_sample"] = evaluation.in_sample.as_dict()
    if evaluation.groups is not None:
        whole["by"] = {group: _parts(evaluation, group) for group in evaluation.groups}
    return whole


def _parts(evaluation: Evaluation, group: str | None) -> dict[str, Any]:
    return _merged(
        measure.document(evaluation, group)
        for measure in every_measure()
        if group is None or measure.by_group
    )


def _merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, dict) and isinstance(whole.get(name), dict):
                whole[name] = _merged([whole[name], value])
            else:
                whole[name] = value
    return whole
