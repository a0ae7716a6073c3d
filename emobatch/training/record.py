"""What is told of a checkpoint's making, in a file beside its ``config.json``."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from emobatch.models.checkpoints import Checkpoint
from emobatch.splits.roles import TRAIN, VAL
from emobatch.tables.fitted_rows import ID, FittedRows
from emobatch.tables.provenance import date, software
from emobatch.training.options import Options
from emobatch.training.rows import Chosen

FORMAT = 1
PACKAGES = ("torch", "transformers", "tokenizers", "accelerate", "numpy", "soundfile", "soxr", "av")


def run_of(
    options: Options, base: Checkpoint, chosen: Chosen, manifest: str, processes: int
) -> dict[str, Any]:
    """Say what decides a checkpoint's weights.

    Args:
        options: of the user.
        base: what it begins with.
        chosen: rows, before any is left out that can't be read.
        manifest: digest of the rows that take part.
        processes: that train.

    Returns:
        What is held against a run that goes on.
    """
    return {
        "base": base.provenance(),
        "manifest": manifest,
        **chosen.goal.as_dict(),
        "options": {**options.as_dict(), "processes": processes},
        "software": software(PACKAGES),
    }


def record_of(
    run: Mapping[str, Any],
    chosen: Chosen,
    epochs: Sequence[Mapping[str, float]],
    best: int,
    failed: Mapping[str, str],
) -> dict[str, Any]:
    """Tell how a checkpoint was made.

    Args:
        run: see :func:`run_of`.
        chosen: rows that were trained on, and that validated.
        epochs: figures of each.
        best: place of the one that was kept.
        failed: what is wrong with rows that could not be read, by id.

    Returns:
        What is written; ``rows`` has a digest of each row's id.
    """
    return {
        "format": FORMAT,
        "run": dict(run),
        "date": date(),
        "rows": {
            split: FittedRows.of(chosen.of(split)[ID], most=None).to_document()
            for split in (TRAIN, VAL)
        },
        "failed": dict(failed),
        "best_epoch": best + 1,
        "epochs": [dict(epoch) for epoch in epochs],
    }


def history(epochs: Sequence[Mapping[str, float]]) -> str:
    """Write epochs as a table.

    Args:
        epochs: figures of each, at least one.

    Returns:
        CSV.

    Examples:
        >>> history([{"epoch": 1, "loss": 0.5}]).splitlines()
        ['epoch,loss', '1,0.5']
    """
    text = io.StringIO()
    table = csv.DictWriter(text, list(epochs[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(epochs)
    return text.getvalue()
