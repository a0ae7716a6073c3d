"""Arousal, valence and dominance, laid out for the page."""

from __future__ import annotations

import numpy as np
import polars as pl

from emobatch.evaluation.agreement import CCC, FIGURES
from emobatch.evaluation.figure import AFTER, BEFORE
from emobatch.evaluation.figure import Figure as Measured
from emobatch.evaluation.measured_rows import RESAMPLES
from emobatch.evaluation.measures.attributes import MEAN, OF_TEXT, STAGES, Attributes
from emobatch.evaluation.result import Evaluation
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
    "Where rows lie as predicted by {}: {}the mean, and an ellipse one standard deviation from it."
)
# Columns of emotions that the plane is drawn by, the first that there is.
EMOTIONS = {"emotion": " by final emotion", "speech_emotion": " by the speech branch's emotion"}
EACH = {
    "emotion": "for each final emotion ",
    "speech_emotion": "for each emotion of the speech branch ",
}
EVERY_ROW = "all rows"
FEWEST_SPEAKERS, MOST_SPEAKERS = 2, 40


def attributes_section(
    rows: pl.DataFrame, task: Task, evaluation: Evaluation | None = None
) -> Part | None:
    """Lay out what is said of attributes, and how far that agrees with labels.

    Args:
        rows: a final table's, attributes as numbers.
        task: the classes.
        evaluation: of all of these rows, maybe by speaker; None to measure them here.

    Returns:
        Figures where there are labels; predictions against these; the plane of arousal and valence
        by emotion, where there are emotions; and figures by speaker where these were measured. None
        where nothing is said of attributes.
    """
    stage = next((each for each in (AFTER, BEFORE, OF_TEXT) if _predicted(rows, each)), None)
    if stage is None:
        return None
    blocks: list[Block] = []
    if evaluation is None:
        measured = list(Attributes().figures(Sample(rows, task, RESAMPLES)))
    else:
        measured = evaluation.of(Attributes.name)
    if measured:
        blocks.append(grid(_table(measured)))
    if measured and evaluation is not None and evaluation.drawn is not None:
        blocks.append(f"{evaluation.drawn.said}.")
    drawn = [each for each in (_against(rows, stage, measured), _plane(rows, stage, task)) if each]
    if drawn:
        blocks.append(drawn)
    if evaluation is not None and (by_speaker := _by_speaker(evaluation, stage)):
        blocks.append(grid(by_speaker))
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


def _by_speaker(evaluation: Evaluation, stage: str) -> Table | None:
    # Of very many those of whom most is known.
    whole = {name: evaluation.get(CCC, stage=stage, of_class=name) for name in (*ATTRIBUTES, MEAN)}
    names = [name for name, figure in whole.items() if figure and not figure.is_undefined]
    found: list[tuple[int, tuple[str | int | Value | None, ...]]] = []
    for speaker in evaluation.groups or ():
        own = [evaluation.get(CCC, stage=stage, of_class=name, group=speaker) for name in names]
        if rows := max((each.rows or 0 for each in own if each), default=0):
            found.append((rows, (speaker, rows, *(Value(e.value if e else None, 3) for e in own))))
    if len(found) < FEWEST_SPEAKERS:
        return None
    title = f"CCC by speaker, {SAID[stage]}"
    if len(found) > MOST_SPEAKERS:
        title += f"; of {len(found)} speakers the {MOST_SPEAKERS} with most rows"
        most = sorted(range(len(found)), key=lambda place: -found[place][0])[:MOST_SPEAKERS]
        found = [found[place] for place in sorted(most)]
    return Table(title, ("speaker", "rows", *names), tuple(row for _, row in found))


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
    kind = next((name for name in EMOTIONS if name in rows.columns and rows[name].count()), None)
    emotion = pl.lit(EVERY_ROW) if kind is None else pl.col(kind)
    places = (predicted[name] for name in ("valence", "arousal"))
    mine = rows.select(emotion.alias("emotion"), *places)
    mine = mine.drop_nulls().filter(pl.all_horizontal(pl.col(mine.columns[1:]).is_finite()))
    if mine.is_empty():
        return None
    emotions, valence, arousal = mine.get_columns()
    classes = (EVERY_ROW,) if kind is None else task.classes
    figure = plane_by_class(valence.to_numpy(), arousal.to_numpy(), emotions.to_list(), classes)
    means = mine.group_by("emotion").mean().sort("emotion").rows()
    told = "; ".join(f"{name} {x:.2f} and {y:.2f}" for name, x, y in means)
    return Illustration.of(
        figure,
        "plane",
        f"Mean valence and arousal{EMOTIONS.get(kind or '', '')}: {told}.",
        OF_PLANE.format(SAID[stage], EACH.get(kind or "", "")),
    )
