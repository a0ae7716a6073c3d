"""Tables whose attributes can be measured, and nothing else: no emotions with labels of classes."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from emobatch.evaluation.figure import STAGES
from emobatch.evaluation.words_alone import has_some
from emobatch.tables import attributes
from emobatch.tables.attributes import PREFIXES
from emobatch.tasks.choose import classes_of

ATTRIBUTES_ALONE = (
    "no emotions with labels of classes to measure, so that only attributes are measured"
)
SCALES = (
    "labels of {} are {:g} to {:g} and {} {:g} to {:g}: CCC and RMSE need one scale; score with "
    "--attribute-range, or fit `calibrate --method ridge`"
)


def has_attributes_alone(rows: pl.LazyFrame, column: str) -> bool:
    """Whether rows have attributes with labels, and no emotions or no labels of classes.

    Args:
        rows: any table.
        column: that holds labels of classes, if it is there.

    Returns:
        True where only their attributes can be measured.

    Examples:
        >>> has_attributes_alone(pl.LazyFrame({"arousal": [1], "speech_arousal": [2]}), "label")
        True
    """
    names = rows.collect_schema().names()
    if not attributes.measurable(names):
        return False
    has_emotions = not set(names).isdisjoint(STAGES.values()) or classes_of(names)
    return not has_emotions or column not in names or not has_some(rows, column)


def scale_notes(rows: pl.DataFrame) -> Iterator[str]:
    """Say where predictions are of another scale than labels.

    Args:
        rows: with labels of attributes as numbers, or without.

    Yields:
        A sentence for each attribute and prediction whose values don't meet those of the labels.

    Examples:
        >>> rows = pl.DataFrame({"arousal": [1.0, 7.0], "speech_arousal": [0.2, 0.9]})
        >>> next(scale_notes(rows))[:58]
        'labels of arousal are 1 to 7 and speech_arousal 0.2 to 0.9'
    """
    given = attributes.labels(rows.columns)
    for prefix in PREFIXES:
        for name, column in attributes.predictions(rows.columns, prefix).items():
            if name not in given or not rows[column].dtype.is_numeric():
                continue
            ends = [(rows[each].min(), rows[each].max()) for each in (given[name], column)]
            (low, high), (least, most) = ends
            if None not in (low, least) and (most < low or least > high):  # type: ignore[operator]
                yield SCALES.format(name, low, high, column, least, most)
