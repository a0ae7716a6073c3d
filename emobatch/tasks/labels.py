"""The classes, and the one alias table through which every label is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from emobatch.errors import LabelError

if TYPE_CHECKING:
    import polars as pl

EMOTIONS = ("angry", "happy", "neutral", "sad")
SENTIMENTS = ("negative", "neutral", "positive")

EMOTION_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("angry", "a", "ang", "anger"), "angry"),
    **dict.fromkeys(
        ("happy", "h", "hap", "happiness", "joy", "exc", "excited", "excitement"), "happy"
    ),
    **dict.fromkeys(("neutral", "n", "neu", "neutrality"), "neutral"),
    **dict.fromkeys(("sad", "s", "sadness"), "sad"),
}
SENTIMENT_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("negative", "neg"), "negative"),
    **dict.fromkeys(("neutral", "neu"), "neutral"),
    **dict.fromkeys(("positive", "pos"), "positive"),
}
# What a user writes to drop a label: `--label-map fru=none`.
DROPPED = "none"
MOST_LISTED = 12


def parse_label_map(pairs: Iterable[str], classes: tuple[str, ...]) -> dict[str, str | None]:
    """Read ``NAME=CLASS`` pairs, several to an item when separated by commas.

    Args:
        pairs: for example ``["fru=none,LABEL_0=angry"]``.
        classes: the classes that a name may be mapped to.

    Returns:
        Lower-case name to class, or to None where the label is dropped.

    Raises:
        LabelError: if an item isn't of that form or names another class.

    Examples:
        >>> parse_label_map(["fru=none,LABEL_0=ang"], EMOTIONS)
        {'fru': None, 'label_0': 'angry'}
    """
    aliases = _aliases(classes)
    parsed: dict[str, str | None] = {}
    for pair in (part.strip() for item in pairs for part in item.split(",")):
        name, equals, target = pair.rpartition("=")
        wanted = target.strip().lower()
        if not equals or not name.strip() or (wanted != DROPPED and wanted not in aliases):
            raise LabelError(
                f"label map: {pair!r} is not NAME=CLASS; CLASS is one of "
                f"{', '.join(classes)} or {DROPPED}"
            )
        parsed[name.strip().lower()] = None if wanted == DROPPED else aliases[wanted]
    return parsed


def checkpoint_classes(
    names: Iterable[str], classes: tuple[str, ...], label_map: Mapping[str, str | None], option: str
) -> list[int | None]:
    """Map a checkpoint's outputs onto classes.

    Args:
        names: the checkpoint's labels in the order of its outputs.
        classes: the classes wanted; each must be reached.
        label_map: overrides of the alias table, from :func:`parse_label_map`.
        option: the command line's option that would mend a failure.

    Returns:
        For each output the index of its class, or None where it is dropped.

    Raises:
        LabelError: if a label is unknown or a class is reached by none.

    Examples:
        >>> checkpoint_classes(["neu", "hap", "ang", "sad"], EMOTIONS, {}, "--label-map")
        [2, 1, 0, 3]
    """
    names = list(names)
    aliases = {**_aliases(classes), **label_map}
    unknown = [name for name in names if name.strip().lower() not in aliases]
    targets = [aliases.get(name.strip().lower()) for name in names]
    missing = [name for name in classes if name not in targets]
    if unknown or missing:
        raise LabelError(
            f"the checkpoint's labels ({', '.join(names)}) can't be mapped onto "
            f"{', '.join(classes)}; name them with {option} {names[0]}={classes[0]},…"
        )
    return [None if target is None else classes.index(target) for target in targets]


def canonical(
    values: pl.Series,
    classes: tuple[str, ...] = EMOTIONS,
    label_map: Mapping[str, str | None] | None = None,
    remedy: str | None = None,
) -> pl.Series:
    """Read a column of labels through the alias table.

    Args:
        values: labels of any spelling; null or blank means unlabelled.
        classes: the classes wanted.
        label_map: overrides of the alias table, from :func:`parse_label_map`.
        remedy: what to do about labels outside the classes, where ``--label-map`` is no help.

    Returns:
        The same rows as text, each one of ``classes`` or null.

    Raises:
        LabelError: if a label is outside the classes; lists those with their counts.
    """
    frame = values.to_frame()
    read = canonical_column(frame.lazy(), values.name, classes, label_map, remedy)
    return frame.select(read).to_series()


def canonical_column(
    rows: pl.LazyFrame,
    column: str,
    classes: tuple[str, ...] = EMOTIONS,
    label_map: Mapping[str, str | None] | None = None,
    remedy: str | None = None,
) -> pl.Expr:
    """Read a column of a table that is too long to be held.

    Args:
        rows: the table, whose labels are counted here and now.
        column: its column of labels.
        classes: as for :func:`canonical`.
        label_map: as for :func:`canonical`.
        remedy: as for :func:`canonical`.

    Returns:
        Expression of that column's classes, of the same name.

    Raises:
        LabelError: if a label is outside the classes; lists those with their counts.
    """
    import polars as pl

    aliases = {**_aliases(classes), **(label_map or {})}
    spelled = pl.col(column).cast(pl.String)
    counts = rows.group_by(spelled.alias("label")).len().collect(engine="streaming")
    text = pl.col("label").str.strip_chars().str.to_lowercase()
    unknown = (
        counts.group_by(text)
        .agg(pl.col("len").sum())
        .filter(pl.col("label") != "", ~pl.col("label").is_in(list(aliases)))
        .sort(-pl.col("len").cast(pl.Int64), "label")
    )
    refuse_unknown(column, unknown.rows(), classes, remedy)
    if label_map is None and set(counts["label"].drop_nulls()) <= set(classes):
        return spelled  # as they are: most tables, and the fastest
    text = spelled.str.strip_chars().str.to_lowercase()
    return lookup(text, aliases).cast(pl.String).alias(column)


def refuse_unknown(
    column: str, unknown: list[tuple[str, int]], classes: tuple[str, ...], remedy: str | None
) -> None:
    """Refuse a column that has labels outside the classes.

    Args:
        column: its name.
        unknown: those labels with their counts, the most frequent first; none passes.
        classes: the classes wanted.
        remedy: what to do about it, where ``--label-map`` is no help.

    Raises:
        LabelError: lists the labels.
    """
    if unknown:
        listed = ", ".join(f"{name} ({count})" for name, count in unknown[:MOST_LISTED])
        remedy = remedy or f"map or drop them with --label-map {unknown[0][0]}={DROPPED}"
        raise LabelError(
            f"column {column!r} has labels outside {', '.join(classes)}: {listed}; {remedy}"
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


def _aliases(classes: tuple[str, ...]) -> Mapping[str, str]:
    return SENTIMENT_ALIASES if classes == SENTIMENTS else EMOTION_ALIASES
