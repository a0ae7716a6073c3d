"""Whether one set of predictions is better than another on the same rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TEST = "McNemar, exact"


def mcnemar(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> dict[str, float]:
    """McNemar's test, exact: of the rows that only one is right about, are there more of one kind?

    McNemar, *Note on the sampling error of the difference between correlated proportions or
    percentages*, 1947; p from the binomial distribution with one half. Rows count as independent.

    Args:
        before: (rows,) whether the first prediction is right.
        after: (rows,) whether the second one is.

    Returns:
        ``better``, rows that only the second is right about, ``worse``, those that only the first
        is, and ``p``, two-sided: 1 where there are neither.

    Examples:
        >>> mcnemar(np.array([False] * 6), np.array([True] * 6))
        {'better': 6, 'worse': 0, 'p': 0.03125}
    """
    from scipy.stats import binomtest

    better, worse = int((after & ~before).sum()), int((before & ~after).sum())
    p = float(binomtest(better, better + worse, 0.5).pvalue) if better + worse else 1.0
    return {"better": better, "worse": worse, "p": p}
