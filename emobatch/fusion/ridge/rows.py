"""Rows that attributes can be fitted and tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from emobatch.errors import CalibrationError, TableError
from emobatch.tables import attributes, reading
from emobatch.tables.attributes import SPEECH, TEXT
from emobatch.tables.score_table import ScoreTable

ABOUT_ROWS = ("id", "speaker", "session", "status")
UNLABELLED, UNSCORED = "unlabelled", "unscored"


@dataclass(frozen=True)
class AttributeRows:
    """Labelled and scored rows.

    Attributes:
        rows: labels as ``label_arousal`` and so on, ``speech_arousal``, ``text_arousal`` and so on,
            all numbers; and what tells rows apart.
        left_out: other rows of the table, by reason.
    """

    rows: pl.DataFrame
    left_out: Mapping[str, int]


def label_of(attribute: str) -> str:
    """What a column of labels is called among these rows.

    Examples:
        >>> label_of("arousal")
        'label_arousal'
    """
    return f"label_{attribute}"


def inputs(names: Sequence[str]) -> dict[str, list[str]]:
    """Columns that predict, by branch.

    Args:
        names: of a table's columns.

    Returns:
        ``speech_`` and ``text_`` with their columns, in the order of attributes.

    Raises:
        TableError: if the speech branch says nothing of attributes.
    """
    found = {each: list(attributes.predictions(names, each).values()) for each in (SPEECH, TEXT)}
    if not found[SPEECH]:
        raise TableError(
            "no column 'speech_arousal', 'speech_valence' or 'speech_dominance'; score with "
            "--attribute-model"
        )
    return found


def attribute_rows(scores: ScoreTable, others: Sequence[str] = ()) -> AttributeRows:
    """Read the rows that attributes can be fitted on.

    Args:
        scores: a score table.
        others: further columns that are wanted.

    Returns:
        Rows that have a label of an attribute and all that the speech branch says of attributes.

    Raises:
        EmobatchError: if there are none, or they can't be used.
    """
    with reading.explained(scores.name):
        names = scores.rows.collect_schema().names()
        labels, predicted = attributes.labels(names), inputs(names)
        if not labels:
            raise TableError(
                "no column 'arousal', 'valence' or 'dominance' to fit on; add labels to the "
                f"manifest; the columns are {', '.join(names)}"
            )
        mine = [*predicted[SPEECH], *predicted[TEXT]]
        about = [name for name in (*ABOUT_ROWS, *others) if name in names]
        chosen = [*labels.values(), *mine, *about]
        rows = attributes.with_numbers(scores.rows.select(list(dict.fromkeys(chosen)))).collect()
        rows = rows.rename({column: label_of(name) for name, column in labels.items()})
        finite = pl.all_horizontal(pl.col(predicted[SPEECH]).is_finite()).fill_null(value=False)
        given = pl.any_horizontal(pl.col([label_of(name) for name in labels]).is_finite())
        given = given.fill_null(value=False)
        kept = rows.filter(given & finite)
        left_out = {
            UNLABELLED: len(rows.filter(~given)),
            UNSCORED: len(rows.filter(given & ~finite)),
        }
        if kept.is_empty():
            raise CalibrationError(
                "no row has both a label of an attribute and what the speech branch says of "
                "attributes; add labels to the manifest, or score with --attribute-model"
            )
    return AttributeRows(kept, left_out)
