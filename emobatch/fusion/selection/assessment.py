"""How far fitted thresholds can be trusted: how firm each choice is, and what to beware of."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emobatch.evaluation.bootstrap import units
from emobatch.evaluation.metrics import class_indices
from emobatch.fusion.selection.refitting import ClassRows, equal_pairs, refits, with_spread
from emobatch.fusion.selection.thresholds import ClassThresholds
from emobatch.tables.score_table import training_rows
from emobatch.tasks.labels import EMOTIONS

log = logging.getLogger(__name__)
RESAMPLES = 200
# Rows drawn in all that take about a second.
MOST_RESAMPLED = 10_000_000
# With fewer flagged rows each of them moves M by 5 points and more.
FEWEST_FLAGGED = 20


@dataclass(frozen=True)
class Assessed:
    """Thresholds of which is known how firm they are.

    Attributes:
        classes: the thresholds given, with their firmness.
        bootstrap: what was resampled, None where nothing was.
    """

    classes: Mapping[str, ClassThresholds]
    bootstrap: dict[str, Any] | None


def assess(
    rows: pl.DataFrame,
    classes: Mapping[str, ClassThresholds],
    samples: Mapping[str, NDArray[np.bool_]],
    resamples: int | None = None,
) -> Assessed:
    """Say for each class how firm the choice of its thresholds is.

    Args:
        rows: those fitted on: ``label``, ``speech_emotion``, ``entropy`` (nats), ``varentropy``
            (nats squared), and maybe ``speaker``.
        classes: what was fitted.
        samples: (rows,) by class, whether percentiles were taken of a row.
        resamples: number of bootstrap resamples, 0 for none; None for 200, or for none where these
            would take long.

    Returns:
        The thresholds with their firmness.

    Examples:
        >>> row = {"label": "sad", "speech_emotion": "happy", "entropy": 1.0, "varentropy": 0.2}
        >>> happy = {"happy": ClassThresholds(entropy=1.0, varentropy=0.2)}
        >>> samples = {"happy": np.ones(5, dtype=bool)}
        >>> assess(pl.DataFrame([row] * 5), happy, samples, 0).classes["happy"].firmness.equal_pairs
        40000
    """
    count = _resamples(len(rows)) if resamples is None else resamples
    if count:
        # The same rows in another order shall make the same resamples.
        by = ("speech_emotion", "label", "entropy", "varentropy")
        order = rows.select(pl.arg_sort_by(*by)).to_series().to_numpy()
        rows, samples = rows[order], {name: chosen[order] for name, chosen in samples.items()}
    drawn = units(rows)
    labels, predicted = class_indices(rows["label"]), class_indices(rows["speech_emotion"])
    columns = (rows["entropy"].to_numpy(), rows["varentropy"].to_numpy(), labels != predicted)
    assessed = dict(classes)
    for name, entry in classes.items():
        own = np.flatnonzero(predicted == EMOTIONS.index(name))
        part = ClassRows(*columns, own, np.flatnonzero(samples[name]))
        searched = part.searched()
        firm = None if searched is None else equal_pairs(*searched)
        if firm is not None and count:
            firm = with_spread(firm, refits(part, drawn, count))
        assessed[name] = replace(entry, firmness=firm)
    return Assessed(assessed, drawn.described(count) if count else None)


def warnings(classes: Mapping[str, ClassThresholds], rows: pl.DataFrame) -> list[str]:
    """Warn of thresholds that may do worse on new speech than on the rows they were fitted on.

    Args:
        classes: what was fitted.
        rows: those fitted on, maybe with ``split``.

    Returns:
        What to beware of, in words; also sent to the log.
    """
    found = [
        f"{name}: only {entry.flagged} rows are flagged, too few to choose by"
        for name, entry in classes.items()
        if entry.flagged is not None and entry.flagged < FEWEST_FLAGGED
    ]
    if trained := training_rows(rows):
        found.append(
            f"the speech model was trained on {trained} of {len(rows)} rows (split 'train') and is "
            "surer of these than of new speech"
        )
    for text in found:
        log.warning("warning: %s", text)
    return found


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
