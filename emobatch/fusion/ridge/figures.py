"""How attributes agree with their labels: as the branches say them, and as ridge has them."""

from __future__ import annotations

import numpy as np
import polars as pl

from emobatch.evaluation.agreement import CCC, agreement
from emobatch.fusion.evidence import Floats
from emobatch.fusion.ridge.method import Ridge
from emobatch.fusion.ridge.rows import label_of
from emobatch.tables.attributes import SPEECH, TEXT
from emobatch.tasks.spellings import ATTRIBUTES

MEAN = "mean"


def labels(rows: pl.DataFrame) -> dict[str, Floats]:
    """Labels by attribute.

    Args:
        rows: see :func:`emobatch.fusion.ridge.rows.attribute_rows`.

    Returns:
        (rows,) of each attribute that has a column of them, NaN where there is none.
    """
    return {
        name: _floats(rows[label_of(name)]) for name in ATTRIBUTES if label_of(name) in rows.columns
    }


def predictions(rows: pl.DataFrame, method: Ridge) -> dict[str, dict[str, Floats]]:
    """What the speech branch, the text branch where there is one, and ridge say.

    Args:
        rows: as for :func:`labels`.
        method: as fitted.

    Returns:
        By ``speech``, ``text`` and ``ridge`` and by attribute (rows,), NaN where there is none.
    """
    branches = {
        prefix.rstrip("_"): {
            name: _floats(rows[f"{prefix}{name}"])
            for name in ATTRIBUTES
            if f"{prefix}{name}" in rows.columns
        }
        for prefix in (SPEECH, TEXT)
    }
    found, _ = method.predicted(rows)
    return {**{name: each for name, each in branches.items() if each}, method.name: found}


def concordance(rows: pl.DataFrame, predicted: dict[str, Floats]) -> dict[str, float]:
    """CCC of each attribute, and their mean.

    Args:
        rows: as for :func:`labels`.
        predicted: by attribute.

    Returns:
        By attribute, rounded to four decimals; without those that can't be measured.
    """
    found = {
        name: agreement(label, predicted[name])[CCC]
        for name, label in labels(rows).items()
        if name in predicted
    }
    known = {name: round(value, 4) for name, value in found.items() if not np.isnan(value)}
    return {**known, MEAN: round(float(np.mean([*known.values()])), 4)} if known else {}


def _floats(column: pl.Series) -> Floats:
    return np.array(column.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)
