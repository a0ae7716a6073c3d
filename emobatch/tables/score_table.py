"""The score table, as it is read by whatever decides or measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from polars import selectors

from emobatch.errors import TableError
from emobatch.tables import reading, stored
from emobatch.tables.provenance import run_differences
from emobatch.tables.score_columns import NUMBERS, number_columns, text_columns
from emobatch.tables.uncertainty import check_probabilities, with_uncertainty
from emobatch.tables.where import filter_rows
from emobatch.tasks import choose
from emobatch.tasks.label_columns import canonical_column, lookup
from emobatch.tasks.labels import SENTIMENT_LABELS
from emobatch.tasks.task import Task

# What messages call a frame, which has no name.
FRAME = "the frame"
# Where a final table's metadata says what decided its emotions, and what its attributes.
THRESHOLDS, ATTRIBUTE_THRESHOLDS = "thresholds", "attribute_thresholds"
# As text has them, in lower case: other programs write True, TRUE or 1.
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class ScoreTable:
    """Rows with scores, and where they come from.

    Attributes:
        rows: the table, not read yet.
        provenance: what `score` stored with it; empty where unknown.
        task: its classes.
        sources: names of its files.
        where: which of their rows these are, None for all.
        unfiltered: the table with the other rows as well.
        decided_with: by source, what the thresholds that decided its rows say of their making,
            where known.
        attributes_with: by source, the same of what decided its attributes.
        manifests: digests of those that the files were scored from, as far as that is known.
        shards: names of files that are parts of a manifest's scores.
        trained: by source, what the folders of its models say of their making, where known.
    """

    rows: pl.LazyFrame
    provenance: Mapping[str, Any]
    task: Task
    sources: tuple[str, ...]
    where: str | None
    unfiltered: pl.LazyFrame
    decided_with: Mapping[str, Any] = field(default_factory=dict)
    manifests: tuple[str, ...] = ()
    shards: tuple[str, ...] = ()
    attributes_with: Mapping[str, Any] = field(default_factory=dict)
    trained: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For messages: its file, or the first and how many more, and which rows of them."""
        others = len(self.sources) - 1
        name = reading.spoken(self.sources[0]) + (f" and {others} more" if others else "")
        return name + (f", rows where {self.where}" if self.where else "")


def read(
    sources: Sequence[str],
    where: str | None = None,
    *,
    mixed: bool = False,
    classes: str | None = None,
) -> ScoreTable:
    """Open score tables or final tables as one table.

    Args:
        sources: file names, globs or ``-``; none means ``-``.
        where: SQL expression over the columns; rows for which it is not true are dropped.
        mixed: take files that were scored with different models, versions or options as well.
        classes: the value of ``--classes``, for tables that don't say what their classes are.

    Returns:
        The rows in order of the files.

    Raises:
        TableError: if a file can't be read, or the files' columns differ, or their models,
            versions or options where they are known.
    """
    names = reading.expand(sources or [reading.STANDARD_STREAM])
    parts = [reading.scan(name, number_columns) for name in names]
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
        with reading.explained(names[0]):
            rows = rows.with_columns(flagged=_booleans(rows, "flagged"))
    found = {name: stored.metadata(name) for name in names}
    provenance = _common_provenance(found, mixed)
    with reading.explained(names[0]):
        task = choose.named(classes) if classes else choose.of_table(list(first), provenance)
    kept = filter_rows(rows, where)
    decided, of_attributes = (
        {name: made[key] for name, made in found.items() if key in made}
        for key in (THRESHOLDS, ATTRIBUTE_THRESHOLDS)
    )
    # Of a shard the whole manifest.
    digests = [(meta.get("shard") or meta).get("manifest") for meta in found.values()]
    manifests = tuple(dict.fromkeys(digest for digest in digests if isinstance(digest, str)))
    shards = tuple(name for name, made in found.items() if "shard" in made)
    trained = {name: made["trained"] for name, made in found.items() if "trained" in made}
    known = (decided, manifests, shards, of_attributes, trained)
    return ScoreTable(kept, provenance, task, tuple(names), where, rows, *known)


