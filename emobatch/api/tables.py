"""Fitting, deciding and measuring on frames, as the commands of these names do on files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.evaluation.document import document
from emobatch.evaluation.evaluate import evaluate_table
from emobatch.fusion.apply import decided
from emobatch.fusion.calibrate import calibrated
from emobatch.fusion.calibration import Calibration
from emobatch.fusion.file import Fitted, read
from emobatch.tables import score_table


def calibrate(scores: pl.DataFrame, *, where: str | None = None, **options: Any) -> Calibration:
    """Fit a method of fusion on labelled rows.

    Args:
        scores: rows of a score table, with labels.
        where: SQL expression; only rows for which it holds are fitted on.
        options: those of ``emobatch calibrate``, with ``_`` for ``-``: ``method="speech"``,
            ``label_column="truth"``, ``protocol="paper"``.

    Returns:
        What was found: ``fitted``, to be given to :func:`apply`, and the figures before and after
        on these rows.

    Raises:
        EmobatchError: if the rows can't be fitted on.

    Examples:
        >>> calibration = calibrate(scores, label_column="truth")  # doctest: +SKIP
        >>> calibration.after["UA"]  # doctest: +SKIP
        80.2
    """
    return calibrated(score_table.of_frame(scores, where), **options)


def apply(
    scores: pl.DataFrame,
    thresholds: Calibration | Fitted | str | PathLike[str],
    *,
    where: str | None = None,
) -> pl.DataFrame:
    """Decide the final emotion of each row.

    Args:
        scores: rows of a score table.
        thresholds: what :func:`calibrate` found, or a thresholds file.
        where: SQL expression; only rows for which it holds are decided.

    Returns:
        The rows with ``emotion`` and ``decided_by``.

    Raises:
        EmobatchError: if the rows and the thresholds don't fit together.

    Examples:
        >>> apply(scores, "thresholds.toml")["emotion"]  # doctest: +SKIP
    """
    if isinstance(thresholds, Calibration | Fitted):
        fitted = thresholds if isinstance(thresholds, Fitted) else thresholds.fitted
        name = Path("the thresholds")
    else:
        name = Path(thresholds)
        fitted = read(name)
    # A frame doesn't say which models scored it, so there is nothing to insist on.
    with decided(score_table.of_frame(scores, where), fitted, name) as (final, _):
        return final.collect()


def evaluate(
    final: pl.DataFrame,
    *,
    where: str | None = None,
    classes: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Measure labelled rows before and after fusion.

    Args:
        final: rows of a score table or a final table, with labels.
        where: SQL expression; only rows for which it holds count.
        classes: the value of ``--classes``, for rows that don't say what their classes are.
        options: those of ``emobatch evaluate``, with ``_`` for ``-``: ``by="speaker"``,
            ``label_column="truth"``, ``bootstrap=0``.

    Returns:
        The figures, in percent, as ``emobatch evaluate --json`` prints them.

    Raises:
        EmobatchError: if there is nothing to measure.

    Examples:
        >>> evaluate(final)["after"]["UA"]  # doctest: +SKIP
    """
    table = score_table.of_frame(final, where, classes=classes)
    return document(evaluate_table(table, **options))
