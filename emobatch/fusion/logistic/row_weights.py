"""How much each labelled row counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emobatch.fusion.evidence import Floats


def row_weights(labels: NDArray[np.intp], seen: NDArray[np.bool_], classes: int) -> Floats:
    """Weigh rows that the speech model was trained on down, and classes to the same total.

    A row that the model didn't see counts 1, one that it was trained on n_unseen / n_seen, for it
    is surer of these than of new speech; then each class is scaled to an equal share of the sum.

    Args:
        labels: (rows,) numbers of classes.
        seen: (rows,) whether the speech model was trained on the row.
        classes: how many there are.

    Returns:
        (rows,) at least 0; where all rows were seen, all count alike within their class.

    Examples:
        >>> row_weights(np.array([0, 0, 1]), np.array([True, True, False]), 2).tolist()
        [0.5, 0.5, 1.0]
    """
    new = int((~seen).sum())
    weights = np.where(seen, new / max(len(seen) - new, 1) if new else 1.0, 1.0)
    total, there = weights.sum(), len(np.unique(labels))
    for number in range(classes):
        mine = labels == number
        if mine.any():
            weights[mine] *= total / there / weights[mine].sum()
    return weights