def of_frame(
    rows: pl.DataFrame, where: str | None = None, *, classes: str | None = None
) -> ScoreTable:
    """Take a frame as a score table or a final table.

    Args:
        rows: its rows.
        where: SQL expression over the columns; rows for which it is not true are dropped.
        classes: the value of ``--classes``, for rows that don't say what their classes are.

    Returns:
        The rows. A frame doesn't say what made it.

    Raises:
        TableError: if it isn't one, or the expression makes no sense.
    """
    with reading.explained(FRAME):
        task = choose.named(classes) if classes else choose.of_table(rows.columns, {})
    return ScoreTable(filter_rows(rows.lazy(), where), {}, task, (FRAME,), where, rows.lazy())


def with_scores(rows: pl.LazyFrame, task: Task, *, text: bool = True) -> pl.LazyFrame:
    """Check the scores that deciding needs, and compute what can be computed of them.

    Args:
        rows: a table with ``speech_*``, and ``sentiment`` and ``sentiment_score``, or
            ``text_emotion`` and ``text_score``.
        task: its classes.
        text: whether what the text branch says is needed.

    Returns:
        The table with ``speech_emotion``, ``entropy`` and ``varentropy`` (nats).

    Raises:
        TableError: if a column is missing.
        ProbabilityError: if a row's probabilities are none.
        LabelError: if a sentiment or an emotion of the text branch is unknown.
    """
    if not text:
        return with_uncertainty(_with_speech(rows, task, ()), task)
    said, score = text_columns(rows.collect_schema())
    rows = _with_speech(rows, task, (said, score))
    sentiment = said == "sentiment"
    remedy = f"score again with {'a sentiment model' if sentiment else 'a model'} of these classes"
    labels = SENTIMENT_LABELS if sentiment else task.labels
    return with_uncertainty(rows, task).with_columns(
        canonical_column(rows, said, labels, remedy=remedy)
    )


def with_predictions(rows: pl.LazyFrame, task: Task) -> pl.LazyFrame:
    """Check what there is of predictions, before and after fusion.

    Args:
        rows: a table that may have ``speech_*``, and may have ``emotion``.
        task: its classes.

    Returns:
        The table, with ``speech_emotion``, ``entropy`` and ``varentropy`` (nats) where it has
        speech scores.

    Raises:
        TableError: if some of the speech columns are missing.
        ProbabilityError: if a row's probabilities are none.
    """
    schema = rows.collect_schema()
    if not any(name in schema for name in task.speech_columns):
        return rows.drop("speech_emotion", strict=False)
    return with_uncertainty(_with_speech(rows, task, ()), task)


def gated(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows whose text branch a gate left out.

    Args:
        rows: a table, maybe with ``transcript_source``.

    Returns:
        Those that say ``gated``.
    """
    if "transcript_source" not in rows.collect_schema():
        return rows.clear()
    return rows.filter(pl.col("transcript_source").cast(pl.String) == "gated")


def _booleans(rows: pl.LazyFrame, name: str) -> pl.Expr:
    spelled = pl.col(name).str.strip_chars().str.to_lowercase()
    other = pl.col(name).filter((spelled != "") & ~spelled.is_in(list(BOOLEANS))).first()
    value = rows.select(other).collect(engine="streaming").item()
    if value is not None:
        raise TableError(f"column {name!r} holds {value!r}; true or false is wanted")
    return lookup(spelled, BOOLEANS).cast(pl.Boolean)


def _with_speech(rows: pl.LazyFrame, task: Task, others: tuple[str, ...]) -> pl.LazyFrame:
    schema = rows.collect_schema()
    wanted = (*task.speech_columns, *others)
    missing = [name for name in wanted if name not in schema]
    if missing:
        raise TableError(
            f"no column {', '.join(missing)}; is this a score table? `emobatch score` writes one"
        )
    numbers = [name for name in wanted if name in task.speech_columns or name in NUMBERS]
    # A JSON Lines table in which no row has scores has columns of no type.
    wrong = [n for n in numbers if not (schema[n].is_numeric() or schema[n] == pl.Null)]
    if wrong:
        raise TableError(f"column {wrong[0]} holds no numbers; score the manifest again")
    rows = rows.with_columns(pl.col(name).cast(pl.Float64) for name in numbers)
    check_probabilities(rows, task.speech_columns, [name for name in others if name in numbers])
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
