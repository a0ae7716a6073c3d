"""How the models of a table were trained, where `train` made them, laid out for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emobatch.errors import TableError
from emobatch.reporting.described import Block, Part
from emobatch.reporting.figures.training import training_curves
from emobatch.reporting.illustrations import Illustration
from emobatch.tables.score_table import ScoreTable

SAID = (
    "The {} model of {} was trained from {} in {} epochs; the best by {} on val is kept, epoch {}."
)
CAPTION = (
    "Loss of the {} model on the rows that it was trained on and on those that validate, and {} of "
    "the latter, by epoch."
)


def training_section(table: ScoreTable) -> Part | None:
    """Lay out the course of trainings.

    Args:
        table: whose models may say how they were trained.

    Returns:
        A sentence and a picture for each model; None where none says so.

    Raises:
        TableError: if what is stored can't be read.
    """
    blocks: list[Block] = []
    seen: set[str] = set()
    for source, models in table.trained.items():
        for branch, record in models.items():
            try:
                laid_out = _blocks(branch, source, record, len(seen))
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise TableError(
                    f"{source}: what it says of the {branch} model's training is not what "
                    "`emobatch score` writes; score again"
                ) from error
            told = repr((branch, record.get("run"), record.get("epochs")))
            if told not in seen:
                seen.add(told)
                blocks += laid_out
    return Part("Training", tuple(blocks)) if blocks else None


def _blocks(branch: str, source: str, record: Mapping[str, Any], number: int) -> list[Block]:
    run, epochs, best = record["run"], record["epochs"], record["best_epoch"]
    by, base = run["options"]["best_by"], run["base"]["name"]
    said = SAID.format(branch, source, base, len(epochs), by, best)
    ends = "; ".join(
        f"in epoch {each['epoch']} loss {each['loss']:.3g}, on val {each['val_loss']:.3g}, "
        f"{by} {each[by]:.4g}"
        for each in (epochs[0], epochs[-1])
    )
    drawn = Illustration.of(
        training_curves(epochs, by, best),
        f"training-{number}",
        f"Course of the training: {ends}.",
        CAPTION.format(branch, by),
    )
    return [said, [drawn]]
