"""Questions asked of an endpoint, and answers kept as they come."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emobatch.errors import EndpointError, Interrupted
from emobatch.judging import answer
from emobatch.judging.answers import Answers
from emobatch.judging.exchange import Question, Reply, Spent
from emobatch.judging.progress import Progress
from emobatch.judging.review import Review
from emobatch.judging.verdicts import Verdicts
from emobatch.scoring.pace import Pace
from emobatch.wording import counted

if TYPE_CHECKING:
    from emobatch.judging.endpoint import Endpoint

log = logging.getLogger(__name__)


@dataclass
class Asking:
    """Questions that an endpoint is asked; answers are kept as they come.

    Attributes:
        review: how.
        verdicts: take what is answered.
        answers: keep it.
        progress: told how far it is, and what was spent.
        spent: so far.
    """

    review: Review
    verdicts: Verdicts
    answers: Answers
    progress: Progress
    spent: Spent = field(default_factory=Spent)
    _rows: dict[str, list[int]] = field(default_factory=dict)

    def run(self, questions: Iterator[Question], rows: int, left: int) -> None:
        """Ask all, within the limits of requests and tokens.

        Args:
            questions: those without an answer; taken as there is room for them.
            rows: how many are asked about, now or before.
            left: how many questions there are.

        Raises:
            EndpointError: if no request can succeed; answers so far are kept.
            Interrupted: by a signal; likewise.
        """
        endpoint = self._endpoint()
        pace = Pace(self.progress)
        pace.start(rows, rows - left)
        pace.begin()
        try:
            self._ask(endpoint, questions, pace)
        except KeyboardInterrupt as signal:
            kept = counted(len(self.answers.texts), "answer")
            raise Interrupted(
                f"{str(signal) or 'interrupted by SIGINT'}; {kept} kept in "
                f"{self.answers.held.path}, the same command goes on from there"
            ) from signal

    def _endpoint(self) -> Endpoint:
        try:
            from emobatch.judging.endpoint import Endpoint
        except ModuleNotFoundError as error:
            raise EndpointError(
                f"asking a language model needs the package {error.name}; pip install "
                "'emobatch[judge]'"
            ) from error
        review = self.review
        return Endpoint(
            review.endpoint or "",
            review.model,
            review.options,
            answer.response_format(self.verdicts.labels),
            review.concurrency,
            review.timeout,
            review.retries,
        )

    def _ask(self, endpoint: Endpoint, questions: Iterator[Question], pace: Pace) -> None:
        def take(reply: Reply) -> None:
            rows = self._settle(reply)
            pace.advance(rows=len(rows), errors=len(rows) * (reply.text is None))
            self.progress.spend(self.spent.tokens)

        wanted = self._once(questions, pace)
        endpoint.ask(wanted, take, self.verdicts.is_readable, self.spent)
        for question in questions:  # behind a limit
            self.verdicts.took(question, self.answers.texts)
        requests = counted(self.spent.requests, "request")
        log.info("note: %s, %d tokens", requests, self.spent.tokens)

    def _settle(self, reply: Reply) -> list[int]:
        # The rows whose question it was.
        rows = self._rows.pop(reply.question.key)
        if reply.text is not None:
            self.answers.add(reply.question.key, reply.text)
        for row in rows:
            if reply.text is None:
                self.verdicts.failed(row, reply.error or "no answer")
            else:
                self.verdicts.answered(row, reply.text)
        return rows

    def _once(self, questions: Iterator[Question], pace: Pace) -> Iterator[Question]:
        # Within the limits; what is under way for another row, or was answered, isn't asked again.
        while not self._is_enough and (question := next(questions, None)) is not None:
            if self.verdicts.took(question, self.answers.texts):
                pace.advance(rows=1)
                continue
            rows = self._rows.setdefault(question.key, [])
            rows.append(question.row)
            if len(rows) == 1:
                yield question

    @property
    def _is_enough(self) -> bool:
        # Questions under way may still be asked once more.
        review, spent = self.review, self.spent
        return (review.most_requests is not None and spent.requests >= review.most_requests) or (
            review.most_tokens is not None and spent.tokens >= review.most_tokens
        )
