"""Labels, read through the one alias table: of tables, of checkpoints, and as a user maps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emobatch.errors import LabelError
from emobatch.tasks.spellings import SENTIMENT_SPELLINGS, SENTIMENTS

if TYPE_CHECKING:
    import polars as pl

LabelMap = Mapping[str, str | None]

# What a user writes to drop a label: `--label-map fru=none`.
DROPPED = "none"
MOST_LISTED = 12


@dataclass(frozen=True)
class Labels:
    """Names that labels stand for.

    Attributes:
        names: classes or sentiments, in order.
        spellings: name by spelling, in lower case.
    """

    names: tuple[str, ...]
    spellings: Mapping[str, str]


SENTIMENT_LABELS = Labels(SENTIMENTS, SENTIMENT_SPELLINGS)


def parse_label_map(pairs: Iterable[str], labels: Labels) -> dict[str, str | None]:
    """Read ``NAME=CLASS`` pairs, several to an item when separated by commas.

    Args:
        pairs: for example ``["fru=none,LABEL_0=angry"]``.
        labels: what a name may be mapped to.

    Returns:
        Lower-case name to class, or to None where the label is dropped.

    Raises:
        LabelError: if an item isn't of that form or names another class.

    Examples:
        >>> parse_label_map(["mixed=none,LABEL_0=neg"], SENTIMENT_LABELS)
        {'mixed': None, 'label_0': 'negative'}
    """
    parsed: dict[str, str | None] = {}
    for pair in (part.strip() for item in pairs for part in item.split(",")):
        name, equals, target = pair.rpartition("=")
        wanted = target.strip().lower()
        if not equals or not name.strip() or (wanted != DROPPED and wanted not in labels.spellings):
            raise LabelError(
                f"label map: {pair!r} is not NAME=CLASS; CLASS is one of "
                f"{', '.join(labels.names)} or {DROPPED}"
            )
        parsed[name.strip().lower()] = None if wanted == DROPPED else labels.spellings[wanted]
    return parsed


def mapped(names: Iterable[str], labels: Labels, label_map: LabelMap) -> list[str | None] | None:
    """Map a checkpoint's outputs onto classes.

    Args:
        names: the checkpoint's labels in the order of its outputs.
        labels: what they may stand for.
        label_map: overrides of the alias table, from :func:`parse_label_map`.

    Returns:
        For each output the name that it stands for, or None where it is dropped; None for all
        where one is unknown.

    Examples:
        >>> mapped(["LABEL_0", "pos"], SENTIMENT_LABELS, {"label_0": None})
        [None, 'positive']
    """
    spellings = {**labels.spellings, **label_map}
    spelled = [name.strip().lower() for name in names]
    if any(name not in spellings for name in spelled):
        return None
    return [spellings[name] for name in spelled]


def checkpoint_classes(
    names: Sequence[str], labels: Labels, label_map: LabelMap, option: str
) -> list[int | None]:
    """Map a checkpoint's outputs onto classes, each of which must be reached.

    Args:
        names: the checkpoint's labels in the order of its outputs.
        labels: the classes wanted.
        label_map: overrides of the alias table, from :func:`parse_label_map`.
        option: the command line's option that would mend a failure.

    Returns:
        For each output the index of its class, or None where it is dropped.

    Raises:
        LabelError: if a label is unknown or a class is reached by none.

    Examples:
        >>> checkpoint_classes(["pos", "neu", "neg"], SENTIMENT_LABELS, {}, "--label-map")
        [2, 1, 0]
    """
    targets = mapped(names, labels, label_map)
    if targets is None or not set(labels.names) <= set(targets):
        raise LabelError(
            f"the checkpoint's labels ({_listed(names)}) can't be mapped onto "
            f"{_listed(labels.names)}; name them with {option} {names[0]}={labels.names[0]},…, or "
            "take the checkpoint's own with --classes checkpoint"
        )
    return [None if target is None else labels.names.index(target) for target in targets]


def canonical(
    values: pl.Series,
    labels: Labels,
    label_map: LabelMap | None = None,
    remedy: str | None = None,
) -> pl.Series:
    """Read a column of labels through the alias table.

    Args:
        values: labels of any spelling; null or blank means unlabelled.
        labels: what they may stand for.
        label_map: overrides of the alias table, from :func:`parse_label_map`.
        remedy: what to do about labels outside the classes, where ``--label-map`` is no help.

    Returns:
        The same rows as text, each one of the names or null.

    Raises:
        LabelError: if a label is outside the classes; lists those with their counts.
    """
    frame = values.to_frame()
    read = canonical_column(frame.lazy(), values.name, labels, label_map, remedy)
    return frame.select(read).to_series()


def canonical_column(
    rows: pl.LazyFrame,
    column: str,
    labels: Labels,
    label_map: LabelMap | None = None,
    remedy: str | None = None,
) -> pl.Expr:
    """Read a column of a table that is too long to be held.

    Args:
        rows: the table, whose labels are counted here and now.
        column: its column of labels.
        labels: as for :func:`canonical`.
        label_map: as for :func:`canonical`.
        remedy: as for :func:`canonical`.

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
        counts.group_by(text)
        .agg(pl.col("len").sum())
        .filter(pl.col("label") != "", ~pl.col("label").is_in(list(spellings)))
        .sort(-pl.col("len").cast(pl.Int64), "label")
    )
    refuse_unknown(column, unknown.rows(), labels.names, remedy)
    if label_map is None and set(counts["label"].drop_nulls()) <= set(labels.names):
        return spelled  # as they are: most tables, and the fastest
    text = spelled.str.strip_chars().str.to_lowercase()
    return lookup(text, spellings).cast(pl.String).alias(column)


def refuse_unknown(
    column: str, unknown: list[tuple[str, int]], names: Sequence[str], remedy: str | None
) -> None:
    """Refuse a column that has labels outside the classes.

    Args:
        column: its name.
        unknown: those labels with their counts, the most frequent first; none passes.
        names: those that are known.
        remedy: what to do about it, where ``--label-map`` is no help.

    Raises:
        LabelError: lists the labels.
    """
    if unknown:
        listed = ", ".join(f"{name} ({count})" for name, count in unknown[:MOST_LISTED])
        remedy = remedy or (
            f"map or drop them with --label-map {unknown[0][0]}={DROPPED}, or score with --classes "
            "that has them"
        )
        raise LabelError(
            f"column {column!r} has labels outside {_listed(names)}: {listed}; {remedy}"
        )


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


def _listed(names: Sequence[str]) -> str:
    more = f", … ({len(names)} in all)" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
