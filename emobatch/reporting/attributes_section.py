"""Arousal, valence and dominance, laid out for the page."""

from __future__ import annotations

import numpy as np
import polars as pl

from emobatch.evaluation.agreement import CCC, FIGURES
from emobatch.evaluation.figure import AFTER, BEFORE
from emobatch.evaluation.figure import Figure as Measured
from emobatch.evaluation.measured_rows import RESAMPLES
from emobatch.evaluation.measures.attributes import MEAN, OF_TEXT, STAGES, Attributes
from emobatch.evaluation.sample import Sample
from emobatch.fusion.description import Table, Value
from emobatch.reporting.described import Block, Part, grid
from emobatch.reporting.figures.attributes import plane_by_class, predicted_against_labels
from emobatch.reporting.illustrations import Illustration
from emobatch.tables import attributes
from emobatch.tasks.spellings import ATTRIBUTES
from emobatch.tasks.task import Task

TITLE = "Arousal, valence, dominance"
SAID = {BEFORE: "the speech branch", OF_TEXT: "the text branch", AFTER: "both branches, fused"}
OF_LABELS = "Predicted by {} against the label; on the dashed line both are the same."
OF_PLANE = (
    "Where rows lie by what {} says: for each final emotion the mean, and an ellipse one standard "
    "deviation from it."
)


def attributes_section(rows: pl.DataFrame, task: Task) -> Part | None:
    """Lay out what is said of attributes, and how far that agrees with labels.

    Args:
        rows: a final table's, attributes as numbers.
        task: the classes.

    Returns:
        Figures where there are labels; predictions against these; and the plane of arousal and
        valence by final emotion. None where nothing is said of attributes.
    """
    stage = next((each for each in (AFTER, BEFORE, OF_TEXT) if _predicted(rows, each)), None)
    if stage is None:
        return None
    blocks: list[Block] = []
    measured = list(Attributes().figures(Sample(rows, task, RESAMPLES)))
    if measured:
        blocks.append(grid(_table(measured)))
    drawn = [each for each in (_against(rows, stage, measured), _plane(rows, stage, task)) if each]
    if drawn:
        blocks.append(drawn)
    return Part(TITLE, tuple(blocks)) if blocks else None


def _predicted(rows: pl.DataFrame, stage: str) -> dict[str, str]:
    found = attributes.predictions(rows.columns, STAGES[stage])
    return {name: column for name, column in found.items() if rows[column].count()}


def _table(measured: list[Measured]) -> Table:
    by_place: dict[tuple[str, str], dict[str, Measured]] = {}
    for each in measured:
        by_place.setdefault((str(each.stage), str(each.of_class)), {})[each.name] = each
    rows = tuple(
        (
            stage,
            name,
            *(Value(mine[f].value, 3, mine[f].low, mine[f].high) for f in FIGURES),
            mine[CCC].rows,
        )
        for (stage, name), mine in by_place.items()
    )
    return Table("Attributes against their labels", ("stage", "attribute", *FIGURES, "rows"), rows)


def _against(rows: pl.DataFrame, stage: str, measured: list[Measured]) -> Illustration | None:
    labels, predicted = attributes.labels(rows.columns), _predicted(rows, stage)
    pairs = {}
    for name in ATTRIBUTES:
        if name not in labels or name not in predicted:
            continue
        both = rows.select(labels[name], predicted[name]).drop_nulls().to_numpy()
        both = both[np.isfinite(both).all(axis=1)]
        if len(both):
            pairs[name] = (both[:, 0], both[:, 1])
    if not pairs:
        return None
    values = {
        each.of_class: each.value for each in measured if (each.stage, each.name) == (stage, CCC)
    }
    told = ", ".join(f"{name} {values.get(name)}" for name in (*pairs, MEAN))
    return Illustration.of(
        predicted_against_labels(pairs),
        "attributes",
        f"Predicted attributes against labels; CCC: {told}.",
        OF_LABELS.format(SAID[stage]),
    )


def _plane(rows: pl.DataFrame, stage: str, task: Task) -> Illustration | None:
    predicted = _predicted(rows, stage)
    if not {"arousal", "valence"} <= set(predicted):
        return None
    mine = rows.select("emotion", *(predicted[name] for name in ("valence", "arousal")))
    mine = mine.drop_nulls().filter(pl.all_horizontal(pl.col(mine.columns[1:]).is_finite()))
    if mine.is_empty():
        return None
    emotions, valence, arousal = mine.get_columns()
    figure = plane_by_class(
        valence.to_numpy(), arousal.to_numpy(), emotions.to_list(), task.classes
    )
    means = mine.group_by("emotion").mean().sort("emotion").rows()
    told = "; ".join(f"{name} {x:.2f} and {y:.2f}" for name, x, y in means)
    return Illustration.of(
        figure,
        "plane",
        f"Mean valence and arousal by final emotion: {told}.",
        OF_PLANE.format(SAID[stage]),
    )
