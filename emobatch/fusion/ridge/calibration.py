"""Ridge, fitted on the rows of a score table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from emobatch.fusion.calibration import Calibration, made_of
from emobatch.fusion.file import Fitted
from emobatch.fusion.pooling import SPEECH
from emobatch.fusion.ridge.figures import concordance, predictions
from emobatch.fusion.ridge.method import Ridge
from emobatch.fusion.ridge.rows import attribute_rows
from emobatch.tables.left_out import spoken
from emobatch.tables.score_table import ScoreTable

log = logging.getLogger(__name__)


def of_attributes(scores: ScoreTable, options: Mapping[str, Any]) -> Calibration:
    """Fit ridge on the rows of a score table that have labels of attributes.

    Args:
        scores: the table.
        options: of the method.

    Returns:
        What was found, with the CCC of each attribute.

    Raises:
        EmobatchError: if it can't be fitted.
    """
    read = attribute_rows(scores)
    rows = read.rows
    fitted = Ridge.fit(rows, scores.task, **options)
    said = predictions(rows, fitted)
    before, after = (concordance(rows, said[name]) for name in (SPEECH, fitted.name))
    total = len(rows) + sum(read.left_out.values())
    if said_of_rows := spoken(read.left_out, total):
        log.warning("note: %s", said_of_rows)
    provenance = {
        "rows": len(rows),
        "left_out": {name: count for name, count in read.left_out.items() if count} or None,
        "before": before,
        "after": after,
        **made_of(scores, rows, fitted),
    }
    return Calibration(Fitted(fitted, provenance), before, after)
