"""The score table: its columns, and how it is read by whatever decides or measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars import selectors

from emobatch.errors import TableError
from emobatch.tables import reading
from emobatch.tables.provenance import run_differences
from emobatch.tables.uncertainty import SPEECH_COLUMNS, check_probabilities, with_uncertainty
from emobatch.tables.where import filter_rows
from emobatch.tasks.labels import EMOTIONS, SENTIMENTS, canonical_column, lookup

TEXT_COLUMNS = tuple(f"text_{sentiment}" for sentiment in SENTIMENTS)
# What `score` adds to the manifest's columns, in this order.
COLUMNS: Mapping[str, type[pl.DataType]] = {
    "id": pl.String,
    "duration": pl.Float64,
    **dict.fromkeys(SPEECH_COLUMNS, pl.Float64),
    "speech_emotion": pl.String,
    "entropy": pl.Float64,
    "varentropy": pl.Float64,
    "transcript": pl.String,
    "transcript_source": pl.String,
    "asr_logprob": pl.Float64,
    "asr_no_speech": pl.Float64,
    "asr_compression": pl.Float64,
    "cleaned_text": pl.String,
    **dict.fromkeys(TEXT_COLUMNS, pl.Float64),
    "sentiment": pl.String,
    "sentiment_score": pl.Float64,
    "status": pl.String,
    "error": pl.String,
}
# A column that says what the speech model was trained on, and what it calls these rows.
SPLIT, TRAINED_ON = "split", "train"
# As CSV has them.
BOOLEANS = {"true": True, "false": False}
NUMERIC = {name: kind for name, kind in COLUMNS.items() if kind == pl.Float64}


@dataclass(frozen=True)
class ScoreTable:
    """Rows with scores, and where they come from.

    Attributes:
        rows: the table, not read yet.
        provenance: what `score` stored with it; empty where unknown.
        sources: names of its files.
        where: which of their rows these are, None for all.
        unfiltered: the table with the other rows as well.
    """

    rows: pl.LazyFrame
    provenance: Mapping[str, Any]
    sources: tuple[str, ...]
    where: str | None
    unfiltered: pl.LazyFrame

    @property
    def name(self) -> str:
        """For messages: its file, or the first and how many more, and which rows of them."""
        others = len(self.sources) - 1
        name = reading.spoken(self.sources[0]) + (f" and {others} more" if others else "")
        return name + (f", rows where {self.where}" if self.where else "")


def read(sources: Sequence[str], where: str | None = None, *, mixed: bool = False) -> ScoreTable:
    """Open score tables or final tables as one table.

    Args:
        sources: file names, globs or ``-``; none means ``-``.
        where: SQL expression over the columns; rows for which it is not true are dropped.
        mixed: take files that were scored with different models, versions or options as well.

    Returns:
        The rows in order of the files.

    Raises:
        TableError: if a file can't be read, or the files' columns differ, or their models,
            versions or options where they are known.
    """
    names = reading.expand(sources or [reading.STANDARD_STREAM])
    parts = [reading.scan(name, NUMERIC) for name in names]
    first = parts[0].collect_schema()
    for name, part in zip(names, parts, strict=True):
        if set(part.collect_schema()) != set(first):
            differing = sorted(set(part.collect_schema()) ^ set(first))
            raise TableError(
                f"{name}: its columns differ from those of {names[0]}: {', '.join(differing)}; "
                "read only tables of one run together"
            )
    # By name and not by expression: a column may be called "*".
    in_order = [part.select(selectors.by_name(*first)) for part in parts]
    rows = pl.concat(in_order, how="vertical_relaxed")
    if first.get("flagged") == pl.String:
        rows = rows.with_columns(flagged=lookup(pl.col("flagged"), BOOLEANS).cast(pl.Boolean))
    provenance = _common_provenance({name: reading.metadata(name) for name in names}, mixed)
    kept = filter_rows(rows, where)
    return ScoreTable(kept, provenance, tuple(names), where, unfiltered=rows)


def with_scores(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Check the scores that deciding needs, and compute what can be computed of them.

    Args:
        rows: a table with ``speech_*``, ``sentiment`` and ``sentiment_score``.

    Returns:
        The table with ``speech_emotion``, ``entropy`` and ``varentropy`` (nats).

    Raises:
        TableError: if a column is missing.
        ProbabilityError: if a row's probabilities are none.
        LabelError: if a sentiment is unknown.
    """
    rows = _with_speech(rows, ("sentiment", "sentiment_score"))
    remedy = "score again with a sentiment model of these classes"
    sentiments = canonical_column(rows, "sentiment", SENTIMENTS, remedy=remedy)
    return with_uncertainty(rows).with_columns(sentiments)


