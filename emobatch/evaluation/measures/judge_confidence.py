"""Whether a language model is as often right as it is sure, and from where on to believe it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from emobatch.evaluation.figure import SHARE, Figure
from emobatch.evaluation.judged import (
    CHOSEN_BY,
    NOTHING,
    THRESHOLDS,
    Bools,
    Reviewed,
    bins,
    chosen,
    reviewed,
)
from emobatch.evaluation.layout import Table, under
from emobatch.evaluation.measure import Measure
from emobatch.evaluation.metrics import HEADLINE
from emobatch.evaluation.result import Evaluation
from emobatch.evaluation.sample import Sample
from emobatch.splits.roles import SPLIT_COLUMN, TEST, VAL, canonical
from emobatch.tables.judged import COLUMNS, JUDGE

RIGHT, FUSED_RIGHT, THRESHOLD = "judge_right", "fused_right", "judge_threshold"
# All rows, where none is of the split that thresholds are chosen on.
ALL = "all"
# Thresholds that the terminal shows; None for no review.
SHOWN = (None, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
NO_VAL = (
    "no threshold is chosen, for no row is of the split 'val', and one that is chosen on the rows "
    "that it is measured on flatters itself"
)


class JudgeConfidence(Measure):
    """Figures by the judge's confidence, and over the thresholds that this may be held against."""

    name = "judge_confidence"
    title = "confidence of the language model"
    columns = COLUMNS
    beside_headline = True

    def figures(self, sample: Sample) -> Iterator[Figure]:
        """Measure answers by their confidence, and what each threshold would give."""
        rows = reviewed(sample)
        if rows is None:
            return
        for bounds, which in bins(rows.confidence):
            part = rows.kept(which & (rows.said != NOTHING))
            count = len(part.labels)
            for name, emotions in ((RIGHT, part.said), (FUSED_RIGHT, part.fused)):
                share = round(100 * float((emotions == part.labels).mean()), 2) if count else None
                yield Figure(name, share, rows=count, confidence=bounds)
        for name, which in _parts(sample).items():
            yield from _curve(name, rows.kept(which))

    def document(self, evaluation: Evaluation, group: str | None) -> dict[str, Any]:
        """Give both, and the threshold that rows of the split ``val`` speak for."""
        if not evaluation.of(self.name, group):
            return {}
        curves = {part: curve(evaluation, part) for part in parts(evaluation)}
        document = {"by_confidence": by_confidence(evaluation), "by_threshold": curves}
        if VAL not in curves:
            return {JUDGE: document}
        return {JUDGE: {**document, "threshold": evaluation.value(THRESHOLD)}}

    def tables(self, evaluation: Evaluation) -> Sequence[Table]:
        """Show both, of thresholds some."""
        if not evaluation.of(self.name):
            return ()
        sure = tuple(
            (
                f"{each['low']:.0%} to {each['high']:.0%}",
                str(each["rows"]),
                *(
                    "-" if each[name] is None else f"{each[name]:.2f}"
                    for name in ("judge", "fused")
                ),
            )
            for each in by_confidence(evaluation)
        )
        shown = parts(evaluation)
        curves = tuple(
            (
                "never" if at is None else f"{at:.0%}",
                *(evaluation.text(n, stage=stage(part, at)) for part in shown for n in HEADLINE),
            )
            for at in SHOWN
        )
        headings = [heading for part in shown for heading in under(f"{part} rows", HEADLINE)]
        return (
            Table(("judge is\nsure", "rows", "judge\nright", "fusion\nright"), sure),
            Table(("judge\nfrom", *headings), curves),
        )

    def remarks(self, evaluation: Evaluation) -> Sequence[str]:
        """Say which threshold the rows of the split ``val`` speak for."""
        return (f"judge: {advice(evaluation)}",) if evaluation.of(self.name) else ()


