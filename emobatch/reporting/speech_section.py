"""The speech branch's emotions where nothing else was decided, laid out for the page."""

from __future__ import annotations

import polars as pl

from emobatch.evaluation.figure import BEFORE, Figure
from emobatch.evaluation.metrics import HEADLINE, OF_CLASSES
from emobatch.evaluation.result import Evaluation
from emobatch.fusion.description import Table, Value
from emobatch.reporting import illustrations
from emobatch.reporting.described import Block, Part, grid
from emobatch.reporting.figures.confusion import MANY
from emobatch.reporting.other_tables import largest_confusions, other_figures

TITLE = "The speech branch's emotions"


def speech_section(rows: pl.DataFrame, evaluation: Evaluation | None) -> Part | None:
    """Lay out how far the speech branch is right, of a table without final emotions.

    Args:
        rows: with ``label``, a class or null, ``speech_emotion``, ``entropy`` and ``varentropy``.
        evaluation: of these rows.

    Returns:
        Figures, confusion, uncertainty and confidence; None where no row has both a label and an
        emotion.
    """
    if evaluation is None or "speech_emotion" not in rows.columns:
        return None
    labelled = rows.drop_nulls(["label", "speech_emotion"])
    if labelled.is_empty():
        return None
    classes = evaluation.task.classes
    blocks: list[Block] = []
    blocks += [grid(_headline(evaluation)), grid(_of_classes(evaluation))]
    if others := other_figures(evaluation):
        blocks.append(others)
    blocks.append(illustrations.confusions(evaluation))
    if len(classes) > MANY:
        blocks.append(largest_confusions(evaluation))
    blocks.append(illustrations.uncertainties(labelled, classes, {}))
    blocks.append(illustrations.trust(labelled, evaluation))
    return Part(TITLE, tuple(blocks))


def _headline(evaluation: Evaluation) -> Table:
    figures = [evaluation.get(name, stage=BEFORE) for name in HEADLINE]
    title = f"Percent of {evaluation.rows} labelled rows"
    return Table(title, ("", *HEADLINE), (("speech branch", *map(_value, figures)),))


def _of_classes(evaluation: Evaluation) -> Table:
    rows: list[tuple[str | int | Value | None, ...]] = []
    for name in evaluation.task.classes:
        figures = [evaluation.get(each, stage=BEFORE, of_class=name) for each in OF_CLASSES]
        count = int(evaluation.value("support", stage=BEFORE, of_class=name) or 0)
        rows.append((name, count, *map(_value, figures)))
    return Table("Of each class, percent", ("class", "rows", *OF_CLASSES), tuple(rows))


def _value(figure: Figure | None) -> Value:
    if figure is None or figure.is_undefined:
        return Value(None)
    return Value(figure.value, 2, figure.low, figure.high)
