"""Final emotions: a fitted method applied to score tables."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import OptionError, TableError
from emobatch.fusion.file import Fitted, read
from emobatch.fusion.fit_and_decide import refuse_shards
from emobatch.fusion.logistic.centring import SPEAKER
from emobatch.fusion.method import Method
from emobatch.fusion.methods import METHODS
from emobatch.fusion.suitable import check
from emobatch.tables import attributes, doubled_rows, reading, score_table, writing
from emobatch.tables.attributes import GIVEN
from emobatch.tables.judged import JUDGE, is_judged, unjudged
from emobatch.tables.label_column import (
    DECIDED_BY,
    EMOTION,
    GIVEN_EMOTION,
    has_given_emotion,
    set_aside,
    set_aside_in,
)
from emobatch.tables.score_columns import DECISION_COLUMNS, FINAL, text_columns
from emobatch.tables.score_table import ATTRIBUTE_THRESHOLDS, THRESHOLDS, ScoreTable

log = logging.getLogger(__name__)
# Speakers whose rows are counted out in a note.
MOST_NAMED = 10
NO_SPEECH = (
    "no row has speech scores (was it scored with --speech none?), and every method needs them; "
    "score without --speech none"
)
NO_TEXT = (
    "note: no row has anything of the text branch (was it scored with --text none?), so that the "
    "speech branch's emotion stands for every row; rows that are flagged are 'no-text'"
)

JUDGED = (
    "note: the columns of a review by `emobatch judge` are left out, for it was of other "
    "decisions; judge the new table (answers are kept with the table that they were asked for)"
)


def apply(
    sources: Sequence[str],
    thresholds_file: Path | None,
    target: Path | None = None,
    *,
    adapt: str | None = None,
    context: str | None = None,
    where: str | None = None,
    force: bool = False,
) -> None:
    """Decide the emotion of each row of score tables.

    Args:
        sources: score tables, globs or ``-``.
        thresholds_file: written by `calibrate`; None to adapt without one.
        target: the final table, standard output where None.
        adapt: ``speaker`` to take each speaker's mean away from what the speech branch says.
        context: with ``adapt``, ``dialogue`` decides the rows of a speaker in a dialogue together.
        where: SQL expression; only rows for which it holds are written.
        force: apply thresholds to scores of other models than they were fitted on, and to tables
            of several runs that differ.

    Raises:
        EmobatchError: if something can't be read, written or doesn't fit together.
    """
    writing.check_target(target, sources=sources)
    if (thresholds_file is None) == (adapt is None):
        raise OptionError(
            "give either --thresholds FILE, from `emobatch calibrate`, or --adapt speaker"
        )
    if context is not None and adapt is None:
        raise OptionError(
            "--context goes with --adapt; with --thresholds the file says whether dialogues count"
        )
    fitted = None if thresholds_file is None else read(thresholds_file)
    scores = score_table.read(sources, where, mixed=force)
    if fitted is None:
        fitted = Fitted(METHODS["adapt"].fit(pl.DataFrame(), scores.task, context=context))
    with decided(scores, fitted, thresholds_file, force=force) as (final, provenance):
        writing.write(final, target, provenance)


@contextmanager
def decided(
    scores: ScoreTable, fitted: Fitted, thresholds_file: Path | None, *, force: bool = False
) -> Iterator[tuple[pl.LazyFrame, dict[str, Any]]]:
    """Decide the emotion of each row of a score table.

    Args:
        scores: the table.
        fitted: a method, as fitted.
        thresholds_file: that it was read from, for messages; None where it was fitted on nothing.
        force: see :func:`apply`.

    Yields:
        The final table, not read yet, and its provenance. What is wrong with a row is found as
        the rows are read, and said in the table's name.

    Raises:
        EmobatchError: if something doesn't fit together.
    """
    if thresholds_file is not None:
        check(fitted, scores, thresholds_file, force=force)
    refuse_shards(scores, fitted.method)
    with reading.explained(scores.name):
        doubled_rows.check(scores)
        if fitted.method.of_attributes:
            yield _with_attributes(scores, fitted)
            return
    # Its sentiments stand for what the method takes them for.
    task = fitted.method.task.as_dict()
    provenance = {**scores.provenance, "task": task, "thresholds": dict(fitted.fitted)}
    provenance |= _kept(ATTRIBUTE_THRESHOLDS, scores.attributes_with)
    with reading.explained(scores.name):
        _check_branches(scores.rows, fitted.method)
        if is_judged(scores.rows.collect_schema().names()):
            log.warning(JUDGED)
            provenance.pop(JUDGE, None)
        rows = scored(scores.rows, fitted.method)
        if has_given_emotion(scores.rows.collect_schema()):
            log.warning(
                "note: column 'emotion' holds no decisions and is kept as %r", GIVEN_EMOTION
            )
            provenance = set_aside_in(provenance)
        if not force:
            _refuse_other_gate(rows, fitted.method)
        if fitted.method.whole_table:
            _note_speakers(rows)
        yield fitted.method.decide(rows), provenance


def _with_attributes(scores: ScoreTable, fitted: Fitted) -> tuple[pl.LazyFrame, dict[str, Any]]:
    rows, moved = attributes.set_aside(scores.rows)
    for name in moved:
        log.warning("note: column %r holds labels and is kept as %r", name, f"{GIVEN}{name}")
    kept = _kept(THRESHOLDS, scores.decided_with)
    provenance = {**scores.provenance, **kept, ATTRIBUTE_THRESHOLDS: dict(fitted.fitted)}
    return fitted.method.decide(rows), provenance


def _kept(key: str, known: Mapping[str, Any]) -> dict[str, Any]:
    # What another method decided stays, and what is known of its making, if that is one.
    values = list(known.values())
    return {key: values[0]} if values and all(each == values[0] for each in values) else {}


def decide(rows: pl.LazyFrame, method: Method) -> pl.LazyFrame:
    """Add the final emotions to a table of scores.

    Args:
        rows: a table with ``speech_*``, and what the text branch says.
        method: as fitted.

    Returns:
        The table with the columns of the method, ``emotion`` and ``decided_by`` among them. A
        column ``emotion`` that `score` carried is there as ``manifest_emotion``.

    Raises:
        TableError: if a column is missing.
        ProbabilityError: if a row's probabilities are none.
    """
    return method.decide(scored(rows, method))


def scored(rows: pl.LazyFrame, method: Method) -> pl.LazyFrame:
    """Check the rows of a table, and take out what decided them before.

    Args:
        rows: a table with ``speech_*``, and what the text branch says.
        method: that will decide them.

    Returns:
        The table as :meth:`emobatch.fusion.method.Method.decide` takes it.

    Raises:
        TableError: if a column is missing.
        ProbabilityError: if a row's probabilities are none.
    """
    ours = {EMOTION, DECIDED_BY}
    rows = unjudged(rows)  # what was reviewed is decided anew
    rows = set_aside(rows) if has_given_emotion(rows.collect_schema()) else rows
    names = rows.collect_schema().names()
    decisions = {*DECISION_COLUMNS, *method.columns}
    if ours <= set(names):  # by whatever method
        decisions |= {f"{FINAL}{name}" for name in method.task.classes}
    present = [name for name in names if name in decisions]
    if present and not ours <= set(present):
        raise TableError(f"column {present[0]!r} is not of emobatch's making; rename it")
    return score_table.with_scores(rows, method.task, text=method.reads_text).drop(*present)


def _note_speakers(rows: pl.LazyFrame) -> None:
    if SPEAKER not in rows.collect_schema():
        return
    counts = rows.group_by(SPEAKER).len().sort("len", SPEAKER).collect(engine="streaming")
    named = counts.drop_nulls()
    shown = [f"{name} {count}" for name, count in named.head(MOST_NAMED).iter_rows()]
    more = f", …, {named.row(-1)[0]} {named.row(-1)[1]}" if len(named) > MOST_NAMED else ""
    log.warning(
        "note: a speaker's rows in this table count for each other, and more are better; rows of "
        "each of %d speakers, fewest first: %s%s",
        len(named),
        ", ".join(shown) or "none",
        more,
    )


def _check_branches(rows: pl.LazyFrame, method: Method) -> None:
    # Asked for one row at a time: in most tables the first has both.
    names = rows.collect_schema().names()
    heard = [name for name in method.task.speech_columns if name in names]
    if not heard or not _has(rows, pl.any_horizontal(pl.col(heard).is_not_null())):
        if heard and "status" in names and _has(rows, pl.col("status") == "ok"):
            raise TableError(NO_SPEECH)
        return
    said = [name for name in text_columns(names) if name in names]
    if not method.reads_text or not said:
        return
    if _has(rows, pl.any_horizontal(pl.col(said).is_not_null())):
        return
    if not _has(score_table.gated(rows), pl.lit(True)):
        log.warning(NO_TEXT)


def _has(rows: pl.LazyFrame, what: pl.Expr) -> bool:
    return not rows.filter(what).head(1).collect(engine="streaming").is_empty()


def _refuse_other_gate(rows: pl.LazyFrame, method: Method) -> None:
    # Under the gate's own method no row that was left out could change.
    missed = score_table.gated(rows).select(method.needs_text().sum())
    count = missed.collect(engine="streaming").item()
    if count:
        raise TableError(
            f"{count} rows that these thresholds flag have no text, for a gate of other thresholds "
            "left it out; score without --gate or with this one, or insist with --force"
        )