def stage(part: str, threshold: float | None) -> str:
    """What a figure of a threshold is called.

    Args:
        part: of the rows: ``val``, ``test`` or ``all``.
        threshold: confidence from which the judge is believed, None for never.

    Returns:
        The stage of the figure.

    Examples:
        >>> stage("val", 0.8)
        'val, judge from 0.80'
    """
    return f"{part}, judge {'never' if threshold is None else f'from {threshold:.2f}'}"


def parts(evaluation: Evaluation) -> list[str]:
    """Say which rows curves are of.

    Args:
        evaluation: of a judged table.

    Returns:
        ``val`` and ``test``, as far as there are such rows; ``all`` where none is of ``val``.
    """
    names = (VAL, TEST, ALL)
    return [name for name in names if evaluation.get(CHOSEN_BY, stage=stage(name, None))]


def curve(evaluation: Evaluation, part: str) -> list[dict[str, Any]]:
    """UA, WA and macro F1 over thresholds.

    Args:
        evaluation: of a judged table.
        part: of its rows, see :func:`parts`.

    Returns:
        For each ``threshold``, the first None for no review, the figures in percent.
    """
    return [
        {
            "threshold": at,
            **{name: evaluation.value(name, stage=stage(part, at)) for name in HEADLINE},
        }
        for at in (None, *THRESHOLDS)
    ]


def by_confidence(evaluation: Evaluation) -> list[dict[str, Any]]:
    """How often the judge is right, by how sure it is.

    Args:
        evaluation: of a judged table.

    Returns:
        For each bin ``low`` and ``high``, the bounds of its confidence; ``rows`` in it; and of
        these the percentage of which ``judge`` is right and of which ``fused`` was, None where
        there are none.
    """
    binned = [each for each in evaluation.of(JudgeConfidence.name) if each.name == RIGHT]
    return [
        {
            **dict(zip(("low", "high"), each.confidence or (), strict=True)),
            "rows": each.rows,
            "judge": each.value,
            "fused": evaluation.value(FUSED_RIGHT, confidence=each.confidence),
        }
        for each in binned
    ]


def advice(evaluation: Evaluation) -> str:
    """Say from which confidence on the judge is to be believed.

    Args:
        evaluation: of a judged table.

    Returns:
        A line without its end.
    """
    figure = evaluation.get(THRESHOLD)
    if figure is None:
        return NO_VAL
    best = f"macro F1 on the {figure.rows} rows of the split 'val'"
    if figure.value is None:
        text = f"never to take its word gives the highest {best}"
    else:
        text = (
            f"taken from a confidence of {figure.value:.2f} on, its word gives the highest {best}"
        )
    at = stage(TEST, figure.value)
    if TEST not in parts(evaluation):
        return text
    was, now = (evaluation.text(CHOSEN_BY, stage=each) for each in (stage(TEST, None), at))
    return f"{text}; on those of 'test' it is then {now} % (without the judge {was} %)"


def _parts(sample: Sample) -> dict[str, Bools]:
    rows = sample.scored
    if SPLIT_COLUMN in rows.columns:
        split = rows.select(canonical(SPLIT_COLUMN)).to_series()
        which = {name: (split == name).fill_null(False).to_numpy() for name in (VAL, TEST)}
        if which[VAL].any():
            return {name: mine for name, mine in which.items() if mine.any()}
    return {ALL: np.ones(len(rows), np.bool_)}


def _curve(part: str, rows: Reviewed) -> Iterator[Figure]:
    count = len(rows.labels)
    by_threshold = {at: rows.figures(at) for at in (None, *THRESHOLDS)}
    for at, values in by_threshold.items():
        for name, value in values.items():
            yield Figure(name, value, rows=count, stage=stage(part, at))
    if part == VAL:  # never on other rows
        without, *others = (values[CHOSEN_BY] for values in by_threshold.values())
        best = chosen(dict(zip(THRESHOLDS, others, strict=True)), without)
        yield Figure(THRESHOLD, best, rows=count, unit=SHARE)
