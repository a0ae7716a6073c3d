"""The review: rows of a final table through a language model, each answer asked for once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from emobatch.errors import OptionError, TableError, TooManyErrors
from emobatch.judging import answer, batch
from emobatch.judging.address import check_url
from emobatch.judging.answers import Answers
from emobatch.judging.asking import Asking
from emobatch.judging.chosen import chosen
from emobatch.judging.endpoint import Question
from emobatch.judging.prompt import Prompt
from emobatch.judging.questions import Asker, tokens
from emobatch.judging.review import Review
from emobatch.judging.verdicts import Verdicts, decided
from emobatch.manifests.amount import counted
from emobatch.models.names import MOST_ERRORS
from emobatch.scoring.progress import Progress, Silent
from emobatch.tables import reading, score_table, writing
from emobatch.tables.judged import (
    FAILED,
    JUDGE,
    NOT_ASKED,
    OK,
    UNREADABLE,
    is_judged,
    refuse_foreign,
    unjudged,
)
from emobatch.tables.label_column import has_given_emotion
from emobatch.tables.score_table import ScoreTable

log = logging.getLogger(__name__)
# Questions by whose size all are estimated; tokens of an answer, about.
SAMPLE, ANSWER_TOKENS = 100, 60
NOT_DECIDED = (
    "column 'emotion' is the manifest's, and no final emotion; `emobatch apply` writes final tables"
)


def judge(
    sources: Sequence[str],
    target: Path,
    review: Review,
    *,
    where: str | None = None,
    batch_in: Path | None = None,
    max_error_rate: float = MOST_ERRORS,
    progress: Progress | None = None,
) -> None:
    """Let a language model review the emotions of final tables.

    Args:
        sources: final tables, globs or ``-``.
        target: the judged table; answers are kept beside it, in ``TABLE.parts``.
        review: how.
        where: SQL expression; only rows for which it holds are written.
        batch_in: results of the Batch API, instead of an endpoint.
        max_error_rate: share of the rows asked about, 0 to 1, that may fail.
        progress: told how far it is.

    Raises:
        TooManyErrors: if more rows failed; the table is written all the same.
        EmobatchError: if something can't be read, asked or written.
    """
    writing.check_target(target, sources=sources)
    if (review.endpoint is None) == (batch_in is None):
        raise OptionError("give --endpoint, or --batch-in with answers: one of them")
    where_asked = None
    if review.endpoint is not None:
        where_asked = check_url(review.endpoint, offline=review.offline)
    table = _final_table(sources, where)
    with reading.explained(table.name):
        asked = _Asked.of(table, review)
        verdicts = Verdicts(table.task.labels)
        with Answers.open(target) as answers:
            questions = asked.new(answers, verdicts)
            if batch_in is not None:
                _take(batch_in, asked, answers, verdicts)
            elif questions:
                _announce(questions, review)
                Asking(review, verdicts, answers, progress or Silent()).run(questions)
            rows = asked.count
            columns = verdicts.frame(rows)
        made = _provenance(table, review, where_asked)
        writing.write(decided(table.rows, columns, review.least), target, made)
    _end(verdicts, asked, rows, target, max_error_rate, columns, review)


def dry_run(
    sources: Sequence[str], review: Review, *, where: str | None = None, count: int = 3
) -> list[Question]:
    """Make the first questions, and ask none.

    Args:
        sources: final tables, globs or ``-``.
        review: how they would be reviewed.
        where: SQL expression over the columns.
        count: of questions.

    Returns:
        The questions.
    """
    table = _final_table(sources, where)
    with reading.explained(table.name):
        asked = _Asked.of(table, review)
        questions = list(asked.questions())
    _announce(questions, review)
    return questions[:count]


def write_batch(
    sources: Sequence[str], target: Path, review: Review, *, where: str | None = None
) -> None:
    """Write the questions as a file for the Batch API.

    Args:
        sources: final tables, globs or ``-``.
        target: the file, ``.jsonl``.
        review: how they are reviewed.
        where: SQL expression over the columns.
    """
    table = _final_table(sources, where)
    options = {**review.options, "response_format": _form(table)}
    with reading.explained(table.name):
        questions = list(_Asked.of(table, review).questions())
    _announce(questions, review)
    batch.write(questions, target, review.model, options)
    log.info("note: %s in %s; next: `--batch-in`", counted(len(questions), "request"), target)


def _final_table(sources: Sequence[str], where: str | None) -> ScoreTable:
    # As fusion left it: a review that is there already is replaced.
    table = score_table.read(sources, where)
    names = table.rows.collect_schema().names()
    with reading.explained(table.name):
        refuse_foreign(names)
        if has_given_emotion(names):
            raise TableError(NOT_DECIDED)
    if is_judged(names):
        log.warning("note: %s was judged before; that review is replaced", table.name)
    return replace(table, rows=unjudged(table.rows))


def _form(table: ScoreTable) -> dict[str, Any]:
    form = {"name": "verdict", "strict": True, "schema": answer.schema(table.task.labels)}
    return {"type": "json_schema", "json_schema": form}


@dataclass
class _Asked:
    """The rows that are asked about."""

    table: ScoreTable
    asker: Asker
    which: pl.Series

    @classmethod
    def of(cls, table: ScoreTable, review: Review) -> _Asked:
        prompt = Prompt.read(review.prompt)
        which = chosen(table.rows, table.task, review.only, review.share)
        options = review.options
        asker = Asker(prompt, table.task, review.model, options, review.context)
        return cls(table, asker, which)

    @property
    def count(self) -> int:
        return len(self.which)

    def questions(self) -> Iterator[Question]:
        yield from self.asker.questions(self.table.rows, self.which)

    def new(self, answers: Answers, verdicts: Verdicts) -> list[Question]:
        # Those without an answer that is kept already.
        left = []
        for question in self.questions():
            text = answers.texts.get(question.key)
            if text is None:
                left.append(question)
            else:
                verdicts.answered(question.row, text)
        return left


def _take(source: Path, asked: _Asked, answers: Answers, verdicts: Verdicts) -> None:
    # Answers of the Batch API. What is missing among them is named by its row's id.
    wanted: dict[str, list[int]] = {}
    for question in asked.questions():
        if question.key not in answers.texts:
            wanted.setdefault(question.key, []).append(question.row)
    others = 0
    for key, text, why in batch.read(source):
        rows = wanted.pop(key, None)
        if rows is None:
            others += key not in answers.texts
            continue
        if text is not None:
            answers.add(key, text)
        for row in rows:
            if text is None:
                verdicts.failed(row, why)
            else:
                verdicts.answered(row, text)
    missing = [row for rows in wanted.values() for row in rows]
    for row in missing:
        verdicts.failed(row, "no answer in the batch's results")
    if missing:
        names = _names(asked.table, missing)
        log.warning("note: %s: no answer for %s", source, names)
    if others:
        log.warning(
            "note: %s: %s of other rows, prompts or options", source, counted(others, "answer")
        )


def _names(table: ScoreTable, rows: Sequence[int]) -> str:
    if "id" not in table.rows.collect_schema():
        return counted(len(rows), "row")
    ids = table.rows.select("id").collect(engine="streaming")["id"]
    named = ", ".join(str(ids[row]) for row in rows[: batch.MOST_NAMED])
    return named + (f" and {len(rows) - batch.MOST_NAMED} more" if len(rows) > 5 else "")


def _announce(questions: Sequence[Question], review: Review) -> None:
    size = tokens(list(islice(questions, SAMPLE)))
    total = len(questions) * (size + ANSWER_TOKENS)
    log.info(
        "note: %s to ask %s about (%s), about %s tokens",
        counted(len(questions), "row"),
        review.model,
        review.only,
        f"{float(f'{total:.2g}'):,.0f}",
    )


def _provenance(table: ScoreTable, review: Review, endpoint: str | None) -> dict[str, Any]:
    made = {
        "model": review.model,
        "endpoint": endpoint,
        "prompt": Prompt.read(review.prompt).digest,
        "only": review.only,
        "context": review.context,
        "confidence": review.least,
        **review.options,
    }
    return {**table.provenance, JUDGE: {key: v for key, v in made.items() if v is not None}}


def _end(
    verdicts: Verdicts,
    asked: _Asked,
    rows: int,
    target: Path,
    most_errors: float,
    columns: pl.DataFrame,
    review: Review,
) -> None:
    failed, unreadable = verdicts.count(FAILED), verdicts.count(UNREADABLE)
    wanted = int(asked.which.sum())
    left = wanted - len(verdicts.values)
    taken = int((columns["judge_confidence"] >= review.least).sum())
    log.info(
        "note: %s in %s: of %d asked about %d are answered, %d of them at %g %% or more; "
        "%d can't be read, %d failed%s",
        counted(rows, "row"),
        target,
        wanted,
        verdicts.count(OK),
        taken,
        100 * review.least,
        unreadable,
        failed,
        f"; {left} {NOT_ASKED} (--max-requests, --max-tokens)" if left else "",
    )
    if failed > most_errors * wanted:
        raise TooManyErrors(
            f"{failed} of {wanted} rows failed, more than --max-error-rate {most_errors:g} allows; "
            "the table has all rows: the same command asks again for those"
        )
