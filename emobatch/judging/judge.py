"""The review: rows of a final table through a language model, each answer asked for once."""

from __future__ import annotations

import logging
import shlex
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import chain, islice
from pathlib import Path
from typing import Any

from emobatch.errors import OptionError, TooManyErrors
from emobatch.judging import answer, batch
from emobatch.judging.address import check_url
from emobatch.judging.answers import Answers
from emobatch.judging.asked import Asked
from emobatch.judging.asking import Asking
from emobatch.judging.exchange import Question
from emobatch.judging.progress import Progress, Silent
from emobatch.judging.questions import tokens
from emobatch.judging.review import Review
from emobatch.judging.verdicts import Verdicts, decided
from emobatch.models.names import MOST_ERRORS
from emobatch.tables import reading, writing
from emobatch.tables.judged import FAILED, JUDGE, NOT_ASKED, OK, UNREADABLE
from emobatch.wording import counted

log = logging.getLogger(__name__)
# Questions by whose size all are estimated; tokens of an answer, about.
SAMPLE, ANSWER_TOKENS = 100, 60
# What decides which questions there are, beside the model.
OF_QUESTIONS = {
    name: f"--{name.replace('_', '-')}"
    for name in ("only", "share", "context", "prompt", "temperature", "seed", "answer_tokens")
} | {"most_requests": "--max-requests"}


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
    address = None
    if review.endpoint is not None:
        address = check_url(review.endpoint, offline=review.offline)
    asked = Asked.read(sources, where, review)
    verdicts = Verdicts(asked.table.task.labels)
    with Answers.open(target) as answers:
        questions = _unanswered(asked, dict(answers.texts), verdicts)
        if batch_in is not None:
            wanted = list(questions)[: review.most_requests]
            _take(batch_in, wanted, asked, answers, verdicts)
        elif left := _left(asked, answers):
            questions = _announced(questions, left, review)
            asking = Asking(review, verdicts, answers, progress or Silent())
            asking.run(questions, asked.count, left)
        else:
            deque(questions, maxlen=0)
        columns = verdicts.frame(len(asked.which))
    made = _provenance(asked, review, address)
    with reading.explained(asked.table.name):
        writing.write(decided(asked.table.rows, columns, review.least), target, made)
    taken = int((columns["judge_confidence"] >= review.least).sum())
    _tell(verdicts, asked, target, f"{taken} of them at {100 * review.least:g} % or more")
    _refuse_failures(verdicts.count(FAILED), asked.count, max_error_rate)


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
    asked = Asked.read(sources, where, review)
    return list(islice(_announced(asked.questions(), asked.count, review), count))


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
    asked = Asked.read(sources, where, review)
    form = answer.response_format(asked.table.task.labels)
    count = asked.count if review.most_requests is None else min(asked.count, review.most_requests)
    questions = _announced(islice(asked.questions(), count), count, review)
    options = {**review.options, "response_format": form}
    written = batch.write(questions, target, review.model, options)
    command = ["emobatch", "judge", *sources, *_options(review, where)]
    log.info(
        "note: %s in %s; with the file that the Batch API makes of it: %s --batch-in RESULTS -o "
        "JUDGED",
        counted(written, "request"),
        target,
        shlex.join(command),
    )


def _options(review: Review, where: str | None) -> list[str]:
    # Those that the same questions take.
    options = ["--model", review.model, *(["--where", where] if where else [])]
    for each in fields(review):
        value = getattr(review, each.name)
        if each.name in OF_QUESTIONS and value != each.default:
            options += [OF_QUESTIONS[each.name], str(value)]
    return options


def _left(asked: Asked, answers: Answers) -> int:
    # How many rows have no answer that is kept.
    if not answers.texts:
        return asked.count
    return sum(question.key not in answers.texts for question in asked.questions())


def _unanswered(asked: Asked, kept: Mapping[str, str], verdicts: Verdicts) -> Iterator[Question]:
    # Answers that are kept are taken on the way.
    return (question for question in asked.questions() if not verdicts.took(question, kept))


def _take(
    source: Path,
    questions: Sequence[Question],
    asked: Asked,
    answers: Answers,
    verdicts: Verdicts,
) -> None:
    # Answers of the Batch API. What is missing among them is named by its row's id.
    wanted: dict[str, list[int]] = {}
    for question in questions:
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
        log.warning("note: %s: no answer for %s", source, asked.names(missing))
    if others:
        strangers = counted(others, "answer")
        log.warning("note: %s: %s of other rows, prompts or options", source, strangers)


def _announced(questions: Iterator[Question], count: int, review: Review) -> Iterator[Question]:
    # The same questions; what they cost is judged by the first.
    first = list(islice(questions, SAMPLE))
    total = count * (tokens(first) + ANSWER_TOKENS)
    log.info(
        "note: %s to ask %s about (%s), about %s tokens",
        counted(count, "row"),
        review.model,
        review.only,
        f"{float(f'{total:.2g}'):,.0f}",
    )
    return chain(first, questions)


def _provenance(asked: Asked, review: Review, address: str | None) -> dict[str, Any]:
    made = {
        "model": review.model,
        "endpoint": address,
        "prompt": asked.asker.prompt.digest,
        "only": review.only,
        "context": review.context,
        "confidence": review.least,
        **review.options,
    }
    known = {name: value for name, value in made.items() if value is not None}
    return {**asked.table.provenance, JUDGE: known}


def _tell(verdicts: Verdicts, asked: Asked, target: Path, taken: str) -> None:
    left = asked.count - len(verdicts.values)
    log.info(
        "note: %s in %s: of %d asked about %d are answered, %s; %d can't be read, %d failed%s",
        counted(len(asked.which), "row"),
        target,
        asked.count,
        verdicts.count(OK),
        taken,
        verdicts.count(UNREADABLE),
        verdicts.count(FAILED),
        f"; {left} {NOT_ASKED} (--max-requests, --max-tokens)" if left else "",
    )


def _refuse_failures(failed: int, asked: int, most: float) -> None:
    if failed > most * asked:
        raise TooManyErrors(
            f"{failed} of {asked} rows failed, more than --max-error-rate {most:g} allows; the "
            "table has all rows: the same command asks again for those"
        )
