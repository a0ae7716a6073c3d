"""Columns of labels, read through the alias table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from emobatch.tasks.label_remedies import OTHERS, refuse_unknown, remedies
from emobatch.tasks.labels import LabelMap, Labels
from emobatch.tasks.labels_read import LabelsRead

if TYPE_CHECKING:
    import polars as pl


def read_labels(
    values: pl.Series, labels: Labels, label_map: LabelMap, others: str = OTHERS
) -> tuple[pl.Series, LabelsRead]:
    """Read a column of labels, and say how.

    Args:
        values: as for :func:`canonical`.
        labels: as for :func:`canonical`.
        label_map: as for :func:`canonical`.
        others: as for :func:`canonical`.

    Returns:
        The rows' classes, null where there is none; and how they were read.

    Raises:
        LabelError: if a label is outside the classes; lists those with their counts.
    """
    import polars as pl

    found = canonical(values, labels, label_map, others=others)
    spelled = values.cast(pl.String).str.strip_chars().alias("label")
    pairs = pl.DataFrame([spelled, found.alias("class")])
    counts = pairs.filter(pl.col("label") != "").group_by("label", "class").len()
    unlabelled = len(pairs) - int(counts["len"].sum())
    return found, LabelsRead.of(values.name, labels.names, counts.rows(), unlabelled)


def canonical(
    values: pl.Series,
    labels: Labels,
    label_map: LabelMap | None = None,
    remedy: str | None = None,
    others: str = OTHERS,
) -> pl.Series:
    """Read a column of labels through the alias table.

    Args:
        values: labels of any spelling; null or blank means unlabelled.
        labels: what they may stand for.
        label_map: overrides of the alias table, from :func:`parse_label_map`.
        remedy: what to do about labels outside the classes, where ``--label-map`` is no help.
        others: what to do about them beside ``--label-map``, where that is a help.

    Returns:
        The same rows as text, each one of the names or null.

    Raises:
        LabelError: if a label is outside the classes; lists those with their counts.
    """
    frame = values.to_frame()
    read = canonical_column(frame.lazy(), values.name, labels, label_map, remedy, others)
    return frame.select(read).to_series()


def canonical_column(
    rows: pl.LazyFrame,
    column: str,
    labels: Labels,
    label_map: LabelMap | None = None,
    remedy: str | None = None,
    others: str = OTHERS,
) -> pl.Expr:
    """Read a column of a table that is too long to be held.

    Args:
        rows: the table, whose labels are counted here and now.
        column: its column of labels.
        labels: as for :func:`canonical`.
        label_map: as for :func:`canonical`.
        remedy: as for :func:`canonical`.
        others: as for :func:`canonical`.

    Returns:
        Expression of that column's classes, of the same name.

    Raises:
        LabelError: if a label is outside the classes; lists those with their counts.
    """
    import polars as pl

    spellings = {**labels.spellings, **(label_map or {})}
    spelled = pl.col(column).cast(pl.String)
    counts = rows.group_by(spelled.alias("label")).len().collect(engine="streaming")
    text = pl.col("label").str.strip_chars().str.to_lowercase()
    unknown = (
        counts.filter(text != "", ~text.is_in(list(spellings)))
        .sort("len", "label", descending=[True, False])  # as most rows spell it
        .group_by(text.alias("name"))
        .agg(pl.col("label").first().str.strip_chars(), pl.col("len").sum())
        .sort("len", "name", descending=[True, False])
    )
    found = unknown.select("label", "len").rows()
    remedy = remedy or remedies([label for label, _ in found], labels, label_map or {}, others)
    refuse_unknown(column, found, labels.names, remedy)
    if label_map is None and set(counts["label"].drop_nulls()) <= set(labels.names):
        return spelled  # as they are: most tables, and the fastest
    text = spelled.str.strip_chars().str.to_lowercase()
    return lookup(text, spellings).cast(pl.String).alias(column)


def lookup(names: pl.Expr, table: Mapping[str, float | str | bool | None]) -> pl.Expr:
    """Look names up in a small table.

    Polars' own `replace_strict` would do, but its streaming engine then holds the whole column.

    Args:
        names: expression of text.
        table: value by name, all of one type.

    Returns:
        Expression of the values, null where a name is null or not in the table.
    """
    import polars as pl

    by_value: dict[float | str | bool, list[str]] = {}
    for name, value in table.items():
        if value is not None:
            by_value.setdefault(value, []).append(name)
    return pl.coalesce(
        pl.lit(None),
        *(pl.when(names.is_in(same)).then(pl.lit(value)) for value, same in by_value.items()),
    )