def with_predictions(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Check what there is of predictions, before and after fusion.

    Args:
        rows: a table that may have ``speech_*``, and may have ``emotion``.

    Returns:
        The table, with ``speech_emotion``, ``entropy`` and ``varentropy`` (nats) where it has
        speech scores.

    Raises:
        TableError: if some of the speech columns are missing.
        ProbabilityError: if a row's probabilities are none.
    """
    schema = rows.collect_schema()
    if not any(name in schema for name in SPEECH_COLUMNS):
        return rows.drop("speech_emotion", strict=False)
    return with_uncertainty(_with_speech(rows, ()))


def unread(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that a gate left unread.

    Args:
        rows: a table, maybe with ``transcript_source``.

    Returns:
        Those that say ``gated``.
    """
    if "transcript_source" not in rows.collect_schema():
        return rows.clear()
    return rows.filter(pl.col("transcript_source").cast(pl.String) == "gated")


def training_rows(rows: pl.DataFrame) -> int:
    """Count the rows that the speech model was trained on, by what ``split`` says.

    Args:
        rows: a table, maybe with ``split``.

    Returns:
        How many rows are of the split ``train``.

    Examples:
        >>> training_rows(pl.DataFrame({"split": ["train", "test", None]}))
        1
    """
    if SPLIT not in rows.columns:
        return 0
    names = rows[SPLIT].cast(pl.String).str.strip_chars().str.to_lowercase()
    return int((names == TRAINED_ON).sum())


def emotion_index(emotions: pl.Series) -> pl.Series:
    """Number the classes.

    Args:
        emotions: names of classes, or null.

    Returns:
        Their places in ``EMOTIONS``, null kept.
    """
    return emotions.replace_strict(list(EMOTIONS), list(range(len(EMOTIONS))), return_dtype=pl.Int8)


def _with_speech(rows: pl.LazyFrame, others: tuple[str, ...]) -> pl.LazyFrame:
    schema = rows.collect_schema()
    missing = [name for name in (*SPEECH_COLUMNS, *others) if name not in schema]
    if missing:
        raise TableError(
            f"no column {', '.join(missing)}; is this a score table? `emobatch score` writes one"
        )
    # A JSON Lines table in which no row has scores has columns of no type.
    wrong = [
        name
        for name in (*SPEECH_COLUMNS, *others)
        if name in NUMERIC and not (schema[name].is_numeric() or schema[name] == pl.Null)
    ]
    if wrong:
        raise TableError(f"column {wrong[0]} holds no numbers; score the manifest again")
    rows = rows.with_columns(
        pl.col(name).cast(pl.Float64) for name in (*SPEECH_COLUMNS, *others) if name in NUMERIC
    )
    check_probabilities(rows)
    return rows


def _common_provenance(found: Mapping[str, dict[str, Any]], mixed: bool) -> dict[str, Any]:
    known = {name: meta for name, meta in found.items() if meta.get("models")}
    for name, meta in known.items():
        first = next(iter(known))
        differing = run_differences(known[first], meta)
        if differing and mixed:
            return {}  # it is nobody's
        if differing:
            raise TableError(
                f"{name} and {first} were scored with different {', '.join(differing)}; read them "
                "apart, or score them alike"
            )
    return next(iter(known.values()), {})
