"""Rows called neutral, of tables that a hierarchy decided, laid out for the page."""

from __future__ import annotations

from emobatch.evaluation.measures.neutral import (
    NEUTRAL,
    PRECISION,
    PUT_RIGHT,
    RECALL,
    THRESHOLDS,
    stage,
)
from emobatch.evaluation.result import Evaluation
from emobatch.fusion.description import Table, Value
from emobatch.reporting.described import Block, Part, grid
from emobatch.reporting.figures.neutral import neutral_by_threshold
from emobatch.reporting.illustrations import Illustration

SAID = (
    "Of rows that the speech branch calls neutral the text branch decides. Put right are those of "
    "another label whose final emotion is their label."
)
CAPTION = (
    "Precision and recall of neutral on these rows, by the probability from which the text branch "
    "agrees that a row is neutral; below it, the row gets what the text branch says."
)


def neutral_section(evaluation: Evaluation) -> Part | None:
    """Lay out what became of rows called neutral.

    Args:
        evaluation: what was measured.

    Returns:
        A table of the emotional rows among them, and the curve over thresholds; None where no
        hierarchy decided.
    """
    own = evaluation.of(NEUTRAL)
    if not own:
        return None
    rows = tuple(
        (each.of_class or "all", each.rows, Value(each.value))
        for each in own
        if each.name == PUT_RIGHT
    )
    columns = ("label", "called neutral, rows", "put right by text, %")
    blocks: list[Block] = [SAID, grid(Table("Emotional rows called neutral", columns, rows))]
    precision, recall = (
        [(at, evaluation.value(name, stage=stage(at))) for at in THRESHOLDS]
        for name in (PRECISION, RECALL)
    )
    if any(value is not None for _, value in precision):
        figure = neutral_by_threshold(precision, recall)
        ends = "; ".join(
            f"at {at:g} precision {evaluation.text(PRECISION, stage=stage(at))} % and recall "
            f"{evaluation.text(RECALL, stage=stage(at))} %"
            for at in (THRESHOLDS[0], 0.5, THRESHOLDS[-1])
        )
        described = f"Precision and recall of neutral by threshold: {ends}."
        blocks.append([Illustration.of(figure, "neutral", described, CAPTION)])
    return Part("Rows called neutral", tuple(blocks))
